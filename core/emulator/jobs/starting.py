"""For other parts of the emulation: start a pipeline job, as a schedule and a batch endpoint do."""

import uuid
from collections.abc import Mapping
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.jobs.kind import submit
from core.emulator.jobs.runs import job_path
from core.emulator.messages import Document

WORDS = {
    "urifolder": "uri_folder", "urifile": "uri_file", "mltable": "mltable", "literal": "literal",
    "mlflowmodel": "mlflow_model", "custommodel": "custom_model", "tritonmodel": "triton_model",
}  # fmt: skip
"""The data plane's words for kinds of data, and ARM's."""


def start_pipeline(
    emulation: Emulation,
    definition: Mapping[str, Any],
    inputs: Mapping[str, Any] | None = None,
    *,
    outputs: Mapping[str, Any] | None = None,
    name: str = "",
    experiment: str = "",
    display_name: str = "",
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Document:
    """Start a pipeline and give its job's document, whose `name` is the job's.

    `definition` are the properties of a pipeline job: its `jobs`, or a `componentId` of a pipeline component, or a
    `sourceJobId`. `inputs` and `outputs` go over those of the definition, in the form of a job's inputs: `jobInputType`
    with `uri` or `value`. Raises AzureError 400 for what cannot run here.
    """
    sent = {**definition, "jobType": "Pipeline"}
    sent["inputs"] = {**(definition.get("inputs") or {}), **{key: _plain(each) for key, each in (inputs or {}).items()}}
    sent["outputs"] = {
        **(definition.get("outputs") or {}),
        **{key: _plain_output(each) for key, each in (outputs or {}).items()},
    }
    sent["tags"] = {**(definition.get("tags") or {}), **(tags or {})}
    sent["properties"] = {**(definition.get("properties") or {}), **(properties or {})}
    sent["settings"] = {**(definition.get("settings") or {}), **(settings or {})}
    if experiment:
        sent["experimentName"] = experiment
    if display_name:
        sent["displayName"] = display_name
    job = submit(emulation, name or str(uuid.uuid4()), sent)
    emulation.state.put(job_path(emulation, job["name"]), job)
    return job


def _plain(given: Any) -> Any:
    """An input as ARM writes it: the data plane of batch endpoints says UriFolder for uri_folder."""
    if not isinstance(given, Mapping):
        return {"jobInputType": "literal", "value": str(given)}
    said = str(given.get("jobInputType") or ("uri_folder" if given.get("uri") else "literal"))
    return {**given, "jobInputType": WORDS.get(said.lower(), said)}


def _plain_output(given: Any) -> Any:
    """An output as ARM writes it, in the same way."""
    if not isinstance(given, Mapping):
        return given
    spelled = {name[:1].lower() + name[1:]: value for name, value in given.items()}
    said = str(spelled.get("jobOutputType") or spelled.get("type") or "uri_folder")
    return {**spelled, "jobOutputType": WORDS.get(said.lower(), said)}
