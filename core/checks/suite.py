"""Prove an endpoint from its address and key: fetch its document, run every check, tell each outcome as it lands."""

from collections.abc import Callable, Collection, Iterator, Sequence

from core.checks.effort import DEPTHS, Depth, Profile
from core.checks.judging import judged, result
from core.checks.outcome import Violation
from core.checks.probe.probe import Probe
from core.checks.probe.source import DOCUMENT, PUBLISHED, Source, admit, fetch
from core.checks.proofs import PROOFS, contract
from core.checks.registry import PARTS, Check, entered
from core.contract import samples
from core.domain.errors import NoVerdict, ServiceUnavailable, SpecInvalid
from core.domain.proof import CheckResult, Target

BODIES = 200
"""Different bodies of one load: enough that no cache or branch predictor knows them all."""


def catalogue(profile: Profile | None = None) -> tuple[Check, ...]:
    """Every check that judges in this profile (None: in any) by part, in the order in which they run."""
    return entered([module.__name__ for module in PROOFS], profile)


def run_checks(
    target: Target,
    *,
    depth: str = "default",
    seed: int = 0,
    on_check: Callable[[CheckResult], None] = lambda result: None,
    parts: Collection[str] = PARTS,
    profile: Profile = Profile.STRICT,
    source: Source = PUBLISHED,
    proven: bool = False,
) -> tuple[CheckResult, ...]:
    """Judge the endpoint by its own document; `on_check` hears each result as soon as it is known.

    Sends a few hundred requests (default depth: about 10 s) and changes nothing. The same seed sends the same rows.
    `proven`: parity has shown that the served model is the trained one.
    Raises SpecInvalid for an unknown depth or part or a schema that does not fit, NoVerdict when nothing listens, the
    key is refused or the proof itself cannot run.
    """
    if depth not in DEPTHS or not set(parts) <= set(PARTS):
        raise SpecInvalid(f"Depths are {', '.join(DEPTHS)} and parts {', '.join(PARTS)}, got '{depth}', {list(parts)}")
    chosen = [check for check in catalogue(profile) if check.part in parts]
    results = []
    for outcome in _outcomes(target, chosen, DEPTHS[depth], seed, profile, source, proven):
        results.append(outcome)
        on_check(outcome)
    return tuple(results)


def _outcomes(
    target: Target, chosen: Sequence[Check], depth: Depth, seed: int, profile: Profile, source: Source, proven: bool
) -> Iterator[CheckResult]:
    try:
        described = fetch(target, source)
        depth = depth.for_columns(len(described.drawn.used))
        probe = Probe(target, described, seed=seed, depth=depth, profile=profile, proven=proven)
        admit(probe)
    except ServiceUnavailable as e:
        raise NoVerdict(e.message, hint=e.hint) from e
    except Violation as e:
        yield from _without_document(chosen, target, e)
        return
    try:
        yield from judged(chosen, probe)
    finally:
        probe.close()


def bodies_for(target: Target, rows: int, *, count: int = BODIES, seed: int = 0) -> tuple[bytes, ...]:
    """`count` different valid request bodies of `rows` rows each, made from the endpoint's own document.

    In the target's request form where the document allows it, else in the document's first.

    Raises ServiceUnavailable when nothing listens, NoVerdict when the document does not describe what to send.
    """
    try:
        described = fetch(target)
    except Violation as e:
        raise NoVerdict(e.evidence, hint=f"See {target.url}{DOCUMENT}") from e
    if not described.signature.used:
        raise NoVerdict("The document describes no columns to make rows from", hint=f"See {target.url}{DOCUMENT}")
    made = samples.rows(described.drawn, rows * count, seed)
    form = target.form if target.form in described.forms else described.primary_form
    return tuple(described.body(made[at : at + rows], None, form) for at in range(0, rows * count, rows))


def _without_document(chosen: Sequence[Check], target: Target, problem: Violation) -> Iterator[CheckResult]:
    """The unusable document as a violation, whatever parts were asked for; nothing else can be judged."""
    document = next(check for check in catalogue() if check.name == contract.document_is_usable.__name__)
    curl = "\n".join(request.curl(target) for request in problem.requests)
    yield result(document, False, problem.evidence, curl)
    for check in chosen:
        if check is not document:
            yield result(check, None, "not applicable: there is no usable document")
