"""Nodes of a pipeline as runs: what each takes from the pipeline and from other nodes, filled in when it begins."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_job, automl_settings, command, components
from core.emulator.jobs.expressions import BOUND, NothingThere, filled, names, only
from core.emulator.jobs.refusals import code_not_allowed, not_emulated, user_error
from core.emulator.jobs.runs import Run
from core.emulator.jobs.shapes import job_input
from core.emulator.messages import AzureError, Document

SCOPE_INPUT = "parent.inputs."
SCOPE_OUTPUT = "parent.outputs."


def child_id(parent: Run, name: str) -> str:
    """Always the same, so that a node is started once, whatever happens in between."""
    return str(uuid.uuid5(uuid.UUID(parent.number), name))


def kind(emulation: Emulation, node: Mapping[str, Any]) -> str:
    """What does the work of a node: `command`, `automl` or `pipeline`. Raises AzureError 400 for all else."""
    said = str(node.get("type") or "command").lower()
    if said in ("command", "automl", "pipeline"):
        spec = components.spec_of(emulation, node) if said != "automl" else {}
        return "pipeline" if spec.get("jobs") and said != "automl" else said
    raise not_emulated(said)


def made(emulation: Emulation, parent: Run, name: str, node: Mapping[str, Any], done: Mapping[str, Run]) -> Run:
    """The run of a node that may begin; `done` are the nodes that have. Raises AzureError 400, NothingThere."""
    return _MADE[kind(emulation, node)](emulation, parent, name, node, _values(parent, node, done))


def _values(parent: Run, node: Mapping[str, Any], done: Mapping[str, Run]) -> dict[str, Document]:
    """Each expression of a node -> the input that it is. Raises NothingThere."""
    found: dict[str, Document] = {}
    for name in names(node):
        if name.startswith(SCOPE_INPUT):
            key = name.removeprefix(SCOPE_INPUT)
            if parent.local["inputs"].get(key) is not None:
                found[name] = parent.local["inputs"][key]
        elif match := BOUND.fullmatch(name):
            run = done.get(match["node"])
            if run is None or match["output"] not in run.outputs:
                raise NothingThere(name)
            uri = run.outputs[match["output"]]
            found[name] = {"jobInputType": run.output_types.get(match["output"], "uri_folder"), "uri": uri}
    return found


def _input(value: Any, values: Mapping[str, Document]) -> Document | None:
    """One input of a node, with what it is bound to."""
    given = _camel(value) if isinstance(value, Mapping) else {"jobInputType": "literal", "value": value}
    text = given.get("value", given.get("uri", given.get("path")))
    if bound := only(text):
        found = values.get(bound)
        return None if found is None else {**found, **({"mode": given["mode"]} if given.get("mode") else {})}
    if "uri" in given or "path" in given:
        return job_input({**given, "uri": text, "jobInputType": given.get("jobInputType") or given.get("type")})
    plain = {name: str(each.get("value", each.get("uri", ""))) for name, each in values.items()}
    return {"jobInputType": "literal", "value": filled(str(text), plain) if isinstance(text, str) else text}


def _inputs(spec: Mapping[str, Any], node: Mapping[str, Any], values: Mapping[str, Document]) -> Document:
    """All inputs of a node, with the defaults of its component."""
    given = {name: _input(value, values) for name, value in (node.get("inputs") or {}).items()}
    for name, said in (spec.get("inputs") or {}).items():
        default = said.get("default") if isinstance(said, Mapping) else None
        if given.get(name) is None and default is not None:
            given[name] = {"jobInputType": "literal", "value": str(default)}
    return {name: value for name, value in given.items() if value is not None}


def _outputs(parent: Run, spec: Mapping[str, Any], node: Mapping[str, Any]) -> Document:
    """All outputs of a node: those of its component, with what the node and the pipeline say of them."""
    asked: Document = {}
    sent = node.get("outputs") or {}
    for name in {**(spec.get("outputs") or {}), **sent}:
        said, given = (spec.get("outputs") or {}).get(name) or {}, sent.get(name) or {}
        more = _camel(given) if isinstance(given, Mapping) else {"value": given}
        bound = only(more.pop("value", None) or more.get("path"))
        if bound.startswith(SCOPE_OUTPUT):
            more |= {key: value for key, value in (_bound(parent, bound) or {}).items() if value}
        made_as = more.get("jobOutputType") or said.get("type")
        asked[name] = {**more, "uri": more.get("uri") or more.get("path"), "jobOutputType": made_as}
    return asked


def _bound(parent: Run, name: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = parent.local["outputs"].get(name.removeprefix(SCOPE_OUTPUT))
    return found


def _step(emulation: Emulation, parent: Run, name: str, node: Mapping[str, Any], kind_of: str, local: Document) -> Run:
    compute = str(node.get("computeId") or node.get("compute") or parent.local.get("compute") or "")
    return Run(
        id=child_id(parent, name),
        experiment=parent.experiment,
        kind=kind_of,
        created_at=emulation.clock.now(),
        parent=parent.id,
        root=parent.root or parent.id,
        display_name=str(node.get("display_name") or name),
        tags={
            "azureml.nodeid": child_id(parent, name)[:8],
            "azureml.pipeline": parent.id,
            **{str(key): str(value) for key, value in (node.get("tags") or {}).items()},
        },
        properties={
            "azureml.runsource": "azureml.StepRun",
            "azureml.nodeid": child_id(parent, name)[:8],
            "StepType": "PythonScriptStep" if kind_of == "command" else "PipelineStep",
            "ComputeTargetType": "AmlCompute",
            "azureml.moduleid": str(node.get("componentId") or "").rpartition("/")[2],
            "azureml.moduleName": name,
            "azureml.pipeline": parent.id,
            "azureml.pipelinerunid": parent.id,
            "azureml.DevPlatv2": "true",
            "azureml.DatasetAccessMode": "Asset",
            "azureml.pipelineComponent": "masterescloud",
        },
        compute=compute.rpartition("/")[2].removeprefix("azureml:"),
        local=local,
    )


def _command(
    emulation: Emulation, parent: Run, name: str, node: Mapping[str, Any], values: Mapping[str, Document]
) -> Run:
    spec = components.spec_of(emulation, node)
    given, asked = _inputs(spec, node, values), _outputs(parent, spec, node)
    sent = {
        "command": spec.get("command", ""),
        "codeId": components.asset_address(spec.get("code") or spec.get("codeId")),
        "environmentVariables": {
            **(spec.get("environment_variables") or {}),
            **(node.get("environment_variables") or node.get("environmentVariables") or {}),
        },
        "limits": _limits(node.get("limits") or spec.get("limits")),
    }
    return _step(emulation, parent, name, node, "command", {"asked": command.asking(sent, given, asked)})


def _limits(given: Any) -> Document | None:
    """A command's limits: in a pipeline its timeout is in seconds."""
    timeout = (given or {}).get("timeout")
    if timeout is None:
        return None
    return {"timeout": timeout if str(timeout).startswith("P") else f"PT{timeout}S"}


