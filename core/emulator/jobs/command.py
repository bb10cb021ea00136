"""Command jobs: a client's code, run on this machine where that was allowed, each in a process of its own."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.emulator import blobs, entra
from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_settings, experiments, mounted, outputs, processes, runs
from core.emulator.jobs.expressions import NothingThere, filled
from core.emulator.jobs.refusals import code_not_allowed, due, user_error
from core.emulator.jobs.runs import Run
from core.emulator.jobs.shapes import common, default_output, job_inputs
from core.emulator.messages import AzureError, Document

AT_ONCE = 4
"""So many commands run at the same time; the others are queued."""
LOG = f"user_logs/{processes.LOG}"
TAIL_LINES = 12


def made(emulation: Emulation, name: str, sent: Document) -> tuple[Document, Run]:
    """A command job as it is accepted. Raises AzureError 400. Where no code may run it fails soon after."""
    if not sent.get("command"):
        raise user_error("command: a command job needs a command.")
    given = job_inputs(sent.get("inputs"))
    asked = {key: _output(value) for key, value in (sent.get("outputs") or {}).items()}
    properties = common(emulation, name, sent) | {
        "command": sent["command"],
        "codeId": sent.get("codeId"),
        "environmentId": sent.get("environmentId"),
        "environmentVariables": sent.get("environmentVariables") or {},
        "inputs": given,
        "outputs": default_output(name) | asked,
        "distribution": sent.get("distribution"),
        "limits": sent.get("limits"),
        "queueSettings": sent.get("queueSettings"),
        "parameters": None,
        "resources": {
            "instanceCount": 1, "instanceType": None, "properties": None, "shmSize": "2g", "dockerArgs": None,
            **(sent.get("resources") or {}),
        },
    }  # fmt: skip
    if not sent.get("secretsConfiguration"):
        del properties["secretsConfiguration"]
    run = Run(
        id=name,
        experiment=properties["experimentName"],
        kind="command",
        created_at=emulation.clock.now(),
        display_name=properties["displayName"],
        description=properties["description"],
        tags=properties["tags"],
        properties={
            "_azureml.ComputeTargetType": "amlctrain",
            "ContentSnapshotId": "",
            "azureml.git.dirty": "False",
            **properties["properties"],
        },
        params={key: str(value["value"]) for key, value in given.items() if "value" in (value or {})},
        compute=(properties["computeId"] or "").rpartition("/")[2],
        archived=properties["isArchived"],
        local={"asked": asking(sent, given, asked)},
    )
    return properties, run


def asking(sent: Mapping[str, Any], given: Mapping[str, Any], asked: Mapping[str, Any]) -> Document:
    """What a command's process needs to know."""
    return {
        "command": sent["command"],
        "code": sent.get("codeId"),
        "environ": dict(sent.get("environmentVariables") or {}),
        "inputs": dict(given),
        "outputs": dict(asked),
        "timeout": (sent.get("limits") or {}).get("timeout"),
    }


