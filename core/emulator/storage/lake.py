"""The data lake's host over the same blobs: directories, files that grow by appending, and lists of paths.

https://learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/path
"""

import hashlib
from email.utils import formatdate
from pathlib import Path
from typing import Any

from core.emulator import blobs
from core.emulator.emulation import Emulation
from core.emulator.messages import Reply, Request
from core.emulator.storage import containers
from core.emulator.storage.conditions import check_write
from core.emulator.storage.places import Place, check_container, found, refused

FOLDER = "hdi_isfolder"
"""In the metadata of an empty blob: a directory."""
JSON = {"Content-Type": "application/json"}


def is_folder(blob: blobs.Blob) -> bool:
    """Whether a blob only stands for a directory."""
    return str(blob.metadata.get(FOLDER, "")).lower() == "true"


def answer(emulation: Emulation, request: Request, place: Place) -> Reply | None:
    """What the data lake alone has; None for what blobs have as well."""
    query = request.query
    if not place.name:
        if request.method == "GET" and query.get("resource") == "filesystem":
            return _paths(emulation, request, place)
        if query.get("resource") == "filesystem":
            return containers.container(emulation, request, place)
        return None
    if "x-ms-rename-source" in request.headers:
        raise refused(501, "NotImplemented", "The emulation cannot rename paths of a data lake")
    if request.method == "PUT" and "resource" in query:
        return _create(emulation, request, place)
    if request.method == "PATCH":
        return _change(emulation, request, place)
    if request.method == "DELETE":
        return _delete(emulation, request, place)
    return None


def _create(emulation: Emulation, request: Request, place: Place) -> Reply:
    """A file or a directory, and every directory above it."""
    check_container(emulation, place)
    folder = request.query["resource"] == "directory"
    with emulation.state.lock:
        before = blobs.find(emulation, place.container, place.name)
        if before and request.headers.get("if-none-match", "").strip() == "*":
            raise refused(409, "PathAlreadyExists", "The specified path already exists.")
        check_write(request, before)
        parts = place.name.split("/")
        for parent in ("/".join(parts[:depth]) for depth in range(1, len(parts))):
            if blobs.find(emulation, place.container, parent) is None:
                blobs.write(emulation, place.container, parent, b"", metadata={FOLDER: "true"})
        if not (folder and before):
            said = containers.metadata(request) | ({FOLDER: "true"} if folder else {})
            blobs.write(emulation, place.container, place.name, b"", metadata=said)
    return Reply(201, None, _headers(emulation, place))


def _change(emulation: Emulation, request: Request, place: Place) -> Reply:
    """`append` puts bytes at a position, where they wait; `flush` makes them the file's content."""
    blob = found(emulation, place)
    action, at = request.query.get("action", ""), request.query.get("position", "0")
    waiting = _waiting(emulation, place)
    if action == "append":
        waiting.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with emulation.state.lock, waiting.open("r+b" if waiting.exists() else "w+b") as file:
            file.seek(int(at))
            file.write(request.body)
        return Reply(202)
    if action == "flush":
        with emulation.state.lock:
            size = waiting.stat().st_size if waiting.exists() else blob.size
            if size != int(at):
                raise refused(
                    400, "InvalidFlushPosition", "The uploaded data is not contiguous or the position is wrong"
                )
            if waiting.exists():
                with waiting.open("rb") as file:
                    blobs.write(emulation, place.container, place.name, file, metadata=blob.metadata)
                waiting.unlink()
        return Reply(200, None, _headers(emulation, place))
    if action in ("setProperties", "setAccessControl"):
        return Reply(200, None, _headers(emulation, place))
    raise refused(501, "NotImplemented", f"The emulation cannot '{action}' of a path")


def _delete(emulation: Emulation, request: Request, place: Place) -> Reply:
    below = blobs.listed(emulation, place.container, f"{place.name}/")
    blob = blobs.find(emulation, place.container, place.name)
    if blob is None and not below:
        raise refused(404, "PathNotFound", "The specified path does not exist.")
    if below and request.query.get("recursive", "").lower() != "true":
        raise refused(409, "DirectoryNotEmpty", "The recursive query parameter value must be true.")
    for each in [*below, *([blob] if blob else [])]:
        blobs.delete(emulation, place.container, each.name)
    return Reply(200)


def _paths(emulation: Emulation, request: Request, place: Place) -> Reply:
    check_container(emulation, place)
    folder = request.query.get("directory", "").strip("/")
    prefix = f"{folder}/" if folder else ""
    recursive = request.query.get("recursive", "true").lower() == "true"
    shown: dict[str, dict[str, Any]] = {}
    for blob in blobs.listed(emulation, place.container, prefix):
        parts = blob.name[len(prefix) :].split("/")
        for depth in range(1, len(parts)):
            name = prefix + "/".join(parts[:depth])
            if recursive or depth == 1:
                shown.setdefault(name, {"name": name, "isDirectory": "true", "contentLength": "0"})
        if recursive or len(parts) == 1:
            shown[blob.name] = _entry(blob)
    if folder and not shown and blobs.find(emulation, place.container, folder) is None:
        raise refused(404, "PathNotFound", "The specified path does not exist.")
    return Reply(200, {"paths": [shown[name] for name in sorted(shown)]}, JSON)


def _entry(blob: blobs.Blob) -> dict[str, Any]:
    said = {
        "name": blob.name, "contentLength": str(blob.size), "etag": blob.etag.strip('"'),
        "lastModified": formatdate(blob.modified_at, usegmt=True),
    }  # fmt: skip
    return said | ({"isDirectory": "true"} if is_folder(blob) else {})


def _headers(emulation: Emulation, place: Place) -> dict[str, str]:
    blob = found(emulation, place)
    return {"ETag": blob.etag, "Last-Modified": formatdate(blob.modified_at, usegmt=True)}


def _waiting(emulation: Emulation, place: Place) -> Path:
    digest = hashlib.sha256(f"{place.container}/{place.name}".encode("utf-8", "surrogatepass")).hexdigest()
    return blobs.folder(emulation) / ".appends" / digest
