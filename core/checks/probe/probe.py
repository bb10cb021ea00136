"""One endpoint under examination: what the semantic and wire checks ask it, and how they read its answers."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit

from core.checks.document.description import Described
from core.checks.document.forms import ONE
from core.checks.document.replies import Keys, answers_in
from core.checks.document.security import Credential
from core.checks.document.sizes import rows_at_once, told_bytes
from core.checks.effort import Depth, Profile
from core.checks.outcome import KnownDeviation, NotApplicable, Violation
from core.checks.probe import encoding, places
from core.checks.probe.client import Client
from core.checks.probe.exchange import LIMITED, Exchange
from core.checks.probe.tries import Plan, Tries
from core.domain.counting import counted
from core.domain.errors import NoVerdict, SlipwayError
from core.domain.proof import Target
from core.loadtest.busy import BUSY

T = TypeVar("T")

SMALL_BYTES = 16_384
"""A valid body of this size has to be taken; whether a larger one is, is tried first where no document says it."""
FIT_ROWS = 50


class Probe:
    """One endpoint under examination. Not for use by several threads at once."""

    def __init__(
        self,
        target: Target,
        described: Described,
        *,
        seed: int,
        depth: Depth,
        profile: Profile = Profile.STRICT,
        client: Client | None = None,
        proven: bool = False,
    ) -> None:
        self.described, self.seed, self.depth, self.profile = described, seed, depth, profile
        self.target = replace(target, url=_based(target.url, described.home.bases[0]))
        self.proven = proven
        """Parity has shown that the served model is the trained one, so that few different answers are its own."""
        self.most_rows = rows_at_once(described)
        """The rows that one request may hold, by the document's number and by their length."""
        self.rows = depth.rows if described.one_row else min(depth.rows, self.most_rows)
        self.shut: Violation | NoVerdict | None = None
        """Why scoring cannot be judged at all, where no valid row is scored."""
        self._random = Random(seed)  # noqa: S311 - draws test data
        self._plan = Plan(depth.tries_s, seed, monotonic)
        self._client = Client(self.target) if client is None else client
        self._taken_bytes, self._refused_bytes = 0, math.inf
        self._known: dict[Any, tuple[Any, Exception | None]] = {}

    def once(self, compute: Callable[..., T], *about: str) -> T:
        """What `compute` gave at its first call for this endpoint: its value, or what it raised, which is raised anew.

        What failed after a minute would fail so again, for each check that asks.
        """
        asked = compute, *about
        if asked not in self._known:
            try:
                self._known[asked] = compute(self, *about), None
            except (Violation, NotApplicable, KnownDeviation, SlipwayError) as e:
                self._known[asked] = None, e
        found, problem = self._known[asked]
        if problem is not None:
            raise problem
        value: T = found
        return value

    def sample(self, count: int) -> list[dict[str, Any]]:
        """`count` valid rows made from the document, or as many as one request may hold.

        Raises NotApplicable when it describes no columns.
        """
        if not self.described.signature.used:
            raise NotApplicable("the document does not describe any columns")
        return self.described.drawing.usual(self.fitting(count), self._random.randrange(2**31))

    def fitting(self, count: int) -> int:
        """As many of `count` rows as one request may hold: by the document, and by the size that is taken.

        Where a request holds one row, all of them: they are sent one by one.
        """
        if self.described.one_row:
            return count
        count = max(1, min(count, self.most_rows))
        while count > 1 and not self._fits(count):
            count //= 2
        return count

    def _fits(self, count: int) -> bool:
        """Whether so many rows are not too large for a request, if need be by sending some of that size."""
        rows = self.described.drawing.usual(min(count, FIT_ROWS), self.seed)
        body = self.described.body([rows[at % len(rows)] for at in range(count)])
        body = body.ljust(len(body) * 5 // 4)  # other rows may be longer
        promised = told_bytes(self.described) or 0  # what the document itself says is taken has to be
        if len(body) <= max(SMALL_BYTES, self._taken_bytes, promised):
            return True
        if len(body) < self._refused_bytes and self.post(body).status not in LIMITED:
            self._taken_bytes = len(body)
            return True
        self._refused_bytes = min(self._refused_bytes, len(body))
        return False

    def tries(self, found: Iterable[T]) -> Tries[T]:
        """These, one by one, as long as there is time for them; see `tries.Tries`."""
        return self._plan.tries(found)

    def send(self, method: str, path: str, body: bytes | None = None, credential: Credential | None = None) -> Exchange:
        """Send one request with exactly this credential.

        Raises Violation, ServiceUnavailable as `Client.send`, NoVerdict where the endpoint stays too busy to be judged.
        """
        return self._sent(method, path, body, {}, credential)

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Exchange:
        """POST to the scoring path with the key. Raises Violation, ServiceUnavailable, NoVerdict as `send`."""
        return self._sent("POST", self.described.score_path, body, headers or {}, self.credential)

    def needs_acceptance(self) -> None:
        """Raises NoVerdict where no valid request is accepted: that others are refused then says nothing."""
        self.once(_accepted)

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], credential: Credential | None
    ) -> Exchange:
        exchange = self._meant(self._client.send(method, path, body, headers, credential))
        if exchange.status == BUSY and not self._takes_others():
            raise NoVerdict(f"The endpoint is still too busy: {exchange.shown}", hint="Try again when it has less load")
        return exchange

    def _takes_others(self) -> bool:
        """Whether a request that is known to be good is taken now."""
        try:
            good = self.once(_accepted)
        except (NoVerdict, Violation):
            return False
        return good is None or self._client.send(good.method, good.path, good.body, {}, good.credential).status != BUSY

    @property
    def credential(self) -> Credential | None:
        """The key as the document says that it is sent; None without a key."""
        return self.described.scheme.credential(self.target.key) if self.target.key else None

    def body(self, rows: Sequence[Mapping[str, Any]], method: str | None = None) -> bytes:
        """A request body with these rows in the document's first form."""
        return self.described.body(rows, method)

    def needs_at_once(self, rows: int) -> None:
        """Raises NotApplicable where the document does not allow so many rows in one request."""
        if self.described.one_row or self.most_rows < rows:
            allowed = 1 if self.described.one_row else self.most_rows
            raise NotApplicable(f"the document allows {counted(allowed, 'row')} per request")
        if (fitting := self.fitting(rows)) < rows:
            raise NotApplicable(f"the endpoint takes {counted(fitting, 'row')} per request; more are too large")

    def promised(self, exchange: Exchange, name: str) -> bool:
        """Whether the document gives this refusal a body with the property `name`; ours have one shape everywhere."""
        errors = self.described.errors
        told = errors.get(str(exchange.status), errors.get("default", frozenset()))
        return self.profile is Profile.SLIPWAY or (exchange.path == self.described.score_path and name in told)

    def score(
        self, rows: Sequence[Mapping[str, Any]], method: str | None = None, form: str = ""
    ) -> tuple[list[Any], Exchange]:
        """The answers to `rows`, one a row, unwrapped. Raises Violation for anything but a 200 of that shape."""
        form = form or self.described.primary_form
        if form == ONE and len(rows) > 1:
            alone = [self.score([row], method, form) for row in rows]
            return [answer for (answer,), _ in alone], alone[-1][1]
        exchange = self.post(self.described.body(list(rows), method, form))
        if exchange.status != 200:
            raise places.refused(exchange)
        answers = self.unwrap(exchange, form)
        if len(answers) != len(rows):
            told = f"{len(rows)} rows were sent, {len(answers)} answers came back: {exchange.shown}"
            raise Violation(told, exchange, cause="number of answers")
        return answers, exchange

    def unwrap(self, exchange: Exchange, form: str) -> list[Any]:
        """The answers in a reply to this form. Raises Violation where it has another shape."""
        reply = places.meant(exchange)
        told = self.described.reply_keys[form]
        answers = None if told is None else answers_in(reply, told)
        if answers is None:
            answers = answers_in(reply, self.place_of(form))
        if answers is None:
            raise Violation(f"The answers are not in the same place as in other replies: {exchange.shown}", exchange)
        return answers

    def place_of(self, form: str) -> Keys:
        """The lists of a reply to this form that hold the answers. Raises Violation, NoVerdict as `places.find`."""
        return self.once(_place, form)

    def _meant(self, exchange: Exchange) -> Exchange:
        if self.profile is not Profile.AZURE:
            return exchange
        status, reply = encoding.meant(exchange.status, exchange.reply)
        return replace(exchange, status=status, reply=reply, decoded=reply != exchange.reply)

    @contextmanager
    def another(self) -> Iterator["Probe"]:
        """Another client of the same endpoint, with a connection of its own, for use in another thread."""
        client = Client(self.target, self._client.tls if self.target.url.startswith("https:") else None)
        other = Probe(
            self.target, self.described, seed=self.seed, depth=self.depth, profile=self.profile, client=client
        )
        other.target, other._known = self.target, self._known
        try:
            yield other
        finally:
            other.close()

    def move(self, base: str) -> None:
        """Examine the paths below this one from now on, at the same origin."""
        self._client.close()
        self.target = replace(self.target, url=_based(self.target.url, base))
        self._client = Client(self.target, self._client.tls if self.target.url.startswith("https:") else None)

    def close(self) -> None:
        """Drop the kept connection."""
        self._client.close()


