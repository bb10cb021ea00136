"""The resource `batchEndpoints/deployments`: a model that scores tables, or a pipeline that is run."""

import re

from core.domain.endpoint import DeploymentSpec, EndpointSpec
from core.domain.errors import EndpointNotFound, SlipwayError
from core.domain.names import slug
from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.emulation import Emulation
from core.emulator.endpoints import batch, models, online, places
from core.emulator.endpoints.checks import check_name, refused
from core.emulator.jobs.kind import check_compute
from core.emulator.messages import AzureError, Document, Request

COMPONENT = re.compile(r"(?:azureml:)?(.*/components/[^/]+/versions/[^/]+)", re.IGNORECASE)
SHORT_COMPONENT = re.compile(r"azureml:/?([^/:]+):([^/:]+)")
ACTIONS = ("AppendRow", "SummaryOnly")


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Check what was sent, and bring a model to where tables are scored."""
    check_name("deployment", wanted["name"])
    kept = _kept(wanted, before, emulation)
    component = component_of(kept)
    if component:
        component_document(emulation, component)
        return kept
    properties = kept["properties"]
    check_compute(emulation, properties["compute"])
    model = models.named(emulation, _model_id(properties["model"]))
    try:
        serving = {"local": _brought(emulation, kept, model)}
    except (SlipwayError, AzureError, OSError) as e:
        # As on Azure, nobody looks at a model before a job needs it: that fails, and says why.
        message = e.message if isinstance(e, AzureError) else f"{e} {getattr(e, 'hint', '')}".strip()
        serving = {"refusal": message}
    emulation.state.put(f"batch-serving/{kept['id'].lower()}", serving)
    places.awake(emulation)
    return kept


def _model_id(reference: Document | str | None) -> str:
    return str((reference.get("assetId") if isinstance(reference, dict) else reference) or "")


def _kept(wanted: Document, before: Document | None, emulation: Emulation) -> Document:
    given = wanted["properties"]
    retry = given.get("retrySettings") or {}
    resources = given.get("resources") or {}
    properties = {
        "description": given.get("description"),
        "properties": dict(given.get("properties") or {}),
        "codeConfiguration": given.get("codeConfiguration"),
        "environmentId": given.get("environmentId"),
        "environmentVariables": dict(given.get("environmentVariables") or {}),
        "compute": given.get("compute"),
        "errorThreshold": -1 if given.get("errorThreshold") is None else given["errorThreshold"],
        "retrySettings": {"maxRetries": retry.get("maxRetries", 3), "timeout": retry.get("timeout") or "PT30S"},
        "miniBatchSize": given.get("miniBatchSize") or 10,
        "loggingLevel": given.get("loggingLevel") or "Info",
        "model": given.get("model"),
        "maxConcurrencyPerInstance": given.get("maxConcurrencyPerInstance") or 1,
        "outputAction": _action(given.get("outputAction")),
        "outputFileName": given.get("outputFileName") or "predictions.csv",
        "resources": {
            "instanceCount": resources.get("instanceCount") or 1,
            "instanceType": resources.get("instanceType"),
            "properties": resources.get("properties"),
        },
        "provisioningState": "Updating" if before else "Creating",
    }
    if given.get("deploymentConfiguration"):
        configuration = dict(given["deploymentConfiguration"])
        # Azure keeps all settings as texts.
        configuration["settings"] = {name: str(value) for name, value in (configuration.get("settings") or {}).items()}
        properties["deploymentConfiguration"] = configuration
    if not component_of({"properties": properties}) and not properties["model"]:
        raise refused("A batch deployment needs a model, or a pipeline component.", "BadArgument")
    return {
        **{part: wanted[part] for part in ("id", "name", "type", "systemData")},
        "tags": wanted.get("tags") or {},
        "location": wanted.get("location") or emulation.names.region,
        "properties": properties,
    }


def _action(given: str | None) -> str:
    known = {action.lower(): action for action in ACTIONS}
    action = known.get(str(given or "AppendRow").replace("_", "").lower())
    if action is None:
        raise refused(f"The output action '{given}' is not one of {', '.join(ACTIONS)}.", "BadArgument")
    return action


def component_of(deployment: Document) -> str:
    """The id of the pipeline component that it runs, as it was sent; empty for one with a model.

    It stands in the configuration, or, as SDKs wrote it while that was new, among the properties.
    """
    properties = deployment["properties"]
    configuration = properties.get("deploymentConfiguration") or {}
    reference = configuration.get("componentId") or {}
    found = reference.get("assetId") if isinstance(reference, dict) else reference
    return str(found or properties["properties"].get("ComponentDeployment.ComponentId") or "")


def component_document(emulation: Emulation, said: str) -> Document:
    """A component's version. Raises AzureError 400 and 404."""
    if "registries/" in said.lower():
        raise refused(f"The emulation does not deploy components of a registry: '{said}'.", "NotSupported")
    if match := COMPONENT.fullmatch(said):
        path = match[1]
    elif match := SHORT_COMPONENT.fullmatch(said):
        path = f"{emulation.names.workspace_path}/components/{match[1]}/versions/{match[2]}"
    else:
        raise refused(f"'{said}' is not the id of a component.", "BadArgument")
    found: Document | None = emulation.state.get(path)
    if found is None:
        raise refused(f"The component '{said}' was not found.", "ResourceNotFound", 404)
    return found


