"""Headers that the document promises: on every status for which it declares them."""

from collections.abc import Iterator

from core.checks.asking.refusals import refusals, valid_body
from core.checks.outcome import HEADERS, NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import check


@check("wire", "A header that the document marks as required is in every answer for which it is declared.")
def required_headers_come(probe: Probe) -> str:
    declared = probe.described.required_headers
    if not declared:
        raise NotApplicable("the document marks no response header as required")
    seen: dict[str, None] = {}
    for exchange in _answers(probe):
        for name in declared.get(probe.described.declared_as(exchange.status), ()):
            if name.lower() not in exchange.reply_headers:
                raise Violation(f"No {name}, which the document requires: {exchange.shown}", exchange, cause=HEADERS)
            seen[f"{name} on {exchange.status}"] = None
    if not seen:
        raise NotApplicable("no answer had a status code for which the document requires a header")
    return f"{', '.join(seen)}: they came"


def _answers(probe: Probe) -> Iterator[Exchange]:
    """Answers of the scoring operation: to a valid row, and refusals of every kind."""
    yield probe.post(valid_body(probe))
    path = probe.described.score_path
    yield from (each for each in refusals(probe) if (each.method, each.path) == ("POST", path))
