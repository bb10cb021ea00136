"""Code: folders that a client uploads for its jobs, found again by the digest of their content."""

from urllib.parse import quote
from uuid import uuid4

from core.emulator.arm.pages import page
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.assets.uris import long_uri
from core.emulator.assets.versions import Asset, active, versions
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import STORAGE_DOMAIN
from core.emulator.routes import Route
from core.emulator.storage import access

USUAL: Document = {
    "description": None, "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False,
    "provisioningState": "Succeeded",
}  # fmt: skip
HOURS = 8.0


def make(emulation: Emulation, wanted: Document, sent: Document) -> Document:
    """Raises AzureError 400 for one without an address. Azure shows anonymous code as if it had a name."""
    uri = str(sent.get("codeUri") or "")
    if not uri:
        raise AzureError(400, "UserError", "A code asset needs a codeUri")
    return sent | {"codeUri": long_uri(emulation, uri, is_folder=False), "isAnonymous": False}


def listed(emulation: Emulation, request: Request) -> Reply:
    """The versions of a name; with a hash those of any name that have this content."""
    known(emulation, request)
    base = f"{emulation.names.workspace_path}/codes"
    digest = request.query.get("hash")
    if digest is None:
        found = versions(emulation, f"{base}/{request.found['name']}")
        return Reply(body=page(request, [kept for kept in reversed(found) if active(kept, request)]))
    same = [
        kept
        for key, kept in emulation.state.below(f"{base}/")
        if "/versions/" in key and (kept["properties"].get("properties") or {}).get("hash_sha256") == digest
    ]
    return Reply(body=page(request, same))


def pending_upload(emulation: Emulation, request: Request) -> Reply:
    """A container of its own for an upload that comes, and a signature that opens it for some hours."""
    known(emulation, request)
    names = emulation.names
    kind = request.document().get("pendingUploadType") or "TemporaryBlobReference"
    if kind not in ("TemporaryBlobReference", "None"):
        raise AzureError(400, "UserError", f"The emulation has no pending uploads of the type '{kind}'")
    container = f"{names.workspace_id[:10]}-{uuid4()}"
    now = emulation.clock.now()
    emulation.state.put(f"container/{container}", {"etag": '"0x8D1"', "metadata": {}, "modified_at": now})
    uri = f"https://{names.storage_account}.blob.{STORAGE_DOMAIN}:443/{container}"
    signature = access.container_sas(emulation, container, HOURS, "rcwl")
    account = f"{names.group_path}/providers/Microsoft.Storage/storageAccounts/{names.storage_account}"
    return Reply(
        body={
            "pendingUploadId": str(uuid4()),
            "pendingUploadType": kind,
            "blobReferenceForConsumption": {
                "blobUri": uri,
                "storageAccountArmId": account,
                "credential": {"credentialType": "SAS", "sasUri": f"{uri}?{signature}"},
            },
        }
    )


def credentials(emulation: Emulation, request: Request) -> Reply:
    """What opens the content of a version for a reader."""
    known(emulation, request)
    names = emulation.names
    container = quote(names.container)
    uri = f"https://{names.storage_account}.blob.{STORAGE_DOMAIN}/{container}"
    signature = access.container_sas(emulation, names.container, 1, "rl")
    credential = {"credentialType": "SAS", "sasUri": f"{uri}?{signature}"}
    return Reply(body={"blobReferenceForConsumption": {"blobUri": uri, "credential": credential}})


def same(kept: Document, sent: Document) -> bool:
    """Code is the same where its digest is."""
    digests = [(said.get("properties") or {}).get("hash_sha256") for said in (kept, sent)]
    return digests[0] is not None and digests[0] == digests[1]


ASSET = Asset("codes", "code version", ("codeUri",), make, USUAL, same)
KINDS = ASSET.kinds()
_VERSION = WORKSPACE + "/{kind}/{name}/versions/{version}"
ROUTES = (
    Route("GET", "arm", WORKSPACE + "/codes/{name}/versions", listed),
    Route("POST", "arm", _VERSION + "/startPendingUpload", pending_upload),
    Route("POST", "arm", _VERSION + "/createOrGetStartPendingUpload", pending_upload),
    Route("POST", "arm", _VERSION + "/credentials", credentials),
)
