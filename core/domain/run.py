"""Runs of pipelines: a run is a job, each attempt at one of its steps is another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.job_state import JobState
from core.domain.pipeline import PipelineSpec, StepKind, ValueType


class RunOrigin(StrEnum):
    """Who asked for a run."""

    APP = "app"
    CLI = "cli"
    REST = "rest"
    SCHEDULE = "schedule"
    DATA = "data"
    """A new version of the data that a schedule watches."""
    RETRY = "retry"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class PipelineRunSpec:
    """One run of a published definition, with every parameter's value."""

    pipeline_id: str
    pipeline: str
    version: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    confined: bool = False
    """Whether it was asked for by somebody whose paths are read in the allowed folders only."""
    origin: RunOrigin = RunOrigin.APP
    schedule: str = ""
    """The schedule that fired, by name."""
    retry_of: str = ""
    """The run whose succeeded steps it takes over."""


@dataclass(frozen=True, slots=True)
class PipelineRunResult:
    """What the steps gave, by their names, in JSON's types; typed it stands in the run's steps."""

    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One attempt at one step of a run."""

    run_id: str
    step: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class StepResult:
    """What an attempt leaves: its outputs, or the job that it has started and that goes on."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    started_job_id: str = ""
    """A training or a gate: the step has ended when that has."""
    reused_from: str = ""
    """The run whose outputs these are, where the process itself found that nothing has changed."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What a step whose inputs only its own process can read depends on; empty for all others."""
    why: str = ""
    """Why such a step ran, or was reused; empty where the service has said it."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Output -> SHA-256 of the file or folder that it names."""
    note: str = ""
    """One sentence about what it did, for people."""


class StepState(StrEnum):
    """Where a step of a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    """Its condition was false, or something that it waits for did not succeed."""

    @property
    def final(self) -> bool:
        """It can become nothing else."""
        return self not in (StepState.QUEUED, StepState.RUNNING)


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one run, as it stands."""

    name: str
    kind: StepKind
    state: StepState = StepState.QUEUED
    attempt: int = 0
    """How often it was begun."""
    job_id: str = ""
    """The job of its latest attempt, whose log is the step's; where it was reused, the job that made the outputs."""
    started_job_id: str = ""
    """The training or the gate that it started and waits for."""
    retry_at: float | None = None
    """It has failed and is tried again then."""
    started_at: float | None = None
    ended_at: float | None = None
    message: str = ""
    """Why it failed, for people."""
    hint: str = ""
    why: str = ""
    """Why it ran, was reused or was skipped, in a sentence."""
    note: str = ""
    """What it did, in a sentence."""
    reused_from: str = ""
    """The run whose outputs these are."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What it depends on: `parameter timeout`, `input data`, `code`, `lock file` -> digest."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Of the outputs that are files: output -> SHA-256."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something that runs make and use; `reference` as `ValueType` says."""

    type: ValueType
    reference: str


@dataclass(frozen=True, slots=True)
class RunArtifact:
    """What a step of a run made, or used."""

    artifact: Artifact
    step: str
    made: bool
    """False: it was there before, also where the step was reused."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run with its steps, in the order of the definition."""

    id: str
    pipeline: str
    version: int
    experiment_name: str
    state: JobState
    steps: tuple[StepRun, ...]
    created_at: float
    ended_at: float | None = None
    message: str = ""
    number: int = 0
    """1 for a pipeline's first run, and so on."""
    origin: RunOrigin = RunOrigin.APP
    schedule: str = ""
    retry_of: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    spec: PipelineSpec | None = None
    """The definition as it was published."""
    started_at: float | None = None
    hint: str = ""
    cancel_requested: bool = False
    artifacts: tuple[RunArtifact, ...] = ()
    """What it made and used so far: data versions, trainings, models, deployments, gate reports."""

    @property
    def stopping(self) -> bool:
        """Somebody has asked it to end, and it has not ended yet."""
        return self.cancel_requested and not self.state.final


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs."""

    id: str
    pipeline: str
    number: int
    """1 for a pipeline's first run, and so on."""
    version: int
    experiment_name: str
    state: JobState
    origin: RunOrigin
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    schedule: str = ""
    retry_of: str = ""
    message: str = ""
    steps_done: int = 0
    steps_total: int = 0
    made: bool = False
    """Where runs of an artifact were asked for: whether this one made it, and did not only use it."""