def _place(probe: Probe, form: str) -> Keys:
    def ask(size: int) -> tuple[int, Exchange]:
        rows = probe.sample(size)
        return len(rows), probe.post(probe.described.body(rows, None, form))

    return places.find(form, probe.described.reply_keys[form], ask)


ACCEPTED_TRIES = 5


def _accepted(probe: Probe) -> Exchange | None:
    """A valid request that is accepted; None where the document does not say what is valid.

    Raises NoVerdict where none is, Violation where none is answered at all.
    """
    if not probe.described.drawn.used:
        return None
    unanswered: list[Violation] = []
    for row in probe.described.drawing.usual(ACCEPTED_TRIES, probe.seed):
        try:
            path, body = probe.described.score_path, probe.body([row])
            exchange = probe._meant(probe._client.send("POST", path, body, {}, probe.credential))
        except Violation as e:
            unanswered.append(e)
            continue
        if exchange.status == 200:
            return exchange
    if len(unanswered) == ACCEPTED_TRIES:
        raise unanswered[-1]
    raise NoVerdict("No valid request is accepted, so rejections prove nothing")


def _based(url: str, base: str) -> str:
    """The address of this path at the origin of `url`, as it was written."""
    scheme, netloc, *_ = urlsplit(url)
    return f"{scheme}://{netloc}{base}"
