"""The account and its containers: what there is, and the lists of blobs."""

import base64
import re
from email.utils import formatdate
from uuid import uuid4

from core.emulator import blobs
from core.emulator.blobs import Blob
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.storage import access, xml
from core.emulator.storage.places import Place, check_container, container_key, refused

PAGE_MAX = 5000
XML = {"Content-Type": "application/xml"}


def account(emulation: Emulation, request: Request) -> Reply:
    """What is asked of the account itself."""
    asked = (request.method, request.query.get("restype", ""), request.query.get("comp", ""))
    if asked == ("GET", "", "list"):
        return _containers(emulation, request)
    if asked == ("POST", "service", "userdelegationkey"):
        return _delegation_key(emulation, request)
    if asked[1:] == ("account", "properties"):
        return Reply(200, None, {"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2"})
    if asked == ("GET", "service", "properties"):
        return Reply(200, xml.document("StorageServiceProperties", ()), XML)
    raise refused(501, "NotImplemented", f"The emulation cannot {request.method} '{asked[2]}' of an account")


def container(emulation: Emulation, request: Request, place: Place) -> Reply:
    """What is asked of a container."""
    if request.query.get("restype") == "account":
        return account(emulation, request)
    asked = (request.method, request.query.get("comp", ""))
    if asked == ("PUT", ""):
        return _make(emulation, request, place)
    check_container(emulation, place)
    if asked == ("GET", "list"):
        return blob_list(emulation, request, place)
    if asked[0] in ("GET", "HEAD") and asked[1] in ("", "metadata"):
        return Reply(200, None, _headers(emulation, place))
    if asked == ("PUT", "metadata"):
        emulation.state.put(f"container/{place.container}", _kept(emulation, place) | {"metadata": metadata(request)})
        return Reply(200, None, _headers(emulation, place))
    if asked == ("DELETE", ""):
        return _remove(emulation, place)
    raise refused(501, "NotImplemented", f"The emulation cannot {request.method} '{asked[1]}' of a container")


def blob_list(emulation: Emulation, request: Request, place: Place) -> Reply:
    """One page of a container's blobs, and of the folders that a delimiter makes of their names."""
    query = request.query
    prefix, delimiter, marker = query.get("prefix", ""), query.get("delimiter", ""), query.get("marker", "")
    size = _page_size(query.get("maxresults"))
    start = _unmarked(marker)
    shown: list[str] = []
    last, following = "", ""
    for blob in blobs.listed(emulation, place.container, prefix):
        head, cut, _ = blob.name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        name = f"{prefix}{head}{cut}" if cut else blob.name
        if name < start or (cut and name == last):
            continue
        if len(shown) == size:
            following = base64.urlsafe_b64encode(name.encode()).decode()
            break
        last = name
        shown.append(
            xml.element("BlobPrefix", xml.named(name)) if cut else _entry(blob, "metadata" in query.get("include", ""))
        )
    said = {"Prefix": prefix, "Marker": marker, "MaxResults": query.get("maxresults", ""), "Delimiter": delimiter}
    parts = (xml.texts(said), xml.element("Blobs", "".join(shown)), xml.text("NextMarker", following))
    about = {"ServiceEndpoint": f"https://{request.host}/", "ContainerName": place.said}
    return Reply(200, xml.document("EnumerationResults", parts, about), XML)


def metadata(request: Request) -> dict[str, str]:
    """What a request says of a blob or a container."""
    prefix = "x-ms-meta-"
    return {name.removeprefix(prefix): value for name, value in request.headers.items() if name.startswith(prefix)}


def _entry(blob: Blob, with_metadata: bool) -> str:
    said = {
        "Creation-Time": formatdate(blob.created_at, usegmt=True),
        "Last-Modified": formatdate(blob.modified_at, usegmt=True),
        "Etag": blob.etag.strip('"'),
        "Content-Length": blob.size,
        "Content-Type": blob.content.get("content-type", blobs.OCTETS),
        "Content-Encoding": blob.content.get("content-encoding"),
        "Content-Language": blob.content.get("content-language"),
        "Content-MD5": blob.md5,
        "Cache-Control": blob.content.get("cache-control"),
        "Content-Disposition": blob.content.get("content-disposition"),
        "BlobType": blob.kind,
        "AccessTier": "Hot",
        "AccessTierInferred": "true",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }
    more = xml.element("Metadata", xml.texts(blob.metadata)) if with_metadata else ""
    return xml.element("Blob", xml.named(blob.name) + xml.element("Properties", xml.texts(said)) + more)


