"""What should be refused, and is: bodies, keys, and one bad request of every kind."""

from collections.abc import Iterator

from core.checks.document.security import Credential
from core.checks.document.sizes import rows_in
from core.checks.effort import Profile
from core.checks.outcome import OPEN, NotApplicable, Violation
from core.checks.probe.exchange import REFUSED, Exchange
from core.checks.probe.probe import Probe

ID_MAX_CHARS = 100
ROWS_SENT_MAX = 10_000
ID_HEADERS = ("x-request-id", "x-ms-client-request-id")


def valid_body(probe: Probe) -> bytes:
    """A body with one valid row, in the document's first form. Raises NoVerdict where no such body is accepted."""
    probe.needs_acceptance()
    return probe.body(probe.sample(1))


def refused(probe: Probe, body: bytes, what: str) -> None:
    """The body gets a status that blames it. Raises Violation."""
    exchange = probe.post(body)
    if exchange.status not in REFUSED:
        raise Violation(f"{what[:1].upper()}{what[1:]} got {exchange.shown}, expected 400", exchange)


def lives_on(probe: Probe) -> None:
    """After what should be refused, a valid row is scored as before. Raises Violation, NoVerdict."""
    probe.needs_acceptance()
    probe.score(probe.sample(1))


def refusals(probe: Probe) -> Iterator[Exchange]:
    """Answers to requests that a correct endpoint refuses, one of each kind; those that it accepts are left out."""
    path, most, row = probe.described.score_path, probe.described.max_rows, probe.sample(1)[0]
    body = probe.body([row])
    too_many = most is not None and most <= ROWS_SENT_MAX and rows_in(probe.described, row) > most
    attempts = [
        probe.send("POST", path, body, probe.described.scheme.wrong("wrong", "wrong")),
        probe.send("GET", "/nowhere", None, probe.credential),
        probe.send("PUT", path, None, probe.credential),
        probe.post(body, {"Content-Type": "text/plain"}),
        *(
            probe.post(sent)
            for sent in (b"", b"{", b"[]", b'"data"', b'{"data": 1}', b'{"data": [1]}', b'{"data": [{}]}')
        ),
        *([probe.post(probe.body([row] * (most + 1)))] if too_many and most else []),
        probe.post(body, {ID_HEADERS[0]: "x" * (ID_MAX_CHARS + 1)}),
    ]
    yield from (exchange for exchange in attempts if exchange.status >= 400)
    wrong = [
        (column.name, value) for column in probe.described.signature.used for value in ({"an": "object"}, "x" * 300)
    ]
    for name, value in probe.tries(wrong):
        exchange = probe.post(probe.body([row | {name: value}]))
        if exchange.status >= 400:
            yield exchange


def denials(probe: Probe) -> tuple[int, ...]:
    """The statuses that deny access: 401, and 403 too where the document does not speak of 401 alone."""
    listed = {status for status in (401, 403) if str(status) in probe.described.statuses}
    return (401,) if probe.profile is Profile.SLIPWAY or listed == {401} else (401, 403)


def needs_key(probe: Probe) -> None:
    """Raises NotApplicable unless the document asks for a key and one was given."""
    if not probe.described.secured or not probe.target.key:
        raise NotApplicable("the document does not require a key" if probe.target.key else "no key was given")


def unauthorized(probe: Probe, *credentials: Credential | None) -> str:
    """Each of these credentials gets 401 with a challenge. Raises Violation, NotApplicable without a key to test."""
    needs_key(probe)
    body, expected = valid_body(probe), denials(probe)
    challenged, right = probe.described.scheme.challenged, probe.described.scheme.credential(probe.target.key)
    # A key may read the same backwards, or be the word that stands for a wrong one: what is the key is let in.
    wrong = [each for each in credentials if each is None or not each.same_as(right)]
    if not wrong:
        raise NotApplicable("every variant that would be sent is the same as the key")
    for credential in wrong:
        exchange = probe.send("POST", probe.described.score_path, body, credential)
        if exchange.status not in expected:
            cause = OPEN if needs_no_key(probe) else ""
            told = f"Got {exchange.shown}, expected {' or '.join(map(str, expected))}"
            raise Violation(told, exchange, cause=cause, telling=credential is None)
        if exchange.status == 401 and challenged and "www-authenticate" not in exchange.reply_headers:
            raise Violation("401 without WWW-Authenticate, which HTTP requires (RFC 9110, 15.5.2)", exchange)
    tried = "1 request" if len(wrong) == 1 else f"{len(wrong)} requests"
    return f"{tried} without the right key rejected with {' or '.join(map(str, expected))}"


def needs_no_key(probe: Probe) -> bool:
    """Whether a row is scored for anybody, although the document asks for a key."""
    return probe.described.secured and probe.once(_scored_for_anybody)


def _scored_for_anybody(probe: Probe) -> bool:
    return probe.send("POST", probe.described.score_path, probe.body(probe.sample(1))).status == 200
