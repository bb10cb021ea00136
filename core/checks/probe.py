"""One endpoint under examination: what the semantic and wire checks ask it, and how they read its answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from core.checks import azure
from core.checks.client import Client, Exchange, quoted, shown
from core.checks.document import Described
from core.checks.forms import ONE
from core.checks.places import meant, place_of, refused
from core.checks.registry import Depth, KnownDeviation, NotApplicable, Profile, Violation
from core.checks.replies import answers_in
from core.checks.security import Credential
from core.contract import samples
from core.domain.errors import NoVerdict, SlipwayError
from core.domain.proof import Target

__all__ = ["Client", "Exchange", "Probe", "quoted", "shown"]

T = TypeVar("T")


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
    ) -> None:
        self.target, self.described, self.seed, self.depth, self.profile = target, described, seed, depth, profile
        self.rows = depth.rows if described.max_rows is None else max(1, min(depth.rows, described.max_rows))
        self.shut: Violation | NoVerdict | None = None
        """Why scoring cannot be judged at all, where no valid row is scored."""
        self._random = Random(seed)  # noqa: S311 - draws test data
        self._client = Client(target) if client is None else client
        self._known: dict[Any, tuple[Any, Exception | None]] = {}

    def once(self, compute: Callable[["Probe"], T]) -> T:
        """What `compute` gave at its first call for this endpoint: its value, or what it raised, which is raised anew.

        What failed after a minute would fail so again, for each check that asks.
        """
        if compute not in self._known:
            try:
                self._known[compute] = compute(self), None
            except (Violation, NotApplicable, KnownDeviation, SlipwayError) as e:
                self._known[compute] = None, e
        found, problem = self._known[compute]
        if problem is not None:
            raise problem
        value: T = found
        return value

    def sample(self, count: int) -> list[dict[str, Any]]:
        """`count` valid rows made from the document, or as many as it allows at once.

        Raises NotApplicable when it describes no columns.
        """
        if not self.described.signature.used:
            raise NotApplicable("the document describes no columns")
        most = self.described.max_rows
        count = count if most is None else max(1, min(count, most))
        return samples.rows(self.described.drawn, count, self._random.randrange(2**31))

    def send(self, method: str, path: str, body: bytes | None = None, credential: Credential | None = None) -> Exchange:
        """Send one request with exactly this credential. Raises Violation, ServiceUnavailable as `Client.send`."""
        return self._meant(self._client.send(method, path, body, {}, credential))

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Exchange:
        """POST to the scoring path with the key. Raises Violation, ServiceUnavailable as `Client.send`."""
        path = self.described.score_path
        return self._meant(self._client.send("POST", path, body, headers or {}, self.credential))

    @property
    def credential(self) -> Credential | None:
        """The key as the document says that it is sent; None without a key."""
        return self.described.scheme.credential(self.target.key) if self.target.key else None

    def body(self, rows: Sequence[Mapping[str, Any]], method: str | None = None) -> bytes:
        """A request body with these rows in the document's first form."""
        return self.described.body(rows, method)

    def needs_at_once(self, rows: int) -> None:
        """Raises NotApplicable where the document does not allow so many rows in one request."""
        most = self.described.max_rows
        if self.described.one_row or (most is not None and most < rows):
            raise NotApplicable(f"the document allows {1 if self.described.one_row else most} row(s) at once")

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
            raise refused(exchange)
        answers = self.unwrap(exchange, form)
        if len(answers) != len(rows):
            told = f"{len(rows)} rows were sent, {len(answers)} answers came back: {exchange.shown}"
            raise Violation(told, exchange, cause="number of answers")
        return answers, exchange

    def unwrap(self, exchange: Exchange, form: str) -> list[Any]:
        """The answers in a reply to this form. Raises Violation where it has another shape."""
        reply = meant(exchange)
        told = self.described.reply_keys[form]
        answers = None if told is None else answers_in(reply, told)
        if answers is None:
            answers = answers_in(reply, place_of(self, form))
        if answers is None:
            raise Violation(f"The answers are not where they are in other replies: {exchange.shown}", exchange)
        return answers

    def _meant(self, exchange: Exchange) -> Exchange:
        if self.profile is not Profile.AZURE:
            return exchange
        status, reply = azure.meant(exchange.status, exchange.reply)
        return replace(exchange, status=status, reply=reply, decoded=reply != exchange.reply)

    @contextmanager
    def another(self) -> Iterator["Probe"]:
        """Another client of the same endpoint, with a connection of its own, for use in another thread."""
        client = Client(self.target, self._client.tls if self.target.url.startswith("https:") else None)
        other = Probe(
            self.target, self.described, seed=self.seed, depth=self.depth, profile=self.profile, client=client
        )
        other._known = self._known
        try:
            yield other
        finally:
            other.close()

    def close(self) -> None:
        """Drop the kept connection."""
        self._client.close()
