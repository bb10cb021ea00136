"""`endpoint`: drift, predictions, and how good answers were, by what is kept of them."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.show import as_text
from core.definitions.feedback import read_feedback
from core.domain.counting import counted
from core.domain.drift import PSI_LIMIT, SCORE_LIMIT, ColumnDrift, DriftReport, DriftVerdict, Predictions
from core.domain.errors import SpecInvalid
from core.domain.outcomes import FeedbackReceipt, LiveQuality, Measured
from core.domain.outcomes import Outcome as ActualOutcome

NAME = arg("name", metavar="ENDPOINT")
DAY = arg("--window", type=float, default=86_400.0, metavar="SECONDS", help="(default: %(default)s, a day)")
MONTH = arg("--window", type=float, default=30 * 86_400.0, metavar="SECONDS", help="(default: %(default)s, 30 days)")
DEPLOYMENT = arg("--deployment", default="", metavar="NAME", help="(default: that with the most traffic)")
SCORE = "the score"
WORDS = {
    DriftVerdict.MATTERS: "drifted, and it matters",
    DriftVerdict.DRIFTED: "drifted",
    DriftVerdict.SAME: "as in training",
    DriftVerdict.TOO_FEW: "too few rows",
}


def _drift(context: Context, options: Namespace) -> Outcome:
    report = context.workspace.records.drift(options.name, options.window, deployment=options.deployment)
    return Outcome(report, DONE, drift_text(report))


def drift_text(report: DriftReport) -> str:
    """For people: a line a column, and what has to be known of it all."""
    compared = (
        f"{counted(report.rows, 'row')} in {counted(report.requests, 'request')} to deployment '{report.deployment}' "
        f"against {counted(report.training_rows, 'row')} that {report.model}:{report.model_version} was trained on"
    )
    columns = [*report.columns, *([report.score] if report.score else [])]
    lines = [compared, "", as_text([_column(column) for column in columns])] if columns else [compared]
    return "\n".join([*lines, *_notes(report)])


def _column(column: ColumnDrift) -> dict[str, Any]:
    return {
        "column": column.column or SCORE,
        "verdict": WORDS[column.verdict],
        "psi": _figure(column.psi),
        "limit": _figure(column.limit),
        "p_value": "-" if column.p_value is None else f"{column.p_value:.2g}",
        "effect": _figure(column.effect),
        "importance": "-" if column.importance is None else f"{column.importance:.0%}",
        "began_at": column.began,
    }


def _notes(report: DriftReport) -> Iterator[str]:
    if not report.enough:
        yield f"With fewer than {report.rows_needed} rows nothing is said."
    for column in report.columns:
        if column.unseen:
            named = ", ".join(f"'{text}' ({rows})" for text, rows in column.unseen.items())
            yield f"Never seen in training, {column.column}: {named}."
    if report.masked:
        yield f"Not kept, so that nothing is said of them: {', '.join(report.masked)}."
    if report.sampled_pct < 100:
        yield f"Of {report.sampled_pct:g} % of the requests the inputs were kept."


def _drift_limit(context: Context, options: Namespace) -> Outcome:
    column = "" if options.score else options.column
    if not options.score and not column:
        raise SpecInvalid("Name a column, or --score")
    limit = None if options.limit == "default" else _limit(options.limit)
    context.workspace.records.set_drift_limit(options.name, column, limit)
    usual = PSI_LIMIT if column else SCORE_LIMIT
    set_to = usual if limit is None else limit
    value = {"endpoint": options.name, "column": column, "limit": set_to, "default": limit is None}
    what = f"Column '{column}'" if column else "The score"
    return Outcome(value, DONE, f"{what} of '{options.name}' counts as drifted above a PSI of {set_to:g}")


def _limit(text: str) -> float:
    try:
        return float(text)
    except ValueError as e:
        raise SpecInvalid(f"'{text}' is no number", hint="A limit is a number above 0, or 'default'") from e


def _predictions(context: Context, options: Namespace) -> Outcome:
    told = context.workspace.records.predictions(
        options.name, options.window, options.buckets, deployment=options.deployment
    )
    return Outcome(told, DONE, predictions_text(told))


def predictions_text(told: Predictions) -> str:
    """For people: a line an interval that has rows, and the scores beside those of training."""
    first = f"{counted(told.rows, 'row')} answered by deployment '{told.deployment}'"
    if not told.rows:
        return first
    name = f"mean probability of {told.positive}" if told.positive else "mean score"
    times = [
        {"at": bucket.at, "rows": bucket.rows, **dict(sorted(bucket.by_class.items())), name: _figure(bucket.mean)}
        for bucket in told.buckets
        if bucket.rows
    ]
    classes = sorted({each for bucket in told.buckets for each in bucket.by_class})
    trained = told.training or [None] * len(told.histogram)
    scores = [
        {
            "score": f"{told.edges[at]:.4g} to {told.edges[at + 1]:.4g}",
            "rows": rows,
            "share": f"{rows / told.rows:.1%}",
            "in training": "-" if share is None else f"{share:.1%}",
        }
        for at, (rows, share) in enumerate(zip(told.histogram, trained, strict=True))
    ]
    over_time = as_text([{key: line.get(key, 0) for key in ("at", "rows", *classes, name)} for line in times])
    return "\n".join([first, "", over_time, "", as_text(scores)])


def _feedback(context: Context, options: Namespace) -> Outcome:
    receipt = context.workspace.records.send_feedback(options.name, _outcomes(options.file))
    return Outcome(receipt, DONE, feedback_text(receipt))


def _outcomes(path: Path) -> Sequence[ActualOutcome]:
    """Of a CSV or a Parquet file with the columns request_id, row and outcome. Raises SpecInvalid."""
    try:
        content = path.read_bytes()
    except OSError as e:
        raise SpecInvalid(f"{path} cannot be read: {e.strerror}", hint="Name a CSV or Parquet file") from e
    if path.suffix.lower() != ".parquet":
        return read_feedback(content)
    import pyarrow as pa  # a CSV needs none of it
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(content))
    except pa.ArrowException as e:
        raise SpecInvalid(f"{path.name} is no Parquet file: {e}") from e
    if missing := {"request_id", "outcome"} - set(table.column_names):
        raise SpecInvalid(f"{path.name} has no column {' and no column '.join(sorted(missing))}")
    rows = table["row"].to_pylist() if "row" in table.column_names else [0] * len(table)
    found = zip(table["request_id"].to_pylist(), rows, table["outcome"].to_pylist(), strict=True)
    return [ActualOutcome(_said(request), _whole(row, path), _said(actual)) for request, row, actual in found]


def _whole(row: Any, path: Path) -> int:
    """A row as a whole number, also where it was written as 1.0. Raises SpecInvalid."""
    if isinstance(row, int | float) and not isinstance(row, bool) and row == row // 1:
        return int(row)
    raise SpecInvalid(f"{path.name} has a row that is no whole number: {row}", hint="Rows are counted from 0")


def _said(actual: Any) -> str:
    return str(actual).lower() if isinstance(actual, bool) else "" if actual is None else str(actual)


def feedback_text(receipt: FeedbackReceipt) -> str:
    """For people: how many outcomes met an answer, and which did not."""
    lines = [f"{receipt.matched:,} of {counted(receipt.received, 'outcome')} belong to kept answers and were kept"]
    if receipt.replaced:
        lines.append(f"{receipt.replaced:,} of them replace what was told before")
    if receipt.unmatched:
        lines.append(f"{receipt.unmatched:,} belong to none" + (", for example:" if receipt.examples else ""))
        lines += [f"  {each.request_id} row {each.row}: {each.reason}" for each in receipt.examples]
    return "\n".join(lines)


def _quality(context: Context, options: Namespace) -> Outcome:
    told = context.workspace.records.quality(options.name, options.window, deployment=options.deployment)
    return Outcome(told, DONE, quality_text(told))


def quality_text(told: LiveQuality) -> str:
    """For people: each metric with its interval beside training's, and the calibration."""
    first = f"{counted(told.rows, 'row')} with a known outcome, of {told.scored:,} that '{told.deployment}' scored"
    if told.reason:
        return f"{first}\n{told.reason}"
    metrics = [
        {"metric": name, "live": f"{measured.value:.4f}", "95 % interval": _interval(measured),
         "in training": f"{told.trained[name]:.4f}" if name in told.trained else "-"}
        for name, measured in told.metrics.items()
    ]  # fmt: skip
    if told.cost is not None:
        cost = {"metric": "mean cost", "live": f"{told.cost.value:.4g}", "95 % interval": _interval(told.cost)}
        metrics.append({**cost, "in training": "-"})
    lines = [first, "", as_text(metrics)]
    if told.calibration:
        bins = [
            {"predicted": f"{each.predicted:.3f}", "came": f"{each.actual.value:.3f}",
             "95 % interval": _interval(each.actual), "rows": each.rows}
            for each in told.calibration
        ]  # fmt: skip
        lines += ["", as_text(bins)]
    return "\n".join(lines)