def _pipeline(
    emulation: Emulation, parent: Run, name: str, node: Mapping[str, Any], values: Mapping[str, Document]
) -> Run:
    spec = components.spec_of(emulation, node)
    return _step(
        emulation, parent, name, node, "pipeline",
        {
            "inputs": _inputs(spec, node, values),
            "outputs": _outputs(parent, spec, node),
            "nodes": spec.get("jobs") or {},
            "settings": {**parent.local.get("settings", {}), **(spec.get("settings") or {})},
            "compute": parent.local.get("compute"),
            "children": {},
        },
    )  # fmt: skip


def _automl(
    emulation: Emulation, parent: Run, name: str, node: Mapping[str, Any], values: Mapping[str, Document]
) -> Run:
    task = task_details(node, lambda value: _input(value, values))
    step = _step(emulation, parent, name, node, "automl", {})
    sent = {
        "jobType": "AutoML",
        "taskDetails": task,
        "experimentName": parent.experiment,
        "displayName": step.display_name,
        "computeId": step.compute,
        "tags": dict(step.tags),
        "properties": dict(node.get("properties") or {}),
    }
    _, run = automl_job.made(emulation, step.id, sent)
    properties = {**step.properties, "StepType": "AutoMLStep", **run.properties}
    return Run(**{**_fields(run), "parent": parent.id, "root": step.root, "properties": properties})


