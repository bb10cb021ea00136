"""The artifact service: what a run has written, under addresses that open it; and assets' ids as addresses."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from core.emulator import blobs
from core.emulator.assets.uris import ARTIFACTS, asset
from core.emulator.blobs import Blob
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import outputs
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE, STORAGE_DOMAIN
from core.emulator.routes import Handler, Route
from core.emulator.storage import access


def listed(emulation: Emulation, request: Request) -> Reply:
    """The artifacts of a run, those below a path if one is given."""
    prefix = _prefix(emulation, request)
    found = [
        _shown(request, blob) for blob in _below(emulation, f"{prefix}/{request.query.get('path', '')}".rstrip("/"))
    ]
    return Reply(body={"value": found, "continuationToken": None, "nextLink": None})


def metadata(emulation: Emulation, request: Request) -> Reply:
    """What is known of one artifact."""
    return Reply(body=_shown(request, _found(emulation, request)))


def content_info(emulation: Emulation, request: Request) -> Reply:
    """An address that opens one artifact."""
    return Reply(body=_opened(emulation, request, _found(emulation, request)))


def content_info_below(emulation: Emulation, request: Request) -> Reply:
    """Addresses that open all artifacts below a path."""
    path = request.found.get("path") or request.query.get("path", "")
    found = _below(emulation, f"{_prefix(emulation, request)}/{path}".rstrip("/"))
    return Reply(body={"value": [_opened(emulation, request, blob) for blob in found], "continuationToken": None})


def content(emulation: Emulation, request: Request) -> Reply:
    """The bytes of an artifact."""
    blob = _found(emulation, request)
    return Reply(200, blobs.read(emulation, blob.container, blob.name), {"Content-Type": blob.content["content-type"]})


def put_content(emulation: Emulation, request: Request) -> Reply:
    """An artifact whose bytes come with the request."""
    name = f"{_prefix(emulation, request)}/{request.found['path']}"
    blob = blobs.write(emulation, ARTIFACTS, name, request.body)
    return Reply(200, _shown(request, blob))


def announced(emulation: Emulation, request: Request) -> Reply:
    """Artifacts that will be uploaded: an address that takes each."""
    prefix = _prefix(emulation, request)
    sent = request.document().get("paths")
    if not isinstance(sent, list):
        raise AzureError(400, "UserError", "A batch of artifacts needs 'paths'")
    paths = [str(each.get("path", "")) if isinstance(each, dict) else str(each) for each in sent]
    now = emulation.clock.now()
    made = {path: Blob(ARTIFACTS, f"{prefix}/{path}", "", 0, "", "", now, now) for path in paths}
    return Reply(
        body={
            "artifacts": {path: _shown(request, blob) for path, blob in made.items()},
            "artifactContentInformation": {
                path: _opened(emulation, request, blob, "rcw") for path, blob in made.items()
            },
            "errors": {},
        }
    )


def address(emulation: Emulation, request: Request) -> Reply:
    """An address that opens one artifact, and nothing else."""
    return Reply(body=_opened(emulation, request, _found(emulation, request))["contentUri"])


def _of_run(handler: Handler) -> Handler:
    """The same by way of the run history, as the plug-in `azureml-mlflow` asks for the artifacts of a run."""

    def handle(emulation: Emulation, request: Request) -> Reply:
        place = {"origin": "ExperimentRun", "container": f"dcid.{request.found['run']}"}
        return handler(emulation, replace(request, found={**request.found, **place}))

    return handle


def _resolved(kind: str, field: str, name: str) -> Callable[[Emulation, Request], Reply]:
    def resolve(emulation: Emulation, request: Request) -> Reply:
        """Ids of assets -> where their content lies; what is not there is left out."""
        # An output of a run has such an id too, and is no asset until somebody registers it.
        values: Document = outputs.resolved(emulation, request).body["values"] if kind == "data" else {}
        for said in request.document().get("values") or []:
            parts = str(said).rstrip("/").split("/")
            try:
                properties = asset(emulation, kind, parts[-3], parts[-1])["properties"]
            except (AzureError, IndexError):
                continue
            values[str(said)] = {name: properties[field], "type": properties.get("dataType") or "UriFolder"}
        return Reply(body={"values": values})

    return resolve


def _prefix(emulation: Emulation, request: Request) -> str:
    """Of a run's artifacts, which are laid down when somebody first asks for them."""
    if request.found["container"].startswith("dcid."):
        outputs.ensure(emulation, request.found["container"].removeprefix("dcid."))
    return f"{request.found['origin']}/{request.found['container']}"


