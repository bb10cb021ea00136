"""Datastores: the names under which a workspace knows its storage, and the secrets that open it."""

from core.emulator.arm.kinds import Kind
from core.emulator.assets.uris import ARTIFACTS
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE, STORAGE_DOMAIN
from core.emulator.storage import access

TYPES = ("AzureBlob", "AzureDataLakeGen1", "AzureDataLakeGen2", "AzureFile", "OneLake")
OWN = {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"}
DEFAULT = "workspaceblobstore"


def make_own(emulation: Emulation) -> None:
    """The datastores that every workspace has from its beginning."""
    names = emulation.names
    blob, share = {"datastoreType": "AzureBlob"}, {"datastoreType": "AzureFile"}
    own = {
        DEFAULT: blob | {"containerName": names.container},
        "workspaceartifactstore": blob | {"containerName": ARTIFACTS},
        "workspacefilestore": {
            "datastoreType": "AzureFile",
            "fileShareName": f"azureml-filestore-{names.workspace_id}",
        },
        "workspaceworkingdirectory": share | {"fileShareName": "code-391ff5ac-6576-460f-ba4d"},
    }
    now = iso(emulation.clock.now())
    for name, said in own.items():
        path = f"{names.workspace_path}/datastores/{name}"
        if emulation.state.get(path) is None:
            about = {"accountName": names.storage_account, "endpoint": STORAGE_DOMAIN, "protocol": "https"}
            properties = {
                "description": None, "tags": None, "properties": None, "isDefault": name == DEFAULT,
                "credentials": {"credentialsType": "AccountKey"}, **said, **about,
                "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
            }  # fmt: skip
            who = {"createdAt": now, "createdBy": names.client, "createdByType": "Application"}
            changed = {"lastModifiedAt": now, "lastModifiedBy": names.client, "lastModifiedByType": "Application"}
            kept = {"id": path, "name": name, "type": f"{NAMESPACE}/workspaces/datastores", "properties": properties}
            emulation.state.put(path, kept | {"systemData": who | changed})


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Keep a datastore, and its secrets apart, for `listSecrets` alone."""
    sent = wanted["properties"]
    kind = str(sent.get("datastoreType", ""))
    if kind not in TYPES:
        raise AzureError(400, "UserError", f"The datastore type '{kind}' is none of {', '.join(TYPES)}")
    name = str(wanted["name"])
    if before and name.lower() in OWN:
        raise AzureError(400, "UserError", f"The datastore {name} belongs to the workspace and cannot be changed")
    credentials = dict(sent.get("credentials") or {"credentialsType": "None"})
    secrets = credentials.pop("secrets", None)
    if secrets:
        emulation.state.put(_secrets_key(wanted), secrets)
    elif before is None:
        emulation.state.delete(_secrets_key(wanted))
    usual: Document = {"description": None, "tags": {}, "properties": None, "isDefault": False}
    if kind != "OneLake":
        usual |= {"endpoint": STORAGE_DOMAIN, "protocol": "https"}
    identity = sent.get("serviceDataAccessAuthIdentity") or "None"
    if sent.get("isDefault"):
        _no_other_default(emulation, str(wanted["id"]))
    own = {"credentials": credentials, "serviceDataAccessAuthIdentity": identity}
    given = {key: value for key, value in sent.items() if value is not None}
    return wanted | {"properties": usual | given | own}


def secrets(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """What opens a datastore: a signature that expires where that is asked for, else the key.

    The store of artifacts gives its key alone: the SDK signs the addresses of logs with it.
    """
    properties = resource["properties"]
    kind = str(properties["credentials"].get("credentialsType", "None"))
    if kind == "None":
        raise AzureError(400, "UserError", f"Datastore {resource['name']} has no credentials; it uses identities")
    if kept := emulation.state.get(_secrets_key(resource)):
        return Reply(body=kept)
    container = properties.get("containerName") or properties.get("filesystem")
    # The SDK signs the addresses of a run's logs itself, with whatever it is given: with a signature it could not.
    own_artifacts = str(resource["name"]).lower() == "workspaceartifactstore"
    if request.document().get("expirableSecret") and container and not own_artifacts:
        hours = float(request.document().get("expireAfterHours") or 1)
        return Reply(
            body={
                "secretsType": "Sas",
                "sasToken": access.account_sas(emulation, str(properties["accountName"]), hours),
            }
        )
    return Reply(body={"secretsType": "AccountKey", "key": access.keys(emulation)["key1"]})


def delete(emulation: Emulation, resource: Document) -> None:
    """Raises AzureError for the workspace's own."""
    if str(resource["name"]).lower() in OWN:
        raise AzureError(400, "UserError", f"The datastore {resource['name']} belongs to the workspace")
    emulation.state.delete(_secrets_key(resource))


def matches(resource: Document, request: Request) -> bool:
    query, properties = request.query, resource["properties"]
    wanted = query.get("isdefault")
    if wanted is not None and str(properties.get("isDefault", False)).lower() != wanted.lower():
        return False
    names = [name.strip().lower() for name in query.get("names", "").split(",") if name.strip()]
    if names and str(resource["name"]).lower() not in names:
        return False
    return query.get("searchtext", "").lower() in str(resource["name"]).lower()


def _no_other_default(emulation: Emulation, path: str) -> None:
    for key, kept in emulation.state.below(f"{emulation.names.workspace_path}/datastores/"):
        if key.lower() != path.lower() and kept["properties"].get("isDefault"):
            emulation.state.put(key, kept | {"properties": kept["properties"] | {"isDefault": False}})


def _secrets_key(resource: Document) -> str:
    return f"secret/datastores/{resource['name']}"


KIND = Kind(
    "datastores",
    put=put,
    delete=delete,
    actions={"listSecrets": secrets},
    missing=("UserError", "Could not find datastore: {name}."),
    matches=matches,
    newest_first=True,
)
