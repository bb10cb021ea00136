"""The pipeline that is chosen on the tab of pipelines."""

from dataclasses import dataclass

from core.domain.pipeline import PipelineEndpoint
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the parts below a pipeline show."""

    workspace: Workspace
    pipeline: PipelineEndpoint