def _brought(emulation: Emulation, kept: Document, model: models.Named) -> str:
    """The workspace's name of the deployment that scores for this one. Raises AzureError for what cannot."""
    if configuration := kept["properties"]["codeConfiguration"]:
        raise refused(
            "The emulation scores tables with models of Slipway alone, and this deployment has a scoring script"
            f" '{configuration.get('scoringScript')}'.",
            "NotSupported",
        )
    with models.folder_of(emulation, model.uri) as folder:
        root = models.root_of(folder)
        if not models.is_ours(root):
            kinds = ", ".join(models.flavors(root)) or model.type
            raise refused(
                f"The emulation scores tables with models of Slipway alone; '{model.name}:{model.version}' is of"
                f" another maker ({kinds}).",
                "NotSupported",
            )
        version = models.brought(emulation, model, root).version
    name = places.batch_endpoint(kept["id"])
    try:
        here = emulation.workspace.endpoints.get(name)
    except EndpointNotFound:
        here = emulation.workspace.endpoints.create(EndpointSpec(name))
    local = f"v{version}"
    if local not in {each.name for each in here.deployments}:
        made = emulation.workspace.endpoints.deploy(DeploymentSpec(name, slug(model.name), version, local))
        if made.gate_job_id:
            emulation.workspace.jobs.cancel(made.gate_job_id)
    return local


def read(emulation: Emulation, resource: Document) -> Document:
    """Nothing takes long here: whoever looks for the first time finds it done."""
    state = resource["properties"]["provisioningState"]
    if state not in operations.GOING_ON:
        return resource
    done = "Deleted" if state == "Deleting" else "Succeeded"
    return resource | {"properties": resource["properties"] | {"provisioningState": done}}


def delete(emulation: Emulation, resource: Document) -> None:
    """Refused while it is its endpoint's default, as on Azure."""
    endpoint = emulation.state.get(resource["id"].rpartition("/deployments/")[0])
    default = ((endpoint or {}).get("properties", {}).get("defaults") or {}).get("deploymentName")
    if default and default.lower() == resource["name"].lower():
        raise refused(
            f"The deployment '{resource['name']}' is the default of its endpoint. Choose another default first.",
            "BadRequest",
        )
    places.withdraw_batch(emulation, resource["id"])


KIND = Kind(
    "batchEndpoints/deployments", put=put, read=read, delete=delete, takes_time=True, prefix="bdbes",
    matches=online.listed,
)  # fmt: skip
KINDS = (batch.KIND, KIND)