def begin(emulation: Emulation, run: Run) -> Run:
    """Start the process, where there is room for one more."""
    if not emulation.options.allow_code:
        return _not_allowed(emulation, run) if due(emulation, run) else run
    going = [each for each in runs.unfinished(emulation, "command") if "process" in each.local]
    if len(going) >= AT_ONCE:
        return run if run.status == "Queued" else runs.change(emulation, run.id, status="Queued")
    folder, asked = place(emulation, run), run.local["asked"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        mounted.code(emulation, folder, asked["code"])
        values = mounted.inputs(emulation, folder, asked["inputs"])
        values |= mounted.output_paths(folder, asked["outputs"])
        line = filled(asked["command"], values)
    except AzureError as e:
        return failed(emulation, run, e.message)
    except NothingThere as e:
        return failed(emulation, run, f"The command names '{e}', which the job does not have.")
    with emulation.state.lock:
        if runs.get(emulation, run.id).final:
            return run
        process = processes.start(emulation, folder, line, _environ(emulation, run, folder, values))
        local = {**run.local, "process": process}
        return runs.change(emulation, run.id, status="Running", started_at=emulation.clock.now(), local=local)


def advance(emulation: Emulation, run: Run) -> Run:
    """Where the process stands; its words so far are in the log."""
    process = run.local.get("process")
    if process is None or run.final or run.status == "Finalizing":
        return run
    with emulation.state.lock:
        run = runs.get(emulation, run.id)
        if run.final:
            return run
        _copy_log(emulation, run)
        code = processes.exit_code(place(emulation, run))
        if run.status == "CancelRequested":
            return _ending(emulation, run)
        if code is None and processes.alive(process):
            return _timed(emulation, run)
        if code is None:
            # The machine was taken away, as a low-priority node of Azure is: the job begins again.
            local = {name: value for name, value in run.local.items() if name != "process"}
            return runs.change(emulation, run.id, status="NotStarted", local=local)
        if code:
            return failed(emulation, run, _why(emulation, run, code))
        return runs.change(emulation, run.id, status="Finalizing")


def finish(emulation: Emulation, run: Run) -> Run:
    """Keep what the command has written, and end the run."""
    folder = place(emulation, run)
    _copy_log(emulation, run)
    try:
        uris, types = mounted.keep_outputs(emulation, run, folder, run.local["asked"]["outputs"])
    except AzureError as e:
        return failed(emulation, run, f"The outputs cannot be kept: {e.message}")
    ended = runs.ended(emulation, run.id, "Completed", outputs=uris, output_types=types)
    shutil.rmtree(folder, ignore_errors=True)
    return ended


def cancel(emulation: Emulation, run: Run) -> Run:
    """Ask the process to end; one that has not begun is canceled now."""
    if "process" not in run.local:
        return runs.ended(emulation, run.id, "Canceled")
    processes.end(run.local["process"])
    local = {**run.local, "asked_at": time.time()}
    return runs.change(emulation, run.id, status="CancelRequested", local=local)


def failed(emulation: Emulation, run: Run, message: str) -> Run:
    """A run that has failed, with Azure's code for what a user can mend."""
    return runs.ended(emulation, run.id, "Failed", {"code": "UserError", "message": message})


def _not_allowed(emulation: Emulation, run: Run) -> Run:
    why = code_not_allowed("a command job")
    blobs.append(emulation, outputs.CONTAINER, f"{outputs.prefix(run.id)}/{LOG}", f"{why}\n".encode())
    return failed(emulation, run, why)


def place(emulation: Emulation, run: Run) -> Path:
    """The folder in which a command works."""
    return emulation.folder / "work" / run.number


def _ending(emulation: Emulation, run: Run) -> Run:
    process = run.local["process"]
    if not processes.alive(process):
        shutil.rmtree(place(emulation, run), ignore_errors=True)
        return runs.ended(emulation, run.id, "Canceled")
    if time.time() - run.local.get("asked_at", 0) > processes.KILL_AFTER_S:
        processes.end(process, hard=True)
    return run


def _timed(emulation: Emulation, run: Run) -> Run:
    timeout = run.local["asked"].get("timeout")
    if not timeout:
        return run
    allowed_s = emulation.clock.real_s(automl_settings.seconds(timeout))
    if time.time() - run.local["process"]["born"] <= allowed_s:
        return run
    processes.end(run.local["process"], hard=True)
    return failed(emulation, run, f"The job has reached its timeout, {timeout}.")


def _environ(emulation: Emulation, run: Run, folder: Path, values: Mapping[str, str]) -> dict[str, str]:
    names = emulation.names
    bin_folder = processes.own_environment(folder)
    token = entra.signed(emulation, "https://ml.azure.com", emulation.clock.real() + 24 * 3600)
    tracking = f"https://{names.api_host}/mlflow/v1.0{names.workspace_path}"
    mounts = {f"AZURE_ML_{name.replace('.', '_').replace('inputs', 'INPUT').replace('outputs', 'OUTPUT')}": value
              for name, value in values.items()}  # fmt: skip
    return {
        **processes.base_environ(bin_folder, folder),
        **emulation.client,
        "AZUREML_RUN_ID": run.id,
        "AZUREML_ROOT_RUN_ID": run.root or run.id,
        "AZUREML_RUN_TOKEN": token,
        "AZUREML_ARM_PROJECT_NAME": run.experiment,
        "AZUREML_EXPERIMENT_ID": experiments.number(emulation, run.experiment),
        "AZUREML_WORKSPACE_ID": names.workspace_id,
        "AZUREML_SERVICE_ENDPOINT": f"https://{names.api_host}",
        "MLFLOW_TRACKING_URI": tracking,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": run.id,
        "MLFLOW_EXPERIMENT_ID": experiments.number(emulation, run.experiment),
        "MLFLOW_EXPERIMENT_NAME": run.experiment,
        **mounts,
        **{name: str(value) for name, value in run.local["asked"]["environ"].items()},
    }


def _copy_log(emulation: Emulation, run: Run) -> None:
    """What the command has said since it was looked at last goes behind what is kept."""
    name = f"{outputs.prefix(run.id)}/{LOG}"
    kept = blobs.find(emulation, outputs.CONTAINER, name)
    try:
        with (place(emulation, run) / processes.LOG).open("rb") as file:
            file.seek(kept.size if kept else 0, os.SEEK_SET)
            new = file.read()
    except OSError:
        return
    if new or kept is None:
        blobs.append(emulation, outputs.CONTAINER, name, new)


def _why(emulation: Emulation, run: Run, code: int) -> str:
    log = blobs.read(emulation, outputs.CONTAINER, f"{outputs.prefix(run.id)}/{LOG}").decode("utf-8", "replace")
    end = "\n".join(log.rstrip().splitlines()[-TAIL_LINES:])
    return (
        f"Execution failed. User process exited with status code {code}. Please check log file '{LOG}' for error"
        f" details. Error: {end}"
    )


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
