"""Jobs: what was asked, where it stands, and what it left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.batch import BatchResult, BatchSpec
from core.domain.job_state import NEXT, JobState, move
from core.domain.plain import EMPTY
from core.domain.proof import GateResult, GateSpec, LoadResult, LoadSpec
from core.domain.run import PipelineRunResult, PipelineRunSpec, StepResult, StepSpec
from core.domain.training import TrainingResult, TrainingSpec

__all__ = ["NEXT", "Job", "JobKind", "JobResult", "JobSpec", "JobState", "JobType", "LogLine", "kind_of", "move"]

BUG_HINT = "This is a bug in Slipway; the traceback is in the log"
"""The hint of a job that no failure of our family has ended."""


class JobKind(StrEnum):
    """What work a job is; `JOB_TYPES` says what each kind takes and leaves."""

    AUTOML = "automl"
    PIPELINE = "pipeline"
    STEP = "step"
    """One attempt at one step of a pipeline's run."""
    GATE = "gate"
    LOADTEST = "loadtest"
    BATCH = "batch"


JobSpec = TrainingSpec | PipelineRunSpec | StepSpec | GateSpec | LoadSpec | BatchSpec
JobResult = TrainingResult | PipelineRunResult | StepResult | GateResult | LoadResult | BatchResult


@dataclass(frozen=True, slots=True)
class JobType:
    """One kind of job: what is asked for, what it leaves, and what people call it."""

    spec: type[JobSpec]
    result: type[JobResult]
    label: str


JOB_TYPES: Mapping[JobKind, JobType] = {
    JobKind.AUTOML: JobType(TrainingSpec, TrainingResult, "Training"),
    JobKind.PIPELINE: JobType(PipelineRunSpec, PipelineRunResult, "Pipeline run"),
    JobKind.STEP: JobType(StepSpec, StepResult, "Pipeline step"),
    JobKind.GATE: JobType(GateSpec, GateResult, "Gate"),
    JobKind.LOADTEST: JobType(LoadSpec, LoadResult, "Load test"),
    JobKind.BATCH: JobType(BatchSpec, BatchResult, "Batch scoring"),
}
"""Every kind there is. Who does it stands in the backend's own table: `core.local.worker.kinds`."""


def kind_of(spec: JobSpec) -> JobKind:
    """The kind of job that a spec asks for."""
    return next(kind for kind, known in JOB_TYPES.items() if type(spec) is known.spec)


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work that the service runs to its end: what was asked, and what it left."""

    id: str
    kind: JobKind
    state: JobState
    experiment_name: str
    compute: str
    spec: JobSpec
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = 0
    cancel_requested: bool = False
    parent_id: str | None = None
    message: str = ""
    """Why it failed, for people."""
    hint: str = ""
    result: JobResult | None = field(default=None, metadata=EMPTY)
    """None until it has succeeded."""

    @property
    def stopping(self) -> bool:
        """Somebody has asked it to end, and it has not ended yet."""
        return self.cancel_requested and not self.state.final


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's or an endpoint's log."""

    at: float
    level: str
    text: str
