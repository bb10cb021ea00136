"""The comparison for people: a table in Markdown, the same on the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from perf.gate.compare import Result
from perf.gate.judge import Bounds, Kind
from perf.gate.revisions import Revisions

ORDER = (Kind.SLOWER, Kind.UNDECIDED, Kind.FASTER, Kind.SAME, Kind.NEW)
"""What needs looking at first."""
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing two revisions."""

    revisions: Revisions
    results: Sequence[Result]
    threshold_pct: float
    took_s: float
    other: str = "base"
    """What the head was compared with: the `base`, or an `anchor`."""


def markdown(comparison: Comparison) -> str:
    """A heading, what was compared, a row per benchmark, and what the verdicts mean."""
    revisions, other = comparison.revisions, comparison.other
    lines = [
        f"# {headline(comparison)}",
        "",
        f"Head `{revisions.head[:12]}` against {other} `{revisions.base[:12]}` ({revisions.why}), "
        f"{comparison.took_s:.0f} s.",
        "",
        f"| verdict | benchmark | head / {other} | 99 % bounds | {other} |",
        "|---|---|---|---|---|",
        *(_row(result) for result in sorted(comparison.results, key=lambda r: ORDER.index(r.kind))),
        "",
        f"*slower*: the lower bound is above +{comparison.threshold_pct:g} %. The {other}'s column is the time of one "
        "call.",
    ]
    return "\n".join(lines) + "\n"


def headline(comparison: Comparison) -> str:
    """The outcome in one line."""
    counts = {kind: sum(result.kind is kind for result in comparison.results) for kind in ORDER}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"Performance against the {comparison.other}: {told or 'nothing to compare'}"


def _row(result: Result) -> str:
    ratio, bounds = _change(result.bounds), _interval(result.bounds)
    name = f"{result.name}<br>{result.reason}" if result.reason else result.name
    return f"| {result.kind} | {name} | {ratio} | {bounds} | {duration(result.base_s)} |"


def _change(bounds: Bounds) -> str:
    return f"{100 * (bounds.ratio - 1):+.1f} %" if bounds.high > 0 else "-"


def _interval(bounds: Bounds) -> str:
    if bounds.low <= 0:
        return "-"
    return f"{100 * (bounds.low - 1):+.1f} to {100 * (bounds.high - 1):+.1f} %"


def duration(seconds: float) -> str:
    """Seconds with three digits and a unit that fits."""
    if seconds <= 0:
        return "-"
    scale, unit = next(((scale, unit) for scale, unit in UNITS if seconds >= scale), UNITS[-1])
    return f"{seconds / scale:.3g} {unit}"
