"""Where the content lies that an address of Azure ML means: a container, and a name or a prefix in it."""

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from core.emulator import blobs
from core.emulator.blobs import Blob
from core.emulator.emulation import Emulation
from core.emulator.jobs import outputs, runs
from core.emulator.messages import AzureError, Document
from core.emulator.storage.lake import is_folder
from core.emulator.storage.places import container_key

ARTIFACTS = "azureml"
"""The container of all runs' artifacts, in the datastore `workspaceartifactstore`."""
CONTENT = {"data": "dataUri", "models": "modelUri", "codes": "codeUri"}
"""Kind of asset -> the property that says where its content lies."""


@dataclass(frozen=True, slots=True)
class Location:
    """A blob, or all blobs below a folder."""

    container: str
    name: str
    """Without a slash at its end; empty for the whole container."""
    type: str = ""
    """Of the data asset that led here: uri_file, uri_folder or mltable."""

    def path(self, emulation: Emulation) -> Path:
        """Its file or folder on this machine."""
        return blobs.path_of(emulation, self.container, self.name)

    def blobs(self, emulation: Emulation) -> list[Blob]:
        """The blob of that name, or all below it, by name."""
        blob = blobs.find(emulation, self.container, self.name) if self.name else None
        if blob and not is_folder(blob):
            return [blob]
        below = blobs.listed(emulation, self.container, f"{self.name}/" if self.name else "")
        return [each for each in below if not is_folder(each)]

    def below(self, path: str) -> "Location":
        """What a relative path means here; `..` leads upwards. Raises AzureError 400 for one that leads out."""
        parts = self.name.split("/") if self.name else []
        for part in path.split("/"):
            if part == ".." and not parts:
                raise _bad(path, "it leads out of its container")
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return Location(self.container, "/".join(parts))


def artifacts_of(job: str) -> str:
    """The prefix of a job's artifacts in the container ARTIFACTS, as Azure has it."""
    return f"ExperimentRun/dcid.{job}"


def located(emulation: Emulation, uri: str) -> Location:
    """Where an address leads. Raises AzureError 400 for one that is none, 404 for what is not there."""
    said = uri.strip()
    for pattern, found in _FORMS:
        if match := re.fullmatch(pattern, said, re.IGNORECASE | re.DOTALL):
            return found(emulation, *match.groups())
    raise _bad(uri, "it is no address of data that the emulation can read")


def folder_of(emulation: Emulation, uri: str) -> Path:
    """A folder on this machine with everything below an address. Raises AzureError 400 or 404."""
    place = located(emulation, uri)
    found = place.blobs(emulation)
    if not found:
        raise AzureError(404, "UserError", f"There is nothing at '{uri}'")
    if all(blob.file == f"{blob.container}/{blob.name}" for blob in found):
        return place.path(emulation)
    said = hashlib.sha256("".join(f"{blob.name}:{blob.etag}" for blob in found).encode()).hexdigest()[:32]
    copy = emulation.folder / "copies" / said
    for blob in found:
        target = (copy / blob.name[len(place.name) :].lstrip("/")).resolve()
        if target.is_relative_to(copy.resolve()) and not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(blobs.folder(emulation) / blob.file, target)
    return copy


def long_uri(emulation: Emulation, uri: str, *, is_folder: bool) -> str:
    """An address as Azure shows it in an asset: with the subscription, and a slash at the end of folders."""
    names = emulation.names
    short = re.fullmatch(r"azureml://datastores/(.+)", uri, re.IGNORECASE)
    if short:
        uri = (
            f"azureml://subscriptions/{names.subscription}/resourcegroups/{names.resource_group}"
            f"/workspaces/{names.workspace}/datastores/{short[1]}"
        )
    return f"{uri.rstrip('/')}/" if is_folder and uri.startswith("azureml://") else uri


def datastore(emulation: Emulation, name: str) -> Document:
    """The properties of a datastore. Raises AzureError 404."""
    kept: Document | None = emulation.state.get(f"{emulation.names.workspace_path}/datastores/{name}")
    if kept is None:
        raise AzureError(404, "UserError", f"Could not find datastore: {name}.")
    properties: Document = kept["properties"]
    return properties


def asset(emulation: Emulation, kind: str, name: str, version: str) -> Document:
    """A version of an asset; `latest` is the one that was made last. Raises AzureError 404."""
    base = f"{emulation.names.workspace_path}/{kind}/{name}/versions/"
    found = [kept for key, kept in emulation.state.below(base) if key.count("/") == base.count("/")]
    if version.lower() in ("latest", ""):
        chosen = max(found, key=lambda kept: str(kept["systemData"]["createdAt"]), default=None)
    else:
        chosen = next((kept for kept in found if str(kept["name"]).lower() == version.lower()), None)
    if chosen is None:
        raise AzureError(404, "UserError", f"Could not find asset with ID: {kind}/{name}/versions/{version}")
    return chosen


