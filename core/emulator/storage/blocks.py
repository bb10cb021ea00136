"""Blocks of a blob that is coming: each a file, until a list says which of them the blob is made of, in which order."""

import base64
import binascii
import hashlib
import shutil
import uuid
from pathlib import Path

from core.emulator import blobs
from core.emulator.emulation import Emulation
from core.emulator.messages import Reply, Request
from core.emulator.storage import xml
from core.emulator.storage.places import Place, check_container, refused

ID_BYTES_MAX = 64


def put(emulation: Emulation, request: Request, place: Place) -> Reply:
    """One block; the same id again takes the place of the one before."""
    check_container(emulation, place)
    number = request.query.get("blockid", "")
    path = _folder(emulation, place) / _file_name(number)
    digest = base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode()
    if request.headers.get("content-md5", digest) != digest:
        raise refused(400, "Md5Mismatch", "The MD5 value specified in the request did not match the MD5 calculated.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{uuid.uuid4().hex}")
    draft.write_bytes(request.body)
    draft.replace(path)
    return Reply(201, None, {"Content-MD5": digest, "x-ms-request-server-encrypted": "true"})


def assembled(emulation: Emulation, place: Place, body: bytes, draft: blobs.Draft) -> tuple[tuple[str, int], ...]:
    """Put the blocks of a list into a draft; gives id and size of each. Raises AzureError 400 for a missing one."""
    before = blobs.find(emulation, place.container, place.name)
    made = []
    for kind, number in xml.block_ids(body):
        size = draft.size
        waiting = _folder(emulation, place) / _file_name(number)
        if kind != "Committed" and waiting.is_file():
            draft.add(waiting.read_bytes())
        elif before and kind != "Uncommitted" and number in dict(before.blocks):
            _add_kept(emulation, before, number, draft)
        else:
            raise refused(400, "InvalidBlockList", "The specified block list is invalid.")
        made.append((number, draft.size - size))
    return tuple(made)


def show(emulation: Emulation, request: Request, place: Place) -> Reply:
    """The list of a blob's blocks."""
    wanted = request.query.get("blocklisttype", "committed").lower()
    blob = blobs.find(emulation, place.container, place.name)
    waiting = sorted(_folder(emulation, place).glob("[!.]*"))
    if blob is None and not waiting:
        raise refused(404, "BlobNotFound", "The specified blob does not exist.")
    parts = []
    if wanted in ("committed", "all"):
        parts.append(_listed("CommittedBlocks", list(blob.blocks) if blob else []))
    if wanted in ("uncommitted", "all"):
        numbers = [(base64.urlsafe_b64decode(path.name).decode(), path.stat().st_size) for path in waiting]
        parts.append(_listed("UncommittedBlocks", numbers))
    headers = {"x-ms-blob-content-length": str(blob.size if blob else 0)}
    return Reply(200, xml.document("BlockList", parts), headers)


def forget(emulation: Emulation, place: Place) -> None:
    """Blocks that are in no list are gone once the blob is written."""
    shutil.rmtree(_folder(emulation, place), ignore_errors=True)


def _add_kept(emulation: Emulation, blob: blobs.Blob, number: str, draft: blobs.Draft) -> None:
    start = 0
    for other, size in blob.blocks:
        if other == number:
            for piece in blobs.pieces(blobs.folder(emulation) / blob.file, start, size):
                draft.add(piece)
            return
        start += size


def _listed(name: str, numbers: list[tuple[str, int]]) -> str:
    return xml.element(
        name,
        "".join(xml.element("Block", xml.text("Name", number) + xml.text("Size", size)) for number, size in numbers),
    )


def _folder(emulation: Emulation, place: Place) -> Path:
    digest = hashlib.sha256(f"{place.container}/{place.name}".encode("utf-8", "surrogatepass")).hexdigest()
    return blobs.folder(emulation) / ".blocks" / digest


def _file_name(number: str) -> str:
    try:
        decoded = base64.b64decode(number, validate=True)
    except binascii.Error:
        decoded = b""
    if not 0 < len(decoded) <= ID_BYTES_MAX:
        raise refused(400, "InvalidQueryParameterValue", "Value for one of the query parameters is invalid: blockid")
    return base64.urlsafe_b64encode(number.encode()).decode()
