"""An attempt at a step, as each kind of step takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.job import Job
from core.domain.pipeline import PipelineStep
from core.domain.run import PipelineRunSpec


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt at a step: what the definition says, with parameters and inputs in."""

    run: Job
    wanted: PipelineRunSpec
    step: PipelineStep
    inputs: Mapping[str, Any]
    attempt: int
