"""From kept runs to what is reported: ranks, differences with their bounds, and one line of figures an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

from perf.peers.automl.engines import Contender
from perf.peers.automl.judging import FIGURES, Interval, Resampled, Scored, mean_difference, mean_ranks
from perf.peers.automl.kept import Run
from perf.peers.automl.tables import Split, Table

EVERY = "mean of the tables"
"""In a difference, in place of a table's name."""


@dataclass(frozen=True)
class Outcome:
    """One table: its splits, and each contender's run of each; None where it was not made."""

    table: Table
    splits: Sequence[Split]
    runs: Mapping[str, Sequence[Run | None]]

    def values(self, contender: str, figure: str) -> list[float]:
        return [run.facts[figure] for run in self.runs[contender] if run and not run.problem]


@dataclass(frozen=True)
class Difference:
    """By how much ours is above another on one table. `better`: 1, 0 (no difference shown) or -1, ours against it."""

    table: str
    ours: str
    other: str
    figure: str
    interval: Interval

    @property
    def better(self) -> int:
        return self.interval.sign * (1 if self.figure == "auc" else -1)


@dataclass(frozen=True)
class Verdict:
    """Everything that the report tells."""

    differences: Sequence[Difference]
    ranks: Mapping[str, Mapping[str, float]]
    """Figure -> contender -> mean rank."""
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Contender -> its figures over all runs."""

    def of(self, table: str, ours: str, other: str, figure: str) -> Difference | None:
        wanted = (table, ours, other, figure)
        return next((d for d in self.differences if (d.table, d.ours, d.other, d.figure) == wanted), None)


def judge(outcomes: Sequence[Outcome], contenders: Sequence[Contender]) -> Verdict:
    """The verdict on all that was run so far."""
    resampled = {
        outcome.table.name: _resampled(outcome, number) for number, outcome in enumerate(outcomes) if _any(outcome)
    }
    names = [c.name for c in contenders]
    pairs = [(own.name, other) for own in contenders if own.engine.ours for other in names if other != own.name]
    found = [
        Difference(table, own, other, figure, interval)
        for table, drawn in resampled.items()
        for own, other in pairs
        for figure in FIGURES
        if (interval := drawn.difference(own, other, figure))
    ]
    if len(resampled) > 1:
        found += [
            Difference(EVERY, own, other, figure, interval)
            for own, other in pairs
            for figure in FIGURES
            if (interval := mean_difference(list(resampled.values()), own, other, figure))
        ]
    ranks = {figure: mean_ranks(_rounds(outcomes, figure), higher_is_better=figure == "auc") for figure in FIGURES}
    lines = {c.name: line for c in contenders if (line := _line(outcomes, c.name))}
    return Verdict(found, ranks, lines)


def _any(outcome: Outcome) -> bool:
    return any(run and not run.problem for runs in outcome.runs.values() for run in runs)


def _resampled(outcome: Outcome, seed: int) -> Resampled:
    """Of all who have a result on any split of the table."""
    labels = outcome.table.labels
    scored = {
        name: [
            Scored(labels[split.test], run.probabilities) if run and run.probabilities is not None else None
            for split, run in zip(outcome.splits, runs, strict=True)
        ]
        for name, runs in outcome.runs.items()
    }
    able = {name: runs for name, runs in scored.items() if any(runs)}
    return Resampled(able, [split.test for split in outcome.splits], seed=seed)


def _rounds(outcomes: Sequence[Outcome], figure: str) -> list[dict[str, float | None]]:
    """One for each split of each table in which every contender had its turn."""
    rounds = []
    for outcome in outcomes:
        for at in range(len(outcome.splits)):
            turn = {name: runs[at] for name, runs in outcome.runs.items()}
            if all(turn.values()):
                rounds.append({n: None if run.problem else run.facts[figure] for n, run in turn.items() if run})
    return rounds


def _line(outcomes: Sequence[Outcome], name: str) -> dict[str, float]:
    """Means of the tables' means, so that no table counts more for having more splits; the rest over all runs."""
    every = [run.facts for outcome in outcomes for run in outcome.runs[name] if run and not run.problem]
    if not every:
        return {}
    figures = {f: mean(mean(v) for outcome in outcomes if (v := outcome.values(name, f))) for f in FIGURES}
    overruns = [facts["overrun_s"] for facts in every]
    figures |= {"overrun_s": median(overruns), "overrun_max_s": max(overruns)}
    for fact in ("cpu_s", "one_row_ms", "model_mb", "others_cpu_s"):
        figures[fact] = median(facts[fact] for facts in every)
    return figures | {"model_max_mb": max(facts["model_mb"] for facts in every), "runs": len(every)}


def singles(outcomes: Sequence[Outcome], name: str) -> list[dict[str, Any]]:
    """Per table: by how much our winner's test figures are above those of its best trial that is no ensemble."""
    found = []
    for outcome in outcomes:
        both = [run.facts for run in outcome.runs.get(name, ()) if run and "single" in run.facts]
        if both:
            by_figure = {f: mean(facts[f] - facts["single"][f] for facts in both) for f in FIGURES}
            found.append({"table": outcome.table.name, **by_figure})
    return found
