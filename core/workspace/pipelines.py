"""Published pipelines and their runs."""

from collections.abc import Mapping
from typing import Any

from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec
from core.workspace.collection import Collection


class Pipelines(Collection):
    """Published pipelines and their runs."""

    noun = "pipelines"

    def publish(self, spec: PipelineSpec) -> PipelineEndpoint:
        """Publish a definition as the next version of its name; the newest one's definition again gives that one."""
        self._cannot("publish")

    def list(self) -> tuple[PipelineEndpoint, ...]:
        """All published pipelines."""
        self._cannot("list")

    def trigger(self, pipeline: str, experiment_name: str, parameters: Mapping[str, Any] | None = None) -> PipelineRun:
        """Start a run of a published pipeline, by its id or name (its newest version); the run is a job, queued.

        Parameters that are not given have their published values. Raises PipelineNotFound, SpecInvalid, Conflict for
        one that is disabled.
        """
        self._cannot("trigger")

    def get_run(self, run_id: str) -> PipelineRun:
        """A run with its steps, in the order of the definition. Raises JobNotFound, also for another kind of job."""
        self._cannot("get_run")

    def list_runs(self, pipeline: str = "", limit: int = 50) -> tuple[PipelineRun, ...]:
        """The newest `limit` runs of one pipeline (id or name) or of all."""
        self._cannot("list_runs")
