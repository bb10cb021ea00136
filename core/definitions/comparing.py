"""Two runs side by side: what they were given, what their steps depended on, how they went, and what they gave."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.run import PipelineRun, StepRun


class Aspect(StrEnum):
    """What a row of a comparison is about."""

    RUN = "run"
    PARAMETER = "parameter"
    PART = "part"
    """Something that a step depends on: its code, an input, the live model. Both values are digests."""
    STATE = "state"
    DURATION = "duration"
    """In seconds; None where it has not begun."""
    REUSE = "reuse"
    """Whether its outputs are an earlier run's."""
    METRIC = "metric"
    """A number among the outputs, or in a table of numbers that is one of them."""
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class RunDifference:
    """One row: `step` is empty where it is about the run as a whole; None where a run has no such thing."""

    aspect: Aspect
    step: str
    name: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        """States, durations and metrics stand in a comparison also where they are equal."""
        return bool(self.first != self.second)


def compare_runs(first: PipelineRun, second: PipelineRun) -> tuple[RunDifference, ...]:
    """Everything that differs between two runs, and what a reader wants beside it, in the order of their steps."""
    return (*_whole(first, second), *(row for step in _steps(first, second) for row in _step(*step)))


def _whole(first: PipelineRun, second: PipelineRun) -> Iterator[RunDifference]:
    for name in ("pipeline", "number", "version", "experiment_name"):
        yield RunDifference(Aspect.RUN, "", name, getattr(first, name), getattr(second, name))
    yield RunDifference(Aspect.STATE, "", "state", str(first.state), str(second.state))
    yield RunDifference(Aspect.DURATION, "", "duration", _duration_s(first), _duration_s(second))
    yield from _unequal(Aspect.PARAMETER, "", first.parameters, second.parameters)


def _steps(first: PipelineRun, second: PipelineRun) -> Iterator[tuple[str, StepRun | None, StepRun | None]]:
    one, other = ({step.name: step for step in run.steps} for run in (first, second))
    for name in {**one, **other}:
        yield name, one.get(name), other.get(name)


def _step(name: str, first: StepRun | None, second: StepRun | None) -> Iterator[RunDifference]:
    both = (first, second)
    yield RunDifference(Aspect.STATE, name, "state", *(step and str(step.state) for step in both))
    yield RunDifference(Aspect.DURATION, name, "duration", *(step and _duration_s(step) for step in both))
    yield RunDifference(Aspect.REUSE, name, "reused", *(step and bool(step.reused_from) for step in both))
    yield from _unequal(Aspect.PART, name, *(step.parts if step else {} for step in both))
    numbers = [metrics(step.outputs) if step else {} for step in both]
    for metric in {**numbers[0], **numbers[1]}:
        yield RunDifference(Aspect.METRIC, name, metric, numbers[0].get(metric), numbers[1].get(metric))
    yield from _unequal(Aspect.OUTPUT, name, *(_others(step) if step else {} for step in both))


def metrics(outputs: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among outputs, and those of a table of numbers by their names in it; an output's name comes first."""
    found: dict[str, float] = {name: value for name, value in outputs.items() if _number(value)}
    for table in filter(_numbers, outputs.values()):
        found |= {str(name): value for name, value in table.items() if str(name) not in found}
    return found


def _others(step: StepRun) -> dict[str, Any]:
    """What is no number; a file by what it holds, for its path says only which job wrote it."""
    rest = {name: value for name, value in step.outputs.items() if not _number(value) and not _numbers(value)}
    return {**rest, **{name: digest for name, digest in step.files.items() if name in rest}}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(map(_number, value.values()))


def _unequal(aspect: Aspect, step: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[RunDifference]:
    for name in {**first, **second}:
        if first.get(name) != second.get(name):
            yield RunDifference(aspect, step, name, first.get(name), second.get(name))


def _duration_s(done: PipelineRun | StepRun) -> float | None:
    if done.started_at is None or done.ended_at is None:
        return None
    return max(0.0, done.ended_at - done.started_at)
