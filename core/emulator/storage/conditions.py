"""Conditional headers and ranges of a request for a blob (RFC 9110; Azure's codes for what does not hold)."""

import re
from email.utils import parsedate_to_datetime

from core.emulator.blobs import Blob
from core.emulator.messages import AzureError, Request
from core.emulator.storage.places import refused


def check_write(request: Request, blob: Blob | None) -> None:
    """Raises AzureError 409 where there must be no blob yet, 412 where another condition does not hold."""
    if blob and request.headers.get("if-none-match", "").strip() == "*":
        raise refused(409, "BlobAlreadyExists", "The specified blob already exists.")
    if not _holds(request, blob):
        raise _not_met(412)


def check_read(request: Request, blob: Blob) -> None:
    """Raises AzureError 304 or 412."""
    if not _holds(request, blob):
        unchanged = "if-none-match" in request.headers or "if-modified-since" in request.headers
        raise _not_met(304 if unchanged else 412)


def byte_range(request: Request, size: int) -> tuple[int, int] | None:
    """The first byte and the number of bytes that are wanted; None for all. Raises AzureError 416."""
    said = request.headers.get("x-ms-range") or request.headers.get("range", "")
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", said.strip())
    if not match:
        return None
    start = int(match[1])
    end = min(int(match[2]) if match[2] else size - 1, size - 1)
    if start >= size or end < start:
        raise refused(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    return start, end - start + 1


def _holds(request: Request, blob: Blob | None) -> bool:
    headers = request.headers
    etags = {"", "*"} if blob is None else {blob.etag, blob.etag.strip('"'), "*"}
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None and (blob is None or wanted.strip() not in etags):
        return False
    if unwanted is not None and blob is not None and unwanted.strip() in etags:
        return False
    if blob is None:
        return True
    changed_at = int(blob.modified_at)
    since, before = _time(headers.get("if-modified-since")), _time(headers.get("if-unmodified-since"))
    return (since is None or changed_at > since) and (before is None or changed_at <= before)


def _time(said: str | None) -> float | None:
    try:
        return parsedate_to_datetime(said).timestamp() if said else None
    except ValueError as e:
        raise refused(400, "InvalidHeaderValue", "The value for one of the HTTP headers is not valid.") from e


def _not_met(status: int) -> AzureError:
    return refused(status, "ConditionNotMet", "The condition specified using HTTP conditional headers is not met.")
