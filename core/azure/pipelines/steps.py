"""The steps of a run: which child is which, how it stands, and what it gave."""

import json
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from core.azure import sdk
from core.azure.context import Context
from core.azure.errors import translated
from core.azure.pipelines import words
from core.azure.pipelines.components import OUTPUT
from core.azure.pipelines.documents import RunDocument, children, state_of
from core.azure.pipelines.published import moment
from core.definitions.graph import outputs_of
from core.domain.errors import Conflict, JobNotFound
from core.domain.job_state import JobState
from core.domain.pipeline import PipelineSpec, ValueType
from core.domain.run import PipelineRun, StepRun, StepState

LEFT = "outputs.json"
FILES = "files"
LOST = (FileNotFoundError, OSError)
_STATES: Mapping[JobState, StepState] = {
    JobState.QUEUED: StepState.QUEUED,
    JobState.RUNNING: StepState.RUNNING,
    JobState.SUCCEEDED: StepState.SUCCEEDED,
    JobState.FAILED: StepState.FAILED,
    JobState.CANCELED: StepState.CANCELED,
}
Left = Mapping[str, Any]


class Steps:
    """Reads them; what a step has left is kept in memory, since it never changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._left: dict[str, Left] = {}

    def of(self, run: RunDocument, spec: PipelineSpec) -> tuple[StepRun, ...]:
        """In the order of the definition."""
        found = {}
        for child in children(self._context, run.id):
            found[_node(child)] = child  # the last attempt
        names = words.nodes(spec)
        return tuple(self._step(run, step.name, step.kind, found.get(names[step.name])) for step in spec.steps)

    def _step(self, run: RunDocument, name: str, kind: Any, child: Mapping[str, Any] | None) -> StepRun:
        if child is None:
            return StepRun(name, kind, _never_begun(run.state))
        state = _STATES[state_of(child.get("status"))]
        if state is StepState.RUNNING and run.state is JobState.CANCELED:
            state = StepState.CANCELED
        left = self.left(str(child["runId"])) if state is StepState.SUCCEEDED else {}
        error = ((child.get("error") or {}).get("error") or {}).get("message") or ""
        skipped = left.get("state") == StepState.SKIPPED.value
        return StepRun(
            name=name,
            kind=kind,
            state=StepState.SKIPPED if skipped else state,
            attempt=int(child.get("currentAttemptId") or 1) if state is not StepState.QUEUED else 0,
            job_id=str(child["runId"]),
            started_job_id=str(left.get("started_job_id") or ""),
            started_at=moment(child.get("startTimeUtc")) or None,
            ended_at=(moment(child.get("endTimeUtc")) or None) if state.final else None,
            message=str(error or left.get("message") or "") if state is StepState.FAILED else "",
            why=str(left.get("why") or ""),
            note=str(left.get("note") or ""),
            outputs=left.get("outputs") or {},
        )

    def left(self, child: str) -> Left:
        """What a step's `outputs.json` says; empty where there is none."""
        if child not in self._left:
            with TemporaryDirectory() as place:
                self._copy(child, Path(place))
                path = next(Path(place).rglob(LEFT), None)
                try:
                    found = json.loads(path.read_text("utf-8")) if path else {}
                except ValueError:
                    found = {}
            if not isinstance(found, dict) or not found:
                return {}
            self._left[child] = found
        return self._left[child]

    def open(self, run: PipelineRun, step: str, output: str) -> BinaryIO:
        """A file that a step gave, a folder as a tar archive. Raises JobNotFound, Conflict."""
        found = step_of(run, step)
        declared = outputs_of(run.spec.step(step)) if run.spec else {}
        if (kind := declared.get(output)) is None:
            raise JobNotFound(
                f"Step '{step}' has no output '{output}'", hint=f"It has: {', '.join(declared) or 'none'}"
            )
        if kind is not ValueType.FILE:
            raise Conflict(
                f"Output '{output}' of step '{step}' is no file but {kind}", hint="It stands in the run itself"
            )
        if output not in found.outputs:
            raise Conflict(f"Step '{step}' is {found.state} and has given no '{output}'")
        with TemporaryDirectory() as place:
            self._copy(found.job_id, Path(place))
            path = next((each for each in Path(place).rglob(FILES) if (each / output).exists()), None)
            if path is None:
                raise Conflict(f"Output '{output}' of step '{step}' is no longer kept", hint="Run the pipeline again")
            return _opened(path / output)

    def _copy(self, child: str, place: Path) -> None:
        """The folder of a step, as Azure lays outputs of a pipeline's steps down where nobody says otherwise."""
        uri = f"azureml://datastores/workspaceblobstore/paths/azureml/{child}/{OUTPUT}/"
        copy = sdk.module("azure.ai.ml._artifacts._artifact_utilities").download_artifact_from_aml_uri
        with translated("job", child):
            copy(uri, str(place), self._context.client.datastores)


def step_of(run: PipelineRun, name: str) -> StepRun:
    """Raises JobNotFound."""
    for step in run.steps:
        if step.name == name:
            return step
    names = ", ".join(step.name for step in run.steps)
    raise JobNotFound(f"Run '{run.id}' has no step '{name}'", hint=f"Its steps are: {names}")


def _node(child: Mapping[str, Any]) -> str:
    return str(child.get("displayName") or child.get("name") or "")


def _never_begun(state: JobState) -> StepState:
    if state is JobState.CANCELED:
        return StepState.CANCELED
    return StepState.SKIPPED if state.final else StepState.QUEUED


def _opened(path: Path) -> BinaryIO:
    if path.is_file():
        return BytesIO(path.read_bytes())
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.add(path, arcname=path.name)
    made.seek(0)
    return made
