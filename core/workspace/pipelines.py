"""Published pipelines and their runs."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from core.domain.endpoint import EndpointKeys
from core.domain.job import JobState, LogLine
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.domain.run import Artifact, PipelineRun, RunOrigin, RunSummary
from core.workspace.collection import Collection

NO_CODE: Mapping[str, bytes] = {}


class Pipelines(Collection):
    """Published pipelines and their runs.

    A pipeline is named by its name, which means its default version, or by the id of one of its versions.
    """

    noun = "pipelines"

    def publish(self, spec: PipelineSpec, *, label: str = "", code: Mapping[str, bytes] = NO_CODE) -> PipelineEndpoint:
        """Publish a definition as the next version of its name, which becomes the default.

        The default's definition again gives that one. The first version brings the pipeline's keys. `label` is what the
        publisher calls the version. `code` is the code of the steps that bring their own, by the step's name, as an
        archive of `core.definitions.code`. Raises SpecInvalid, Conflict for a label that another version has, Forbidden
        for such steps where the workspace was opened for others.
        """
        self._cannot("publish")

    def list(self) -> tuple[PipelineEndpoint, ...]:
        """All published pipelines, each at its default version; the one that was published last comes first."""
        self._cannot("list")

    def get(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        """One pipeline; version 0 is the default. Raises PipelineNotFound."""
        self._cannot("get")

    def versions(self, pipeline: str) -> tuple[PipelineEndpoint, ...]:
        """All versions of a pipeline, newest first. Raises PipelineNotFound."""
        self._cannot("versions")

    def set_default(self, pipeline: str, version: int) -> PipelineEndpoint:
        """Let another version run where none is named. Raises PipelineNotFound."""
        self._cannot("set_default")

    def enable(self, pipeline: str, enabled: bool) -> PipelineEndpoint:
        """Activate or disable a pipeline, all its versions: a disabled one starts no run. Raises PipelineNotFound."""
        self._cannot("enable")

    def keys(self, pipeline: str) -> EndpointKeys:
        """The keys that start and watch this pipeline's runs, and nothing else. Raises PipelineNotFound."""
        self._cannot("keys")

    def rotate_key(self, pipeline: str, which: str) -> EndpointKeys:
        """Replace the `primary` or `secondary` key, and give both. Raises PipelineNotFound, SpecInvalid."""
        self._cannot("rotate_key")

    def trigger(
        self,
        pipeline: str,
        experiment_name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: int = 0,
        origin: RunOrigin = RunOrigin.APP,
        repeat_key: str = "",
    ) -> PipelineRun:
        """Start a run of a published pipeline; the run is a job, queued.

        Parameters that are not given have their published values. The same `repeat_key` for the same pipeline within
        24 hours gives the run that it started, and raises Conflict where something else was asked for then. Raises
        PipelineNotFound, SpecInvalid, SourceUnreadable, Conflict for a disabled pipeline, QueueFull.
        """
        self._cannot("trigger")

    def get_run(self, run_id: str) -> PipelineRun:
        """A run with its steps, in the order of the definition. Raises JobNotFound, also for another kind of job."""
        self._cannot("get_run")

    def list_runs(
        self,
        pipeline: str = "",
        limit: int = 50,
        *,
        state: JobState | None = None,
        schedule: str = "",
        experiment_name: str = "",
        of: Artifact | None = None,
        before: str = "",
    ) -> tuple[RunSummary, ...]:
        """The newest `limit` runs that every given filter lets through.

        `of`: those that made or used it. `before`: those older than the run of this id, for the next page.
        """
        self._cannot("list_runs")

    def cancel(self, run_id: str) -> PipelineRun:
        """Ask a run to end with all its steps; a final one is left as it is. Raises JobNotFound."""
        self._cannot("cancel")

    def retry(self, run_id: str) -> PipelineRun:
        """Start a new run that takes over what succeeded in this one, and does the rest. Raises JobNotFound, Conflict
        for a run that goes on or that has succeeded."""
        self._cannot("retry")

    def step_log(self, run_id: str, step: str, limit: int = 1000) -> tuple[LogLine, ...]:
        """The last `limit` lines that a step has logged or printed in all its attempts. Raises JobNotFound."""
        self._cannot("step_log")

    def open_output(self, run_id: str, step: str, output: str) -> BinaryIO:
        """A file that a step gave, open for reading; the caller closes it. A folder comes as a tar archive.

        Raises JobNotFound, Conflict where it is gone or not there yet.
        """
        self._cannot("open_output")

    def revision(self) -> int:
        """A number that grows with every change of any run, step or published pipeline: while it stands, so do they."""
        self._cannot("revision")