def _interval(measured: Measured) -> str:
    return f"{measured.low:.4g} to {measured.high:.4g}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


WATCHING = (
    Command("endpoint drift", "compare recent inputs with the training data", _drift, (NAME, DAY, DEPLOYMENT)),
    Command(
        "endpoint drift-limit",
        "how far a column may move before it counts as drifted",
        _drift_limit,
        (
            NAME,
            arg("column", nargs="?", default="", metavar="COLUMN", help="that the models read"),
            arg("--score", action="store_true", help="that of the score, in the place of a column's"),
            arg("--limit", required=True, metavar="PSI", help="a population stability index above 0, or 'default'"),
        ),
    ),
    Command(
        "endpoint predictions",
        "what it answered, over time and by score",
        _predictions,
        (NAME, DAY, arg("--buckets", type=int, default=24, help="intervals (default: %(default)s)"), DEPLOYMENT),
    ),
    Command(
        "endpoint feedback",
        "record what really happened to scored rows",
        _feedback,
        (NAME, arg("file", type=Path, metavar="FILE", help="CSV or Parquet: request_id, row, outcome")),
    ),
    Command(
        "endpoint quality",
        "how good its answers were, by what really happened",
        _quality,
        (NAME, MONTH, DEPLOYMENT),
    ),
)
"""Commands of the noun `endpoint`."""