def _below(emulation: Emulation, path: str) -> list[Blob]:
    blob = blobs.find(emulation, ARTIFACTS, path)
    return [blob] if blob else blobs.listed(emulation, ARTIFACTS, f"{path}/")


def _found(emulation: Emulation, request: Request) -> Blob:
    path = request.found.get("path") or request.query.get("path", "")
    blob = blobs.find(emulation, ARTIFACTS, f"{_prefix(emulation, request)}/{path}")
    if blob is None:
        raise AzureError(404, "UserError", f"Artifact {_prefix(emulation, request)}/{path} was not found")
    return blob


def _shown(request: Request, blob: Blob) -> Document:
    path = blob.name.split("/", 2)[2]
    return {
        "artifactId": f"{request.found['origin']}/{request.found['container']}/{path}",
        "origin": request.found["origin"],
        "container": request.found["container"],
        "path": path,
        "etag": blob.etag,
        "createdTime": iso(blob.created_at),
        "dataPath": {"dataStoreName": "workspaceartifactstore", "relativePath": blob.name, "sqlDataPath": None},
        "tags": {},
    }


def _opened(emulation: Emulation, request: Request, blob: Blob, permissions: str = "r") -> Document:
    account = emulation.names.storage_account
    signature = access.container_sas(emulation, ARTIFACTS, 1, permissions)
    said = _shown(request, blob)
    return {
        "contentUri": f"https://{account}.blob.{STORAGE_DOMAIN}/{ARTIFACTS}/{quote(blob.name)}?{signature}",
        "origin": said["origin"],
        "container": said["container"],
        "path": said["path"],
        "tags": {},
    }


_WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NAMESPACE + "/workspaces/{workspace}"
_RUN = "/{origin}/{container}"
_VERBS = (
    ("GET", "artifacts/contentinfo" + _RUN + "/{path:rest}", content_info),
    ("GET", "artifacts/contentinfo" + _RUN, content_info),
    ("GET", "artifacts/prefix/contentinfo" + _RUN + "/{path:rest}", content_info_below),
    ("GET", "artifacts/prefix/contentinfo" + _RUN, content_info_below),
    ("GET", "artifacts/metadata" + _RUN + "/{path:rest}", metadata),
    ("POST", "artifacts/batch/metadata" + _RUN, announced),
    ("GET", "artifacts/content" + _RUN + "/{path:rest}", content),
    ("POST", "artifacts/content" + _RUN + "/{path:rest}", put_content),
    ("GET", "artifacts" + _RUN, listed),
)
_OF_A_RUN = (
    ("GET", "", listed),
    ("GET", "/path", listed),
    ("GET", "/metadata", metadata),
    ("GET", "/contentinfo", content_info),
    ("GET", "/prefix/contentinfo", content_info_below),
    ("GET", "/artifacturi", address),
    ("POST", "/batch/metadata", announced),
)
_DATA, _MODELS = _resolved("data", "dataUri", "uri"), _resolved("models", "modelUri", "path")
ROUTES = (
    *(
        Route(verb, "api", f"/artifact/{version}{_WORKSPACE}/{path}", handler)
        for version in ("v2.0", "v1.0")
        for verb, path, handler in _VERBS
    ),
    *(
        Route(verb, "api", f"/history/v1.0{_WORKSPACE}/{group}/runs/{{run}}/artifacts{tail}", _of_run(handler))
        for group in ("experiments/{experiment}", "experimentids/{experiment_id}")
        for verb, tail, handler in _OF_A_RUN
    ),
    Route("POST", "api", f"/data/v1.0{_WORKSPACE}/dataversion/batchGetResolvedUris", _DATA),
    Route("POST", "api", f"/modelregistry/v1.0{_WORKSPACE}/models/batchGetResolvedUris", _MODELS),
)