def _at_datastore(emulation: Emulation, name: str, path: str) -> Location:
    found = datastore(emulation, name)
    container = found.get("containerName") or found.get("filesystem")
    if not container:
        raise _bad(name, f"a datastore of the type {found.get('datastoreType')} holds nothing that can be read here")
    place = Location(container_key(emulation, str(found["accountName"]), str(container)), path.strip("/"))
    plain = unquote(place.name)
    # The SDK writes paths as they are, others with percent signs: what is there tells which it is.
    return place if plain == place.name or place.blobs(emulation) else Location(place.container, plain)


def _at_asset(emulation: Emulation, kind: str, name: str, version: str) -> Location:
    properties = asset(emulation, kind.lower(), name, version)["properties"]
    place = located(emulation, str(properties[CONTENT[kind.lower()]]))
    return Location(place.container, place.name, str(properties.get("dataType") or ""))


def _at_data(emulation: Emulation, name: str, version: str) -> Location:
    return _at_asset(emulation, "data", name, version)


def _at_job(emulation: Emulation, job: str, output: str, path: str | None) -> Location:
    """Named outputs lie where their job says, `artifacts` and `default` with all artifacts of the run."""
    rest = (path or "").strip("/")
    if output.lower() in ("artifacts", "default"):
        outputs.ensure(emulation, job)
        return Location(ARTIFACTS, f"{artifacts_of(job)}/{rest}".strip("/"))
    run = runs.find(emulation, job)
    said = run.outputs.get(output) if run else None
    if said is None:
        kept = emulation.state.get(f"{emulation.names.workspace_path}/jobs/{job}") or {}
        said = ((kept.get("properties", {}).get("outputs") or {}).get(output) or {}).get("uri")
    place = located(emulation, said) if said else Location(emulation.names.container, f"azureml/{job}/{output}")
    return place.below(rest)


def _at_run(emulation: Emulation, run: str, path: str) -> Location:
    return _at_job(emulation, run, "artifacts", path)


def _at_url(emulation: Emulation, account: str, container: str, path: str | None) -> Location:
    plain = unquote((path or "").partition("?")[0]).strip("/")
    return Location(container_key(emulation, account, container), plain)


def _at_wasbs(emulation: Emulation, container: str, account: str, path: str | None) -> Location:
    return _at_url(emulation, account, container, path)


def _elsewhere(emulation: Emulation, registry: str) -> Location:
    raise _bad(registry, "registries have nothing to read in an emulation")


def _bad(uri: str, why: str) -> AzureError:
    return AzureError(400, "UserError", f"'{uri}' cannot be read: {why}")


_WORKSPACE = r"azureml:/?/?subscriptions/[^/]+/resourcegroups/[^/]+(?:/providers/[^/]+)?/workspaces/[^/]+"
_ARM = r"(?:azureml:)?/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/workspaces/[^/]+"
_KINDS = "(data|models|codes)"
_HOST = r"([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net(?::443)?"
_FORMS: tuple[tuple[str, Callable[..., Location]], ...] = (
    (r"azureml://datastores/([^/]+)/(?:paths/?)?(.*)", _at_datastore),
    (_WORKSPACE + r"/datastores/([^/]+)/(?:paths/?)?(.*)", _at_datastore),
    (r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths)?(/.*)?", _at_job),
    (_WORKSPACE + r"/jobs/([^/]+)/outputs/([^/]+)(?:/paths)?(/.*)?", _at_job),
    (rf"{_ARM}/{_KINDS}/([^/]+)/versions/([^/]+)/?", _at_asset),
    (rf"{_WORKSPACE}/{_KINDS}/([^/]+)/versions/([^/]+)/?", _at_asset),
    (rf"azureml://locations/[^/]+/workspaces/[^/]+/{_KINDS}/([^/]+)/versions/([^/]+)/?", _at_asset),
    (rf"azureml://resourcegroups/[^/]+/workspaces/[^/]+/{_KINDS}/([^/]+)/versions/([^/]+)/?", _at_asset),
    (rf"azureml://{_KINDS}/([^/]+)/versions/([^/]+)/?", _at_asset),
    (r"azureml://registries/([^/]+)/.*", _elsewhere),
    (r"runs:/([^/]+)/(.*)", _at_run),
    (rf"https?://{_HOST}/([^/?]+)(/.*)?", _at_url),
    (rf"(?:wasbs?|abfss?)://([^@/]+)@{_HOST}(/.*)?", _at_wasbs),
    (r"(?:azureml:)?([A-Za-z0-9][\w.-]*)[:@]([\w.-]+)", _at_data),
)
