"""What may be posted to start a run: Azure ML's body for a published pipeline, or the one for a batch endpoint.

Azure takes the names of the latter in any case (`InputData` in its documentation, `inputData` from its SDK); so do we.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from core.domain.errors import PayloadTooLarge, SpecInvalid
from core.domain.job_state import JobState
from core.domain.parameter_text import from_text
from core.domain.pipeline import Parameter, ParameterType
from core.domain.run import PipelineRun

BODY_MAX_BYTES = 1_000_000
NAME_CHARS_MAX = 255
VISIBLE = r"[^\s\x1c-\x1f\x85\ufeff]"
"""A character that is no space: to Python, which reads this, and to JavaScript, which others read it by. What each of
them takes for a space differs in the ones that are named."""
HINT = 'Send {"ExperimentName": "..."}, or {"properties": {"inputData": {...}}}'
ASSET = re.compile(
    r"azureml:(?!//)(?P<named>.+)|(?:azureml://|/subscriptions/).*/data/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
"""How Azure's clients name a data asset, short and long."""
LOCAL_FILE = "file://"


class Trigger(msgspec.Struct, forbid_unknown_fields=True):
    """Azure ML's body for a published pipeline. Its names for runs and tags are accepted and not used."""

    ExperimentName: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern=VISIBLE)]
    ParameterAssignments: dict[str, Any] = {}
    DisplayName: str = ""
    Description: str = ""
    RunSource: str = ""
    Tags: dict[str, str] = {}
    DataPathAssignments: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}
    DataSetDefinitionValueAssignments: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}


class LiteralInput(msgspec.Struct, forbid_unknown_fields=True, tag_field="jobInputType", tag="Literal"):
    """A parameter's value; Azure's SDK sends all of them as text, which is read by the parameter's type."""

    value: str | int | float | bool | list[Any]
    description: str | None = None


class UriFile(msgspec.Struct, forbid_unknown_fields=True, tag_field="jobInputType", tag="UriFile"):
    """A table: a data asset, or a path."""

    uri: Annotated[str, msgspec.Meta(min_length=1)]
    description: str | None = None
    mode: str | None = None


class UriFolder(UriFile, tag="UriFolder"):
    """A table: a data asset, or a path."""


class MLTable(UriFile, tag="MLTable"):
    """A table: a data asset, or a path."""


JobInput = LiteralInput | UriFile | UriFolder | MLTable
INPUT_TYPES = {name.lower(): name for name in ("Literal", "UriFile", "UriFolder", "MLTable")}


class BatchProperties(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What a run begins with. Names other than the experiment's are accepted and not used."""

    input_data: dict[str, JobInput] = {}
    experiment_name: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] | None = None
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] | None = None
    properties: dict[str, str | None] | None = None
    output_data: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] | None = None


class BatchTrigger(msgspec.Struct, forbid_unknown_fields=True):
    """Azure ML's body for a batch endpoint."""

    properties: BatchProperties


class Accepted(msgspec.Struct):
    """The run that was started."""

    Id: str


class BatchStatus(msgspec.Struct, rename="camel"):
    """A run in Azure ML's words."""

    status: Literal["Queued", "Running", "CancelRequested", "Completed", "Failed", "Canceled"]
    experiment_name: str
    provisioning_state: str = "Succeeded"


class SystemData(msgspec.Struct, rename="camel"):
    """When it was made."""

    created_at: str


class BatchJob(msgspec.Struct, rename="camel"):
    """A run as Azure ML's batch endpoints tell of one."""

    id: str
    name: str
    properties: BatchStatus
    system_data: SystemData
    type: str = "pipelines/jobs"


STATUS = {
    JobState.QUEUED: "Queued",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Completed",
    JobState.FAILED: "Failed",
    JobState.CANCELED: "Canceled",
}
"""https://learn.microsoft.com/rest/api/azureml/jobs/get#jobstatus."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body asks for, in either form."""

    experiment_name: str
    """Empty where the body names none, which a batch endpoint's need not."""
    assignments: Mapping[str, Any]
    batch: bool = False
    """Whether it came in the form of a batch endpoint, and is answered in that."""
    inputs: Mapping[str, JobInput] | None = None

    def parameters(self, known: Sequence[Parameter]) -> dict[str, Any]:
        """The parameters' values, as the pipeline types them."""
        if self.inputs is None:
            return dict(self.assignments)
        kinds = {parameter.name: parameter.type for parameter in known}
        return {name: _value(given, kinds.get(name)) for name, given in self.inputs.items()}


async def body(request: Request) -> bytes:
    """The whole body. Raises PayloadTooLarge as soon as it is."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > BODY_MAX_BYTES:
            raise PayloadTooLarge(f"The body is larger than {BODY_MAX_BYTES} bytes")
    return bytes(taken)


def decode(sent: bytes) -> Asked:
    """What a body asks for. Raises SpecInvalid that says what is wrong with it."""
    try:
        document = msgspec.json.decode(sent)
        if isinstance(document, dict) and any(key.lower() == "properties" for key in document):
            batch = msgspec.convert(_camel(document), BatchTrigger).properties
            return Asked((batch.experiment_name or "").strip(), {}, batch=True, inputs=batch.input_data)
        wanted = msgspec.convert(document, Trigger)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise SpecInvalid(f"The body does not start a run: {e}", hint=HINT) from e
    return Asked(wanted.ExperimentName, wanted.ParameterAssignments)


def batch_job(run: PipelineRun, *, accepted: bool = False) -> BatchJob:
    """A run in the words of a batch endpoint; as `accepted`, whatever has become of it since."""
    status = "Queued" if accepted else "CancelRequested" if run.stopping else STATUS[run.state]
    made = datetime.fromtimestamp(run.created_at, UTC).isoformat()
    return BatchJob(run.id, run.id, BatchStatus(status, run.experiment_name), SystemData(made))  # type: ignore[arg-type]


def _camel(document: Mapping[str, Any]) -> dict[str, Any]:
    """The names that are Azure's, not the user's own, with a small letter first."""
    top = _small(document)
    if isinstance(properties := top.get("properties"), dict):
        top["properties"] = properties = _small(properties)
        if isinstance(inputs := properties.get("inputData"), dict):
            properties["inputData"] = {
                name: _input(given) if isinstance(given, dict) else given for name, given in inputs.items()
            }
    return top


def _input(given: Mapping[str, Any]) -> dict[str, Any]:
    """An input whose type may be written as Azure's control plane writes it: `uri_file` for `UriFile`."""
    made = _small(given)
    kind = made.get("jobInputType")
    spelled = kind.replace("_", "").lower() if isinstance(kind, str) else ""
    return made | ({"jobInputType": INPUT_TYPES[spelled]} if spelled in INPUT_TYPES else {})


def _small(document: Mapping[str, Any]) -> dict[str, Any]:
    made = {key[:1].lower() + key[1:]: value for key, value in document.items()}
    if len(made) < len(document):
        raise msgspec.ValidationError("a name is given twice, in different case")
    return made


def _value(given: JobInput, kind: ParameterType | None) -> Any:
    if not isinstance(given, LiteralInput):
        return _reference(given.uri)
    return from_text(given.value, kind) if isinstance(given.value, str) else given.value


def _reference(uri: str) -> str:
    """A data asset's name and version in our form, a file of this machine as its path; any other address as it is."""
    found = ASSET.fullmatch(uri)
    if found is None:
        return unquote(uri.removeprefix(LOCAL_FILE)) if uri.startswith(f"{LOCAL_FILE}/") else uri
    return found["named"] or f"{found['name']}:{found['version']}"
