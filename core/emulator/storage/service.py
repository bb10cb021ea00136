"""The blob service: what is asked of the account, of a container, and of a blob."""

import base64
import hashlib
import re
from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from core.emulator import blobs
from core.emulator.assets.uris import ARTIFACTS
from core.emulator.blobs import Blob
from core.emulator.emulation import Emulation
from core.emulator.jobs import outputs
from core.emulator.messages import Reply, Request
from core.emulator.routes import Route
from core.emulator.storage import access, blocks, containers, lake
from core.emulator.storage.conditions import byte_range, check_read, check_write
from core.emulator.storage.containers import metadata
from core.emulator.storage.places import Place, check_container, container_key, found, place_of, refused

CONTENT = ("content-type", "content-encoding", "content-language", "cache-control", "content-disposition")


def answer(emulation: Emulation, request: Request) -> Reply:
    """Whatever comes to one of the account's hosts."""
    kind = request.host.split(".")[1]
    if kind == "file":
        raise refused(501, "NotImplemented", "The emulation has no file shares; use a blob datastore")
    access.check(emulation, request)
    reply = _blob_service(emulation, request)
    own = {"Content-Type": "application/xml", "x-ms-version": request.headers.get("x-ms-version", access.VERSION)}
    if client_id := request.headers.get("x-ms-client-request-id"):
        own["x-ms-client-request-id"] = client_id
    return Reply(reply.status, reply.body, own | dict(reply.headers))


def _blob_service(emulation: Emulation, request: Request) -> Reply:
    place = place_of(emulation, request)
    asked_below = request.query.get("prefix") or request.query.get("directory", "")
    _lay_down(emulation, place.container, place.name or asked_below)
    if request.host.split(".")[1] == "dfs" and (reply := lake.answer(emulation, request, place)):
        return reply
    if not place.said:
        return containers.account(emulation, request)
    if not place.name:
        return containers.container(emulation, request, place)
    asked = f"{request.method} {request.query.get('comp', '')}".strip()
    act = ACTS.get(asked)
    if act is None:
        raise refused(501, "NotImplemented", f"The emulation does not know '{asked}' of a blob")
    return act(emulation, request, place)


def _lay_down(emulation: Emulation, container: str, name: str) -> None:
    """What a run would have written is written when somebody first asks for it."""
    if container == ARTIFACTS and (run := re.match(r"ExperimentRun/dcid\.([^/]+)", name)):
        outputs.ensure(emulation, run[1])


def show(emulation: Emulation, request: Request, place: Place) -> Reply:
    """HEAD: what is known of a blob."""
    blob = found(emulation, place)
    check_read(request, blob)
    return Reply(200, None, properties(blob) | {"Content-Length": str(blob.size)})


def read(emulation: Emulation, request: Request, place: Place) -> Reply:
    """GET: a blob's content, or the part of it that is wanted."""
    with emulation.state.lock:
        blob = found(emulation, place)
        check_read(request, blob)
        part = byte_range(request, blob.size)
        path = blobs.folder(emulation) / blob.file
        if part is None:
            return Reply(200, path.read_bytes(), properties(blob) | _overridden(request))
        start, length = part
        content = b"".join(blobs.pieces(path, start, length))
    headers = properties(blob) | _overridden(request)
    if whole := headers.pop("Content-MD5", ""):
        headers["x-ms-blob-content-md5"] = whole
    if request.headers.get("x-ms-range-get-content-md5") == "true":
        headers["Content-MD5"] = _md5(content)
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{blob.size}"
    return Reply(206, content, headers)


def put(emulation: Emulation, request: Request, place: Place) -> Reply:
    """A whole blob at once, an empty one to append to, or a copy of another."""
    check_container(emulation, place)
    if "x-ms-copy-source" in request.headers:
        return _copy(emulation, request, place)
    kind = request.headers.get("x-ms-blob-type", "")
    if kind not in ("BlockBlob", "AppendBlob"):
        raise refused(400, "InvalidHeaderValue", f"The emulation has block and append blobs, and no '{kind}'")
    _check_md5(request, request.headers.get("content-md5") or request.headers.get("x-ms-blob-content-md5"))
    with blobs.Draft(emulation) as draft:
        draft.add(request.body)
        blob = publish(emulation, request, place, draft, kind=kind)
    return Reply(201, None, written(blob) | {"Content-MD5": blob.md5})


def publish(emulation: Emulation, request: Request, place: Place, draft: blobs.Draft, **more: object) -> Blob:
    """Make a blob of a draft if the request's conditions hold now."""
    with emulation.state.lock:
        check_write(request, blobs.find(emulation, place.container, place.name))
        blob = draft.publish(place.container, place.name, content_of(request), metadata(request), **more)
        blocks.forget(emulation, place)
    return blob


def put_metadata(emulation: Emulation, request: Request, place: Place) -> Reply:
    with emulation.state.lock:
        blob = found(emulation, place)
        check_write(request, blob)
        kept = {lake.FOLDER: "true"} if lake.is_folder(blob) else {}
        return Reply(200, None, written(blobs.describe(emulation, blob, metadata=metadata(request) | kept)))


