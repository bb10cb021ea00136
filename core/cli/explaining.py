"""What explains a trial: `job curves`, `job thresholds`, `job fold-metrics`, `job importance` and so on."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.show import as_text
from core.domain.errors import SpecInvalid
from core.domain.explanation import Explanation
from core.domain.signature import Scalar, Signature

TRIAL = (arg("job", metavar="JOB", help="a job's id"), arg("number", type=int, metavar="N", help="a trial's number"))
CLASS = arg("--class", dest="class_name", default="", metavar="CLASS", help="one class (default: the positive one)")
COLUMN = arg("column", metavar="COLUMN")
ROW = arg("--row", required=True, metavar="FILE", help="a file with one row as a JSON object; - is standard input")
SHOWN_EVERY = 50
"""Of the 1,001 thresholds a person is shown every so many."""


def read_row(path: str) -> dict[str, Any]:
    """One row as a JSON object. Raises SpecInvalid."""
    try:
        row = json.loads(sys.stdin.read() if path == "-" else Path(path).read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise SpecInvalid(f"{path} holds no JSON object: {e}", hint='One row: {"column": value, ...}') from e
    if not isinstance(row, dict):
        raise SpecInvalid(f"{path} holds no JSON object", hint='One row: {"column": value, ...}')
    return row


def told(found: Explanation, options: Namespace) -> Any:
    """An explanation: as it is for programs, column by column for people."""
    if options.json:
        return found
    ways = {"tree_shap": "", "linear_shap": "", "combined_shap": "", "permutation": " (estimated by permutation)"}
    whose = f" of {found.class_name}" if found.class_name is not None else ""
    rows: list[dict[str, Any]] = [{"column": "(an average row)", "contribution": found.base}]
    rows += [{"column": column, "contribution": value} for column, value in found.ranked]
    words = f"(together: {found.scale.replace('_', ' ')}{whose}{ways[found.method]})"
    return [*rows, {"column": words, "contribution": found.score}]


def named_class(signature: Signature, text: str) -> Scalar:
    """The class that was named: on the command line all of them are text."""
    return next((each for each in signature.classes if _said(each) == text), text)


def _class(context: Context, options: Namespace) -> Scalar | None:
    if not options.class_name:
        return None
    return named_class(context.workspace.jobs.signature(options.job), options.class_name)


def _said(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _curves(context: Context, options: Namespace) -> Any:
    found = context.workspace.jobs.curves(options.job, options.number)
    if options.json:
        return found
    rows = [{"name": str(c.name), "class": c.class_name, "area": c.area, "points": len(c.x)} for c in found.curves]
    if not found.confusion:
        return rows
    names = [_said(name) for name in found.classes]
    counts = [
        {"true": name, **dict(zip(names, row, strict=True))} for name, row in zip(names, found.confusion, strict=True)
    ]
    title = f"Confusion matrix of {found.rows:,} rows that the model never saw: true class down, predicted class across"
    return Outcome(found, DONE, "\n".join([as_text(rows), "", title, as_text(counts)]))


def _thresholds(context: Context, options: Namespace) -> Any:
    table = context.workspace.jobs.thresholds(options.job, options.number, _class(context, options))
    if options.json:
        return table
    names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    rows = [
        {"threshold": table.thresholds[at], **dict(zip(names, table.counts(at), strict=True)), **table.rates(at)}
        for at in range(0, len(table.thresholds), SHOWN_EVERY)
    ]
    return _under(f"The model predicts {table.class_name} from a probability of {table.threshold:.4g} up", rows)


def _metrics(context: Context, options: Namespace) -> Any:
    return [
        {"name": m.name, "value": m.value, "deviation": m.deviation, "by_fold": m.by_fold}
        for m in context.workspace.jobs.fold_metrics(options.job, options.number)
    ]


def _importance(context: Context, options: Namespace) -> Any:
    found = context.workspace.jobs.importance(options.job, options.number)
    if options.json:
        return found
    shap = f"; shap: the mean size of a contribution ({found.scale.replace('_', ' ')})" if found.scale else ""
    return _under(
        f"permutation: the loss of {found.metric}, on {found.rows:,} rows the model never saw{shap}", found.columns
    )


def _dependence(context: Context, options: Namespace) -> Any:
    jobs = context.workspace.jobs
    found = jobs.partial_dependence(options.job, options.number, options.column, _class(context, options))
    if options.json:
        return found
    points = zip(found.values, found.averages, found.low, found.high, strict=True)
    rows = [{found.column: value, "average": mean, "low": low, "high": high} for value, mean, low, high in points]
    what = "The predicted value" if found.class_name is None else f"The probability of {found.class_name}"
    return _under(f"{what} in {found.rows:,} rows, of which four fifths lie between low and high", rows)


def _fairness(context: Context, options: Namespace) -> Any:
    found = context.workspace.jobs.fairness(
        options.job, options.number, options.column, options.threshold, _class(context, options)
    )
    if options.json:
        return found
    return _under(f"{found.class_name} is predicted from a probability of {found.threshold:.4g} up", found.groups)


def _under(title: str, rows: Any) -> Outcome:
    """A table for people, below what it is about."""
    return Outcome(rows, DONE, f"{title}\n\n{as_text(rows)}")


def _explain(context: Context, options: Namespace) -> Any:
    row = read_row(options.row)
    found = context.workspace.jobs.explain(options.job, options.number, row, _class(context, options))
    return told(found, options)


def _winner(context: Context, options: Namespace) -> Any:
    found = context.workspace.jobs.winner(options.job)
    return found if options.json else found.sentence


COMMANDS = (
    Command("job winner", "why the best trial won, and over which ones it is significantly better", _winner, TRIAL[:1]),
    Command(
        "job curves",
        "ROC, precision-recall, calibration, lift and gains of a trial, and its confusion matrix",
        _curves,
        TRIAL,
    ),
    Command("job thresholds", "what a trial gets right and wrong at each threshold", _thresholds, (*TRIAL, CLASS)),
    Command(
        "job fold-metrics",
        "every metric of a trial, with its spread over the folds",
        _metrics,
        TRIAL,
        columns=("name", "value", "deviation", "by_fold"),
    ),
    Command("job importance", "which columns a trial goes by", _importance, TRIAL),
    Command(
        "job partial-dependence",
        "how a trial's prediction changes with one column",
        _dependence,
        (*TRIAL, COLUMN, CLASS),
    ),
    Command(
        "job fairness",
        "how a trial does on each group of a column",
        _fairness,
        (*TRIAL, COLUMN, arg("--threshold", type=float, metavar="SHARE", help="(default: the model's own)"), CLASS),
    ),
    Command(
        "job explain", "what each column contributes to one row's score by a trial", _explain, (*TRIAL, ROW, CLASS)
    ),
)
