"""A run of a pipeline, as the job that it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PipelineRunSpec:
    """One run of a published definition, with every parameter's value."""

    pipeline_id: str
    pipeline: str
    version: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    confined: bool = False
    """Whether it was asked for by somebody whose paths are read in the allowed folders only."""


@dataclass(frozen=True, slots=True)
class PipelineRunResult:
    """What the steps gave, by their names, in JSON's types; typed it stands in the run's steps."""

    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