def put_properties(emulation: Emulation, request: Request, place: Place) -> Reply:
    with emulation.state.lock:
        blob = found(emulation, place)
        check_write(request, blob)
        return Reply(200, None, written(blobs.describe(emulation, blob, content=content_of(request))))


def append(emulation: Emulation, request: Request, place: Place) -> Reply:
    """Append a block to an append blob."""
    with emulation.state.lock:
        blob = found(emulation, place)
        check_write(request, blob)
        if blob.kind != "AppendBlob":
            raise refused(409, "InvalidBlobType", "The blob type is invalid for this operation.")
        at = request.headers.get("x-ms-blob-condition-appendpos")
        if at is not None and int(at) != blob.size:
            raise refused(412, "AppendPositionConditionNotMet", "The append position condition specified is not met.")
        made = blobs.append(emulation, place.container, place.name, request.body)
    said = {"x-ms-blob-append-offset": str(blob.size), "x-ms-blob-committed-block-count": "1"}
    return Reply(201, None, written(made) | said)


def remove(emulation: Emulation, request: Request, place: Place) -> Reply:
    with emulation.state.lock:
        check_write(request, found(emulation, place))
        blobs.delete(emulation, place.container, place.name)
    return Reply(202, None, {"x-ms-delete-type-permanent": "true"})


def tier(emulation: Emulation, request: Request, place: Place) -> Reply:
    """Nothing is hot or cool on one disk."""
    found(emulation, place)
    return Reply(200)


def put_block_list(emulation: Emulation, request: Request, place: Place) -> Reply:
    """Make a blob of its blocks, those that came now and those that it had."""
    check_container(emulation, place)
    _check_md5(request, request.headers.get("content-md5"))
    with blobs.Draft(emulation) as draft:
        made = blocks.assembled(emulation, place, request.body, draft)
        blob = publish(emulation, request, place, draft, blocks=made)
    if given := request.headers.get("x-ms-blob-content-md5"):
        blob = blobs.describe(emulation, blob, md5=given)
    return Reply(201, None, written(blob))


def properties(blob: Blob) -> dict[str, str]:
    """The headers that describe a blob."""
    said = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
    own = {
        "Accept-Ranges": "bytes",
        "Last-Modified": formatdate(blob.modified_at, usegmt=True),
        "ETag": blob.etag,
        "x-ms-blob-type": blob.kind,
        "x-ms-creation-time": formatdate(blob.created_at, usegmt=True),
        "x-ms-access-tier": "Hot",
        "x-ms-access-tier-inferred": "true",
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "true",
    }
    own["x-ms-resource-type"] = "directory" if lake.is_folder(blob) else "file"
    return own | said | dict(blob.content) | ({"Content-MD5": blob.md5} if blob.md5 else {})


def written(blob: Blob) -> dict[str, str]:
    """The headers after a change."""
    return {
        "ETag": blob.etag,
        "Last-Modified": formatdate(blob.modified_at, usegmt=True),
        "x-ms-request-server-encrypted": "true",
    }


def content_of(request: Request) -> dict[str, str]:
    """What readers of the blob are to be told, as its writer says it."""
    found = {name: request.headers.get(f"x-ms-blob-{name}", "") for name in CONTENT}
    if not found["content-type"] and request.query.get("comp") is None:
        found["content-type"] = request.headers.get("content-type", "")
    return {name: value for name, value in found.items() if value}


def _copy(emulation: Emulation, request: Request, place: Place) -> Reply:
    url = urlsplit(request.headers["x-ms-copy-source"])
    account, _, rest = (url.hostname or "").partition(".")
    container, _, name = unquote(url.path).lstrip("/").partition("/")
    if rest != request.host.partition(".")[2]:
        raise refused(400, "CannotVerifyCopySource", f"The emulation cannot reach {url.hostname}")
    source = found(emulation, Place(container_key(emulation, account, container), name, container))
    said = metadata(request) or dict(source.metadata)
    with emulation.state.lock, (blobs.folder(emulation) / source.file).open("rb") as file:
        check_write(request, blobs.find(emulation, place.container, place.name))
        blob = blobs.write(emulation, place.container, place.name, file, headers=source.content, metadata=said)
    done: Mapping[str, str] = {"x-ms-copy-id": str(uuid4()), "x-ms-copy-status": "success"}
    return Reply(202, None, written(blob) | dict(done))


def _overridden(request: Request) -> dict[str, str]:
    """A signature may say under which headers its blob is given out."""
    shown = {"rsct": "content-type", "rscc": "cache-control", "rscd": "content-disposition", "rsce": "content-encoding"}
    return {header: request.query[name] for name, header in shown.items() if name in request.query}


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _check_md5(request: Request, said: str | None) -> None:
    if said and said != _md5(request.body):
        raise refused(400, "Md5Mismatch", "The MD5 value specified in the request did not match the MD5 calculated.")


ACTS = {
    "HEAD": show,
    "HEAD metadata": show,
    "GET": read,
    "GET metadata": show,
    "GET blocklist": blocks.show,
    "PUT": put,
    "PUT block": blocks.put,
    "PUT blocklist": put_block_list,
    "PUT metadata": put_metadata,
    "PUT properties": put_properties,
    "PUT appendblock": append,
    "PUT tier": tier,
    "DELETE": remove,
}
ROUTES = (Route("*", "blob", "/{rest:rest}", answer),)
