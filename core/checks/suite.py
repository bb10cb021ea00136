"""Prove an endpoint from its address and key: fetch its document, run every check, tell each outcome as it lands."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from core.checks import contract, semantic, wire
from core.checks.document import Described, describe
from core.checks.probe import Client, Credential, Exchange, Probe
from core.checks.registry import DEPTHS, PARTS, Check, Depth, Profile, Violation, entered, judge, result
from core.contract import samples
from core.domain.errors import NoVerdict, ServiceUnavailable, SpecInvalid
from core.domain.proof import CheckResult, Target

DOCUMENT = "/swagger.json"
VERSIONS = ("?version=3.1", "?version=3", "")
"""Most telling first: only OpenAPI 3.1 can type a row that is an array; Azure's services stop at 3.0 or 2.0."""
BODIES = 200
"""Different bodies of one load: enough that no cache or branch predictor knows them all."""

_ROOMS = (contract, semantic, wire)  # importing a room enters its checks


def catalogue(profile: Profile | None = None) -> tuple[Check, ...]:
    """Every check that judges in this profile (None: in any) by part, in the order in which they run."""
    return entered(profile)


def run_checks(
    target: Target,
    *,
    depth: str = "default",
    seed: int = 0,
    on_check: Callable[[CheckResult], None] = lambda result: None,
    parts: Collection[str] = PARTS,
    profile: Profile = Profile.STRICT,
) -> tuple[CheckResult, ...]:
    """Judge the endpoint by its own document; `on_check` hears each result as soon as it is known.

    Sends a few hundred requests (default depth: about 10 s) and changes nothing. The same seed sends the same rows.
    Raises SpecInvalid for an unknown depth or part, NoVerdict when nothing listens or the proof itself cannot run.
    """
    if depth not in DEPTHS or not set(parts) <= set(PARTS):
        raise SpecInvalid(f"Depths are {', '.join(DEPTHS)} and parts {', '.join(PARTS)}, got '{depth}', {list(parts)}")
    chosen = [check for check in catalogue(profile) if check.part in parts]
    results = []
    for outcome in _outcomes(target, chosen, DEPTHS[depth], seed, profile):
        results.append(outcome)
        on_check(outcome)
    return tuple(results)


def _outcomes(
    target: Target, chosen: Sequence[Check], depth: Depth, seed: int, profile: Profile
) -> Iterator[CheckResult]:
    try:
        described = fetch(target)
    except ServiceUnavailable as e:
        raise NoVerdict(e.message, hint=e.hint) from e
    except Violation as e:
        yield from _without_document(chosen, target, e)
        return
    probe = Probe(target, described, seed=seed, depth=depth, profile=profile)
    try:
        for check in chosen:
            yield judge(check, probe)
    finally:
        probe.close()


def bodies_for(target: Target, rows: int, *, count: int = BODIES, seed: int = 0) -> tuple[bytes, ...]:
    """`count` different valid request bodies of `rows` rows each, made from the endpoint's own document.

    Raises ServiceUnavailable when nothing listens, NoVerdict when the document does not describe what to send.
    """
    try:
        described = fetch(target)
    except Violation as e:
        raise NoVerdict(e.evidence, hint=f"See {target.url}{DOCUMENT}") from e
    if not described.signature.used:
        raise NoVerdict("The document describes no columns to make rows of", hint=f"See {target.url}{DOCUMENT}")
    made = samples.rows(described.signature, rows * count, seed)
    return tuple(samples.body(made[at : at + rows], described.primary_form) for at in range(0, rows * count, rows))


def fetch(target: Target) -> Described:
    """The endpoint's document, read: the first of `VERSIONS` that it publishes.

    Raises Violation when neither is a usable document, ServiceUnavailable when nothing listens.
    """
    client = Client(target)
    credential = Credential.bearer(target.key) if target.key else None
    try:
        for query in VERSIONS:
            exchange = client.send("GET", DOCUMENT + query, None, {}, credential)
            if exchange.status == 200:
                break
    finally:
        client.close()
    return describe(_document(exchange))


def _document(exchange: Exchange) -> dict[str, Any]:
    if exchange.status != 200:
        raise Violation(f"The document is not there: {exchange.shown}", exchange)
    document = exchange.json()
    if not isinstance(document, dict) or not {"openapi", "swagger"} & document.keys():
        raise Violation(f"Not an OpenAPI document: {exchange.shown}", exchange)
    return document


def _without_document(chosen: Sequence[Check], target: Target, problem: Violation) -> Iterator[CheckResult]:
    """The unusable document as a violation, whatever parts were asked for; nothing else can be judged."""
    document = next(check for check in catalogue() if check.name == contract.document_is_usable.__name__)
    curl = "\n".join(request.curl(target) for request in problem.requests)
    yield result(document, False, problem.evidence, curl)
    for check in chosen:
        if check is not document:
            yield result(check, None, "not applicable: there is no usable document")
