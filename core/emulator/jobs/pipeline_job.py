"""A pipeline job as it is accepted, from a client, a schedule or a batch endpoint."""

import json
from collections.abc import Mapping
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.jobs import components, nodes
from core.emulator.jobs.refusals import user_error
from core.emulator.jobs.runs import Run
from core.emulator.jobs.shapes import common, job_inputs
from core.emulator.messages import Document


def made(emulation: Emulation, name: str, sent: Document) -> tuple[Document, Run]:
    """Its properties as Azure shows them, and its run. Raises AzureError 400 for components that are not there."""
    sent = defined(emulation, sent)
    if not sent.get("jobs"):
        raise user_error("jobs: a pipeline job needs at least one node.")
    nodes.components_of(emulation, sent)
    given, settings = job_inputs(sent.get("inputs")), dict(sent.get("settings") or {})
    asked = {key: _output(value) for key, value in (sent.get("outputs") or {}).items()}
    properties = common(emulation, name, sent) | {
        "settings": settings,
        "jobs": sent["jobs"],
        "inputs": given,
        "outputs": asked,
        "sourceJobId": sent.get("sourceJobId"),
    }
    compute = settings.get("default_compute") or settings.get("defaultCompute") or properties["computeId"]
    run = Run(
        id=name,
        experiment=properties["experimentName"],
        kind="pipeline",
        created_at=emulation.clock.now(),
        status="Preparing",
        display_name=properties["displayName"],
        description=properties["description"],
        tags=properties["tags"],
        properties={**_described(given, settings, compute), **properties["properties"]},
        params={key: str(value["value"]) for key, value in given.items() if "value" in (value or {})},
        compute=str(compute or "").rpartition("/")[2],
        archived=properties["isArchived"],
        local={
            "inputs": given, "outputs": asked, "nodes": sent["jobs"], "settings": settings, "compute": compute,
            "children": {},
        },
    )  # fmt: skip
    return properties, run


def defined(emulation: Emulation, sent: Mapping[str, Any]) -> Document:
    """A pipeline job with its nodes, which may stand in a component or in an earlier job."""
    source = dict(sent)
    if sent.get("sourceJobId"):
        kept = emulation.state.get("/" + str(sent["sourceJobId"]).removeprefix("azureml:").lstrip("/"))
        if kept is None or "jobs" not in kept.get("properties", {}):
            raise user_error(f"Could not find job: {sent['sourceJobId']}.")
        source = {**kept["properties"], **{key: value for key, value in sent.items() if value not in (None, "", {})}}
        source["properties"] = dict(sent.get("properties") or {})
    if sent.get("componentId") and not sent.get("jobs"):
        spec = components.registered(emulation, str(sent["componentId"]))
        if not spec.get("jobs"):
            raise user_error(f"{sent['componentId']} is no component of a pipeline.")
        source |= {"jobs": spec["jobs"], "inputs": _defaults(spec) | dict(sent.get("inputs") or {})}
        source["outputs"] = dict.fromkeys(spec.get("outputs") or {}) | dict(sent.get("outputs") or {})
    return source


def _defaults(spec: Mapping[str, Any]) -> Document:
    found = {name: said for name, said in (spec.get("inputs") or {}).items() if isinstance(said, Mapping)}
    return {
        name: {"jobInputType": "literal", "value": str(said["default"])}
        for name, said in found.items()
        if said.get("default") is not None
    }


def _described(given: Mapping[str, Any], settings: Mapping[str, Any], compute: Any) -> dict[str, Any]:
    values = {name: value["value"] for name, value in given.items() if value and "value" in value}
    continues = str(settings.get("continue_on_step_failure", False)).lower() == "true"
    return {
        "azureml.DevPlatv2": "true",
        "azureml.DatasetAccessMode": "Asset",
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": "MFE",
        "runType": "HTTP",
        "azureml.parameters": json.dumps(values, separators=(",", ":")),
        "azureml.continue_on_step_failure": str(continues),
        "azureml.continue_on_failed_optional_input": "True",
        "azureml.enforceRerun": "False",
        "azureml.defaultComputeName": str(compute or "").rpartition("/")[2],
        "azureml.defaultDataStoreName": "workspaceblobstore",
        "azureml.pipelineComponent": "pipelinerun",
    }


def _output(value: Mapping[str, Any] | None) -> Document:
    given = value or {}
    return {
        "description": given.get("description"),
        "uri": given.get("uri"),
        "assetName": given.get("assetName"),
        "assetVersion": given.get("assetVersion"),
        "mode": given.get("mode") or "ReadWriteMount",
        "jobOutputType": given.get("jobOutputType") or "uri_folder",
    }
