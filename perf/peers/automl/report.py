"""The comparison in Markdown: where ours is ahead, where it is behind, and what each engine costs."""

from collections.abc import Mapping, Sequence
from statistics import mean

from perf.peers.automl.engines import Contender
from perf.peers.automl.judging import FIGURES
from perf.peers.automl.verdicts import EVERY, Difference, Outcome, Verdict, singles

NAMES = {"auc": "AUC", "log_loss": "log loss"}


def markdown(
    outcomes: Sequence[Outcome],
    contenders: Sequence[Contender],
    verdict: Verdict,
    sizes_mb: Mapping[str, float],
) -> str:
    """All tables and lists, one after the other."""
    parts = [_summary(contenders, verdict, sizes_mb)]
    for own in (c for c in contenders if c.engine.ours and c.name in verdict.lines):
        parts += [_by_table(outcomes, contenders, own, verdict, figure) for figure in FIGURES]
        parts += [_losses(verdict, own, contenders), _single(outcomes, own)]
    parts.append(_problems(outcomes, contenders))
    return "\n\n".join(part for part in parts if part) + "\n"


COLUMNS = {
    "engine": "label",
    "mean rank by AUC": "rank_auc",
    "mean rank by log loss": "rank_log_loss",
    "mean AUC": "auc",
    "mean log loss": "log_loss",
    "beyond its budget: median (most), s": "overrun_s",
    "processor time a run, s": "cpu_s",
    "one row, ms of processor time": "one_row_ms",
    "model: median (largest), MB": "model_mb",
    "installed, MB": "size_mb",
}
"""What a column of the summary is called, and which cell stands in it."""
SHORT = ("overrun_s", "cpu_s")
"""Left out of the short summary."""


def short_markdown(contenders: Sequence[Contender], verdict: Verdict, sizes_mb: Mapping[str, float]) -> str:
    """A line an engine, and where ours is surely behind."""
    told = [_losses(verdict, own, contenders) for own in contenders if own.engine.ours]
    return "\n\n".join([_summary(contenders, verdict, sizes_mb, short=True), *told])


def _summary(
    contenders: Sequence[Contender], verdict: Verdict, sizes_mb: Mapping[str, float], *, short: bool = False
) -> str:
    shown = {heading: cell for heading, cell in COLUMNS.items() if not (short and cell in SHORT)}
    lines = [f"| {' | '.join(shown)} |", "|---" * len(shown) + "|"]
    for contender in contenders:
        if contender.name in verdict.lines:
            cells = _cells(contender, verdict, sizes_mb)
            lines.append(f"| {' | '.join(cells[cell] for cell in shown.values())} |")
    return "\n".join(lines)


def _cells(contender: Contender, verdict: Verdict, sizes_mb: Mapping[str, float]) -> dict[str, str]:
    line, ranks = verdict.lines[contender.name], verdict.ranks
    size_mb = sizes_mb.get(contender.engine.name)
    return {
        "label": contender.label,
        **{f"rank_{f}": f"{of[contender.name]:.2f}" if contender.name in of else "" for f, of in ranks.items()},
        "auc": f"{line['auc']:.4f}",
        "log_loss": f"{line['log_loss']:.4f}",
        "overrun_s": f"{line['overrun_s']:+.1f} ({line['overrun_max_s']:+.1f})",
        "cpu_s": f"{line['cpu_s']:.0f}",
        "one_row_ms": f"{line['one_row_ms']:.3g}",
        "model_mb": f"{line['model_mb']:.3g} ({line['model_max_mb']:.3g})",
        "size_mb": f"{size_mb:,.0f}" if size_mb is not None else "",
    }


def _by_table(
    outcomes: Sequence[Outcome], contenders: Sequence[Contender], own: Contender, verdict: Verdict, figure: str
) -> str:
    """A line a table: ours, and each other with the difference of ours from it."""
    others = [c for c in contenders if c.name != own.name and c.name in verdict.lines]
    lines = [f"Test {NAMES[figure]}; in parentheses how far {own.label} is above it, with 95 % bounds:", ""]
    lines.append(f"| table | {' | '.join([own.label, *(c.label for c in others)])} |")
    lines.append("|---" * (len(others) + 2) + "|")
    for outcome in outcomes:
        cells = [_mean(outcome, own.name, figure)]
        for other in others:
            found = verdict.of(outcome.table.name, own.name, other.name, figure)
            cells.append(f"{_mean(outcome, other.name, figure)}{_bounds(found)}")
        lines.append(f"| {outcome.table.name} | {' | '.join(cells)} |")
    whole = [(c, verdict.of(EVERY, own.name, c.name, figure)) for c in others]
    if any(found for _, found in whole):
        cells = [f"{verdict.lines[c.name][figure]:.4f}{_bounds(found)}" if found else "" for c, found in whole]
        lines.append(f"| {EVERY} | {' | '.join([f'{verdict.lines[own.name][figure]:.4f}', *cells])} |")
    return "\n".join(lines)


def _mean(outcome: Outcome, name: str, figure: str) -> str:
    values = outcome.values(name, figure)
    return f"{mean(values):.4f}" if values else "failed"


def _bounds(found: Difference | None) -> str:
    if found is None:
        return ""
    at = found.interval
    text = f"{at.value:+.4f}: {at.low:+.4f} to {at.high:+.4f}"
    return f" (**{text}**)" if at.sign else f" ({text})"


def _losses(verdict: Verdict, own: Contender, contenders: Sequence[Contender]) -> str:
    """Where another is better beyond the bounds; said too where there is no such place."""
    labels = {c.name: c.label for c in contenders}
    lost = [d for d in verdict.differences if d.ours == own.name and d.better < 0]
    if not lost:
        return f"No engine is significantly better than {own.label} on any of these tables."
    lines = (f"- {d.table}: {labels[d.other]} has the better {NAMES[d.figure]}, by {_by(d)}" for d in lost)
    return "\n".join([f"Where {own.label} is significantly behind:", "", *lines])


def _by(difference: Difference) -> str:
    """Without a sign."""
    at = difference.interval
    low, high = sorted((abs(at.low), abs(at.high)))
    return f"{abs(at.value):.4f} ({low:.4f} to {high:.4f})"


def _single(outcomes: Sequence[Outcome], own: Contender) -> str:
    found = singles(outcomes, own.name)
    if not found:
        return ""
    told = "; ".join(f"{line['table']} {line['auc']:+.4f} ({line['log_loss']:+.4f})" for line in found)
    return f"{own.label}'s winner against its best trial that is no ensemble, test AUC (log loss): {told}."


def _problems(outcomes: Sequence[Outcome], contenders: Sequence[Contender]) -> str:
    labels = {c.name: c.label for c in contenders}
    told = [
        f"- {labels[name]} on {outcome.table.name}, {split.name}: {run.problem}"
        for outcome in outcomes
        for name, runs in outcome.runs.items()
        for split, run in zip(outcome.splits, runs, strict=True)
        if run and run.problem
    ]
    return "\n".join(["Runs that failed, which rank last:", "", *told]) if told else ""
