"""Inputs and outputs of a command as paths on this machine: what goes in before it runs, and what comes out after."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.emulator import blobs
from core.emulator.assets import located, models
from core.emulator.assets.versions import registered
from core.emulator.emulation import Emulation
from core.emulator.jobs import outputs
from core.emulator.jobs.runs import Run
from core.emulator.messages import AzureError, Document

PLAIN = frozenset({"literal", "string", "number", "integer", "boolean"})


def inputs(emulation: Emulation, folder: Path, given: Mapping[str, Any]) -> dict[str, str]:
    """`inputs.x` -> its value, or the path of its data, of which the command has a copy. Raises AzureError."""
    found = {}
    for name, value in given.items():
        if value is None:
            continue
        if str(value.get("jobInputType", "literal")).lower() in PLAIN:
            found[f"inputs.{name}"] = str(value.get("value", ""))
        elif str(value.get("mode") or "").lower() == "direct":
            found[f"inputs.{name}"] = str(value["uri"])
        else:
            found[f"inputs.{name}"] = str(_copied(emulation, str(value["uri"]), folder / "inputs" / name))
    return found


def code(emulation: Emulation, folder: Path, code_id: str | None) -> None:
    """The code of a job as its working folder; an empty one where it has none. Raises AzureError."""
    target = folder / "code"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if code_id:
        _lay(emulation, code_id, target)


def output_paths(folder: Path, asked: Mapping[str, Any]) -> dict[str, str]:
    """`outputs.x` -> where the command shall write it: a folder that is there, or a file in one."""
    found = {}
    for name, value in asked.items():
        place = folder / "outputs" / name
        is_file = kind(value) == "uri_file"
        (place.parent if is_file else place).mkdir(parents=True, exist_ok=True)
        found[f"outputs.{name}"] = str(place)
    return found


def kind(output: Mapping[str, Any] | None) -> str:
    """The type of an output, such as `uri_folder`."""
    return str((output or {}).get("jobOutputType") or "uri_folder").lower()


def output_uri(run: Run, name: str, output: Mapping[str, Any] | None) -> str:
    """Where the data of an output lie: where the job says, else a place of the run's own in the default datastore."""
    said = str((output or {}).get("uri") or "").replace("${{name}}", run.id).replace("${{output_name}}", name)
    return said or f"azureml://datastores/workspaceblobstore/paths/azureml/{run.id}/{name}/"


def keep_outputs(emulation: Emulation, run: Run, folder: Path, asked: Mapping[str, Any]) -> tuple[Document, Document]:
    """Lay what the command has written where it belongs: (output -> its address, output -> its type)."""
    uris: Document = {}
    types: Document = {}
    for name, output in asked.items():
        uris[name], types[name] = output_uri(run, name, output), kind(output)
        place = located(emulation, uris[name])
        written = folder / "outputs" / name
        if written.is_dir():
            blobs.write_folder(emulation, place.container, place.name, written)
        elif written.is_file():
            with written.open("rb") as file:
                blobs.write(emulation, place.container, place.name, file)
        if (output or {}).get("assetName"):
            _registered(emulation, run, output or {}, uris[name], types[name])
    for own in ("outputs", "logs"):
        if (folder / "code" / own).is_dir():
            blobs.write_folder(emulation, outputs.CONTAINER, f"{outputs.prefix(run.id)}/{own}", folder / "code" / own)
    return uris, types


def _copied(emulation: Emulation, uri: str, target: Path) -> Path:
    place = located(emulation, uri)
    single = blobs.find(emulation, place.container, place.name) if place.name else None
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if single is None:
        _lay(emulation, uri, target)
        return target
    file = target / place.name.rpartition("/")[2]
    shutil.copyfile(place.path(emulation), file)
    return file


def _lay(emulation: Emulation, uri: str, target: Path) -> None:
    place = located(emulation, uri)
    found = place.blobs(emulation)
    if not found:
        raise AzureError(404, "UserError", f"'{uri}' cannot be mounted: there is nothing")
    start = f"{place.name}/" if place.name else ""
    for blob in found:
        file = (target / blob.name.removeprefix(start)).resolve()
        if not file.is_relative_to(target.resolve()):
            raise AzureError(400, "UserError", f"'{blob.name}' leads out of its folder")
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blobs.folder(emulation) / blob.file, file)


def _registered(emulation: Emulation, run: Run, output: Mapping[str, Any], uri: str, made: str) -> None:
    name, version = str(output["assetName"]), str(output.get("assetVersion") or "")
    said: Document = {"description": output.get("description"), "tags": {}, "properties": {}, "isArchived": False}
    if made in models.TYPES:
        sent = said | {"modelType": made, "modelUri": uri, "jobName": run.id}
        registered(emulation, "models", name, models.USUAL | models.make(emulation, {}, sent), version=version)
    else:
        registered(emulation, "data", name, said | {"dataType": made, "dataUri": uri}, version=version)
