"""Whether answers to rows from everywhere keep to what the document says of a reply: bounds, labels, shapes."""

from core.checks.asking.batches import each_from_everywhere
from core.checks.asking.everywhere import Rows
from core.checks.document.allowed import validator
from core.checks.document.description import reply_schema
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.probe import Probe
from core.checks.registry import check


@check("semantic", "Answers to rows from all over the allowed range match the bounds and labels in the document.")
def answers_keep_to_the_document(probe: Probe) -> str:
    document = probe.described.document
    schema = reply_schema(document, probe.described.score_path)
    if not schema:
        raise NotApplicable("the document does not describe a reply")
    held = validator(document, schema)

    def judge(rows: Rows) -> None:
        for batch in [[row] for row in rows] if probe.described.one_row else [rows]:
            for method in probe.described.methods or (None,):
                exchange = probe.post(probe.body(batch, method))
                problem = next(held.iter_errors(exchange.json()), None) if exchange.status == 200 else None
                if problem is not None:
                    told = problem.message[:SHOWN_CHARS]
                    raise Violation(f"The document does not allow this reply: {told}; {exchange.shown}", exchange)

    try:
        judge(probe.sample(1))
    except Violation as e:
        raise NotApplicable("one row close to the example shows it: see response_schema_conformance") from e
    return f"{each_from_everywhere(probe, judge):,} rows: every reply matches the document"


SHOWN_CHARS = 120