def _page_size(said: str | None) -> int:
    try:
        size = int(said or PAGE_MAX)
    except ValueError:
        size = 0
    if size < 1:
        raise refused(400, "OutOfRangeQueryParameterValue", "The value of maxresults is out of range")
    return min(size, PAGE_MAX)


def _unmarked(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker.encode()).decode()
    except ValueError as e:
        raise refused(400, "OutOfRangeInput", "One of the request inputs is out of range: marker") from e


def _containers(emulation: Emulation, request: Request) -> Reply:
    prefix = request.query.get("prefix", "")
    own = container_key(emulation, request.host.partition(".")[0], "")
    shown = []
    for name, kept in sorted(blobs.containers(emulation).items()):
        if not name.startswith(own + prefix) or ("." in name and not own):
            continue
        said = {
            "Last-Modified": formatdate(kept.get("modified_at", emulation.clock.now()), usegmt=True),
            "Etag": str(kept.get("etag", "0x8D")).strip('"'), "LeaseStatus": "unlocked", "LeaseState": "available",
        }  # fmt: skip
        shown.append(
            xml.element(
                "Container", xml.text("Name", name.removeprefix(own)) + xml.element("Properties", xml.texts(said))
            )
        )
    parts = (xml.texts({"Prefix": prefix}), xml.element("Containers", "".join(shown)), xml.element("NextMarker"))
    return Reply(200, xml.document("EnumerationResults", parts, {"ServiceEndpoint": f"https://{request.host}/"}), XML)


def _make(emulation: Emulation, request: Request, place: Place) -> Reply:
    with emulation.state.lock:
        if place.container in blobs.containers(emulation):
            raise refused(409, "ContainerAlreadyExists", "The specified container already exists.")
        emulation.state.put(f"container/{place.container}", _kept(emulation, place) | {"metadata": metadata(request)})
    return Reply(201, None, _headers(emulation, place))


def _remove(emulation: Emulation, place: Place) -> Reply:
    if place.container in (emulation.names.container, "azureml"):
        raise AzureError(409, "ContainerBeingUsed", "The workspace's own container cannot be deleted in an emulation")
    for blob in blobs.listed(emulation, place.container):
        blobs.delete(emulation, place.container, blob.name)
    emulation.state.delete(f"container/{place.container}")
    return Reply(202)


def _kept(emulation: Emulation, place: Place) -> Document:
    now = emulation.clock.now()
    etag = f'"0x{uuid4().hex[:15].upper()}"'
    return {"etag": etag, "metadata": {}} | blobs.containers(emulation).get(place.container, {}) | {"modified_at": now}


def _headers(emulation: Emulation, place: Place) -> dict[str, str]:
    kept = _kept(emulation, place)
    said = {f"x-ms-meta-{name}": value for name, value in kept["metadata"].items()}
    return {
        "ETag": kept["etag"], "Last-Modified": formatdate(kept["modified_at"], usegmt=True),
        "x-ms-lease-status": "unlocked", "x-ms-lease-state": "available", **said,
    }  # fmt: skip


def _delegation_key(emulation: Emulation, request: Request) -> Reply:
    """A key of Entra's, for signatures of whoever has a token and no key."""
    start, expiry = (re.search(rf"<{name}>([^<]*)</".encode(), request.body) for name in ("Start", "Expiry"))
    fields = {
        "skoid": emulation.names.client,
        "sktid": emulation.names.tenant,
        "skt": start[1].decode() if start else "",
        "ske": expiry[1].decode() if expiry else "",
        "sks": "b",
        "skv": request.headers.get("x-ms-version", access.VERSION),
    }
    said = {
        "SignedOid": fields["skoid"], "SignedTid": fields["sktid"], "SignedStart": fields["skt"],
        "SignedExpiry": fields["ske"], "SignedService": fields["sks"], "SignedVersion": fields["skv"],
        "Value": access.delegation_key(emulation, fields),
    }  # fmt: skip
    return Reply(200, xml.document("UserDelegationKey", (xml.texts(said),)), XML)
