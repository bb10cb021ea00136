"""Model folders on their way to and from Azure: what is checked before a deployment, and what is written elsewhere."""

from dataclasses import fields
from pathlib import Path

import msgspec

from core.azure.context import Context
from core.azure.names import asset_name
from core.contract.signature import from_json
from core.domain.endpoint import Deployment, DeploymentSpec, Endpoint
from core.domain.errors import Conflict, SpecInvalid
from core.domain.signature import Signature
from core.packaging.export import export
from core.workspace.models import Models

SETTINGS_OF_OURS = ("legacy_reply", "primary_form", "unseen_categories")


def check_asked(spec: DeploymentSpec) -> None:
    """Raises SpecInvalid for what only Slipway's own scoring server does."""
    usual = {field.name: field.default for field in fields(DeploymentSpec)}
    for name in SETTINGS_OF_OURS:
        if getattr(spec, name) != usual[name]:
            raise SpecInvalid(
                f"A deployment on Azure has no {name}: Microsoft's server answers there", hint="Leave it as it is"
            )


def folder_of(context: Context, models: Models, name: str, version: int) -> Path:
    """A copy of a registered model's folder on this machine; it never changes. Raises ModelNotFound."""
    folder = context.folder / "served" / f"{asset_name(name)}-{version}"
    if not folder.exists():
        try:
            models.package(name, version, folder)
        except Conflict:  # another job was first
            if not folder.exists():
                raise
    return folder


def signature_of(context: Context, models: Models, name: str, version: int) -> Signature:
    """What a model reads and answers; of one that was registered elsewhere it stands in its folder.

    Raises SpecInvalid where nothing says it.
    """
    known = models.get(name, version).signature
    if known.columns:
        return known
    file = folder_of(context, models, name, version) / "signature.json"
    if not file.exists():
        raise SpecInvalid(
            f"Which columns '{name}:{version}' reads is not known: it was not packaged by Slipway",
            hint="Train it with Slipway, or send requests with `endpoint invoke`",
        )
    return from_json(msgspec.json.decode(file.read_bytes()))


def package(context: Context, models: Models, endpoint: Endpoint, chosen: Deployment, folder: Path) -> Path:
    """Write a folder that serves a deployment elsewhere."""
    source = folder_of(context, models, chosen.model, chosen.model_version)
    described = {"endpoint": endpoint.name, "name": chosen.name, "limits": {}, "deployment": {}}
    export(source, folder.absolute(), described)
    return folder