def task_details(node: Mapping[str, Any], bound: Callable[[Any], Document | None]) -> Document:
    """An AutoML node, which is written as YAML has it, as the `taskDetails` of a job."""
    task: Document = {"taskType": str(node.get("task", "")).replace("_", "").capitalize()}
    plain = (
        "target_column_name", "primary_metric", "positive_label", "weight_column_name", "cv_split_column_names",
        "validation_data_size", "test_data_size", "log_verbosity",
    )  # fmt: skip
    task |= {_camel_word(key): node[key] for key in plain if node.get(key) is not None}
    for key in ("training_data", "validation_data", "test_data"):
        if node.get(key) is not None:
            found = bound(node[key]) or {}
            task[_camel_word(key)] = {"uri": found.get("uri") or found.get("value"), "jobInputType": "mltable"}
    folds = node.get("n_cross_validations")
    if folds is not None:
        task["nCrossValidations"] = (
            {"mode": "Auto"} if str(folds).lower() == "auto" else {"mode": "Custom", "value": int(folds)}
        )
    limits = _camel(node.get("limits") or {})
    for key in ("timeout", "trialTimeout"):
        if (minutes := limits.pop(f"{key}Minutes", None)) is not None:
            limits[key] = f"PT{minutes}M"
    task["limitSettings"] = {key: value for key, value in limits.items() if value is not None}
    task["trainingSettings"] = {k: v for k, v in _camel(node.get("training") or {}).items() if v is not None}
    if node.get("featurization"):
        task["featurizationSettings"] = _camel(node["featurization"])
    return task


def components_of(emulation: Emulation, definition: Mapping[str, Any]) -> None:
    """Raises AzureError 400 where a node's component is not there, or a node imports data from elsewhere.

    Of a component in a registry it is told when the job begins.
    """
    for node in (definition.get("jobs") or {}).values():
        if str(node.get("type")).lower() == "data_transfer":
            raise not_emulated("data_transfer")
        if not str(node.get("componentId") or "").startswith("azureml://registries/"):
            components_of(emulation, components.spec_of(emulation, node))


def why_not(emulation: Emulation, definition: Mapping[str, Any]) -> str:
    """Why a pipeline cannot run here as a whole, so that none of it is begun; empty: it can."""
    try:
        _check(emulation, definition)
    except AzureError as e:
        return e.message
    if not emulation.options.allow_code and has_code(emulation, definition):
        return code_not_allowed("a pipeline with a command")
    return ""


def _check(emulation: Emulation, definition: Mapping[str, Any]) -> None:
    for node in (definition.get("jobs") or {}).values():
        if kind(emulation, node) == "pipeline":
            _check(emulation, components.spec_of(emulation, node))
        elif kind(emulation, node) == "automl":
            asked = automl_settings.read(automl_settings.shown(task_details(node, _anything)))
            if asked.refused:
                raise user_error(asked.refused)


def has_code(emulation: Emulation, definition: Mapping[str, Any]) -> bool:
    """Whether any node of a pipeline runs code that a client has sent."""
    found = [(kind(emulation, node), node) for node in (definition.get("jobs") or {}).values()]
    return any(
        each == "command" or (each == "pipeline" and has_code(emulation, components.spec_of(emulation, node)))
        for each, node in found
    )


def _anything(value: Any) -> Document:
    return {"uri": str(value)}


def _camel(given: Mapping[str, Any]) -> Document:
    return {_camel_word(str(key)): value for key, value in given.items()}


def _camel_word(text: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), text)


def _fields(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in Run.__dataclass_fields__}


_MADE: Mapping[str, Callable[[Emulation, Run, str, Mapping[str, Any], Mapping[str, Document]], Run]] = {
    "command": _command,
    "automl": _automl,
    "pipeline": _pipeline,
}
