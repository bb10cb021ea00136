"""How two runs differ: in what they were given, step by step, and in the numbers that came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.run import PipelineRun, StepRun
from core.ui.pipelines import values


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: whose it is (a step, or nothing for the run), what, and both values."""

    step: str
    what: str
    one: Any
    other: Any


def differences(one: PipelineRun, other: PipelineRun) -> tuple[Difference, ...]:
    """What two runs were given and what their steps depended on, where it differs."""
    found = []
    if one.version != other.version:
        found.append(Difference("", "version", one.version, other.version))
    found += _unequal("", one.parameters, other.parameters)
    for name, mine, theirs in _pairs(one, other):
        found += _unequal(name, mine.parts if mine else {}, theirs.parts if theirs else {}, short=True)
    return tuple(found)


def results(one: PipelineRun, other: PipelineRun) -> tuple[Difference, ...]:
    """The numbers that their steps gave, side by side, also where they are equal."""
    found = []
    for name, mine, theirs in _pairs(one, other):
        left, right = _numbers(mine), _numbers(theirs)
        found += [Difference(name, what, left.get(what), right.get(what)) for what in {**left, **right}]
    return tuple(found)


def steps(one: PipelineRun, other: PipelineRun) -> tuple[tuple[str, StepRun | None, StepRun | None], ...]:
    """Every step of either run, in order, as it stands in both."""
    return tuple(_pairs(one, other))


def _pairs(one: PipelineRun, other: PipelineRun) -> list[tuple[str, StepRun | None, StepRun | None]]:
    mine, theirs = {s.name: s for s in one.steps}, {s.name: s for s in other.steps}
    return [(name, mine.get(name), theirs.get(name)) for name in {**mine, **theirs}]


def _unequal(step: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], *, short: bool = False) -> list[Difference]:
    return [
        Difference(step, what, _value(mine.get(what), short), _value(theirs.get(what), short))
        for what in {**mine, **theirs}
        if mine.get(what) != theirs.get(what)
    ]


def _value(value: Any, short: bool) -> Any:
    """A digest is told by its beginning."""
    return value[:12] if short and isinstance(value, str) else value


def _numbers(step: StepRun | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in (step.outputs if step is not None else {}).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
        else:
            found |= {metric: number for metric, number in values.metrics(value).items() if metric not in found}
    return found
