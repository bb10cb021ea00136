"""Where an endpoint's promises come from: the document it publishes, and a schema file that says more."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from core.checks.document.description import Described, describe
from core.checks.document.home import whole
from core.checks.document.overlay import is_document, with_schema
from core.checks.document.schema import Json
from core.checks.document.security import BEARER
from core.checks.outcome import Violation
from core.checks.probe.client import Client
from core.checks.probe.exchange import REFUSED as BLAMED
from core.checks.probe.exchange import Exchange
from core.checks.probe.places import refused
from core.checks.probe.probe import Probe
from core.domain.endpoint import DEPLOYMENT_HEADER
from core.domain.errors import NoVerdict
from core.domain.proof import Target

DOCUMENT = "/swagger.json"
PLACES = (f"{DOCUMENT}?version=3.1", f"{DOCUMENT}?version=3", DOCUMENT, "/openapi.json", "/docs.json")
"""Most telling first: only OpenAPI 3.1 can type a row that is an array; Azure's services stop at 3.0 or 2.0. The last
two are where FastAPI and what is built on it, and BentoML, publish theirs."""
REFUSED = (401, 403)
NOT_THERE = (404, 405)
ROWS_TRIED = 5
"""So many more rows are tried before it is said that none is scored."""
KEY_HINT = "Give the key with --key-file or in SLIPWAY_KEY"


@dataclass(frozen=True, slots=True)
class Source:
    """What the endpoint is judged by."""

    path: str = ""
    """Where its document is, below the root; empty: the first of `PLACES` that has one."""
    schema: Json | None = None
    """The JSON Schema of one row, judged as if published; or a whole document, used instead of the endpoint's."""


PUBLISHED = Source()


def fetch(target: Target, source: Source = PUBLISHED) -> Described:
    """The endpoint's document, read.

    Raises Violation when there is no usable document, ServiceUnavailable when nothing listens, NoVerdict when the
    document asks for another key, SpecInvalid for a schema that does not fit.
    """
    root = urlsplit(target.url).path
    if source.schema is not None and is_document(source.schema):
        return describe(whole(dict(source.schema)), root, f"{target.url}{source.path or DOCUMENT}", target.path)
    exchange = _published(target, source)
    document = _document(exchange)
    document = with_schema(document, source.schema, target.path) if source.schema else document
    try:
        return describe(document, root, f"{target.url}{exchange.path}", target.path)
    except Violation as e:
        raise Violation(e.evidence, *(e.requests or (exchange,)), cause=e.cause) from e


def admit(probe: Probe) -> None:
    """Send one valid row with the key, to where the document's paths may begin until something is there, and by each
    scheme of the document until one is let in.

    Raises NoVerdict where that shows that nothing could be proven so.
    """
    if not probe.described.signature.used:
        return
    try:
        exchange = _arrived(probe)
    except Violation:
        return  # a hang or a broken connection is for the checks to judge
    target = probe.target
    if exchange.status in REFUSED and (exchange := _let_in(probe)).status in REFUSED:
        raise _key_refused(exchange, target)  # twice: one that is refused at times is for the checks to judge
    if exchange.status == 404 and (name := target.headers.get(DEPLOYMENT_HEADER)):
        raise NoVerdict(f"{target.url} has no deployment '{name}': {exchange.shown}")
    if exchange.status != 200:
        probe.shut = _shut(probe)


def _shut(probe: Probe) -> Violation | NoVerdict | None:
    """Why nothing can be said of how rows are scored: none is, whichever it is; None where some are."""
    for _ in range(ROWS_TRIED):
        try:
            exchange = probe.post(probe.body(probe.sample(1)))
        except Violation:
            return None
        if exchange.status == 200:
            return None
    if exchange.status in BLAMED and not probe.described.strict:
        hint = "Use --schema to describe a row"
        what = "The document does not say what a row contains, and no row made from it was accepted"
        return NoVerdict(f"{what} ({exchange.shown}); {hint}", hint=hint)
    return refused(exchange)


def _arrived(probe: Probe) -> Exchange:
    """The answer at the first base where there is something, else at the first."""
    first, *others = probe.described.home.bases
    answer = _let_in(probe)
    if answer.status not in NOT_THERE:
        return answer
    for base in others:
        probe.move(base)
        if (exchange := _let_in(probe)).status not in NOT_THERE:
            return exchange
    probe.move(first)
    return answer


def _let_in(probe: Probe) -> Exchange:
    row, described = probe.sample(1), probe.described
    schemes = [each for scheme in described.schemes for each in (scheme, *([scheme.bare] if scheme.unsaid else []))]
    for scheme in schemes or [described.scheme]:
        probe.described = replace(described, schemes=(scheme,) if described.schemes else ())
        exchange = probe.post(probe.body(row))
        if exchange.status not in REFUSED:
            break
    return exchange


def _published(target: Target, source: Source) -> Exchange:
    """The answer that holds the document."""
    client = Client(target)
    missing: list[Exchange] = []
    try:
        for path in _places(source):
            exchange = _get(client, target, path)
            if exchange.status == 200:
                return exchange
            if exchange.status in REFUSED:
                raise _key_refused(exchange, target)
            missing.append(exchange)
    finally:
        client.close()
    told = ", ".join(dict.fromkeys(f"{each.path.partition('?')[0]} got {each.status}" for each in missing))
    raise Violation(f"{target.url} publishes no document ({told}); use --schema to give one", missing[0])


def _get(client: Client, target: Target, path: str) -> Exchange:
    credential = BEARER.credential(target.key) if target.key else None
    try:
        return client.send("GET", path, None, {}, credential)
    except Violation as e:
        if isinstance(e.__cause__, HTTPException | ConnectionError):
            hint = "Is it https:// rather than http://?"
            raise NoVerdict(f"{target.url} closed the connection instead of answering GET {path}", hint=hint) from e
        raise


def _places(source: Source) -> Iterator[str]:
    yield from (source.path,) if source.path else PLACES


def _document(exchange: Exchange) -> dict[str, Any]:
    document = exchange.json()
    if not isinstance(document, dict) or not is_document(document):
        raise Violation(f"Not an OpenAPI document: {exchange.shown}", exchange)
    return whole(document)


def _key_refused(exchange: Exchange, target: Target) -> NoVerdict:
    what = f"{exchange.method} {target.url}{exchange.path}"
    if target.key:
        return NoVerdict(f"{what} rejected the key: {exchange.shown}", hint="Is it the key of this endpoint?")
    return NoVerdict(f"{what} asks for a key: {exchange.shown}", hint=KEY_HINT)
