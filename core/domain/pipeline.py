"""Pipelines: published definitions, their runs, and schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.job import JobState


class StepKind(StrEnum):
    """What a step does."""

    PREPARE = "prepare"
    AUTOML = "automl"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One step; `needs` names the steps that must succeed first, `settings` are the kind's own."""

    name: str
    kind: StepKind
    needs: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A definition: steps in an order in which each one's needs come before it."""

    name: str
    steps: tuple[PipelineStep, ...]
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that a trigger may override by `ParameterAssignments`."""

    def __post_init__(self) -> None:
        if not self.name or not self.steps:
            raise SpecInvalid("A pipeline needs a name and at least one step")
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen:
                raise SpecInvalid(f"Two steps are named '{step.name}'")
            if missing := [need for need in step.needs if need not in seen]:
                raise SpecInvalid(f"Step '{step.name}' needs '{missing[0]}', but no earlier step has that name")
            seen.add(step.name)


@dataclass(frozen=True, slots=True)
class PipelineEndpoint:
    """A published pipeline that a POST to `trigger_uri` starts."""

    id: str
    name: str
    version: int
    spec: PipelineSpec
    trigger_uri: str
    enabled: bool
    created_at: float


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one run. `job_id` is set where the step is a job of its own."""

    name: str
    kind: StepKind
    state: JobState
    started_at: float | None = None
    ended_at: float | None = None
    job_id: str = ""
    message: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run: a job of kind `pipeline` and its steps."""

    id: str
    pipeline: str
    version: int
    experiment_name: str
    state: JobState
    steps: tuple[StepRun, ...]
    created_at: float
    ended_at: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """When to trigger a pipeline: a cron expression in an IANA time zone."""

    name: str
    pipeline: str
    cron: str
    timezone: str = "UTC"
    experiment_name: str = "scheduled"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it is now, with its next fire times (seconds since the epoch)."""

    spec: ScheduleSpec
    enabled: bool
    next_fires_at: tuple[float, ...] = ()
    last_run_id: str = ""
