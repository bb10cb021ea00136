"""One spec of each kind of job, for tests that care for no more than its kind."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.job import JobKind, JobSpec
from core.domain.proof import GateSpec, LoadSpec, Target
from core.domain.run import PipelineRunSpec, StepSpec
from core.domain.training import TrainingSpec

SPECS: Mapping[JobKind, JobSpec] = {
    JobKind.AUTOML: TrainingSpec(DataRef("t", 1), "y"),
    JobKind.PIPELINE: PipelineRunSpec("p1", "p", 1),
    JobKind.STEP: StepSpec("r1", "prepare"),
    JobKind.GATE: GateSpec("bank", "v1"),
    JobKind.LOADTEST: LoadSpec(Target("http://127.0.0.1:18000"), endpoint="bank"),
    JobKind.BATCH: BatchSpec("bank", "t", 1),
}


def asked(kind: JobKind, **changes: Any) -> JobSpec:
    """The spec of this kind, with some fields of a test's own."""
    spec: JobSpec = replace(SPECS[kind], **changes)
    return spec
