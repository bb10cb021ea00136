"""What holds versions: data, models, codes, environments and components, all alike but for what their content is.

A container knows its latest and its next version. Where the content of a version lies never changes; what is said of it
does (https://learn.microsoft.com/rest/api/azureml/data-versions/create-or-update).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.emulator.arm.kinds import Kind
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Request
from core.emulator.names import NAMESPACE

NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,254}", re.ASCII)
VERSION = re.compile(r"[\w.-]{1,255}", re.ASCII)
ANONYMOUS = frozenset({"azureml_anonymous", "cliv2anonymousenvironment"})
CHANGES = ("description", "tags", "properties", "isArchived", "autoDeleteSetting", "stage")
"""What may be said of a version again and again."""

Make = Callable[[Emulation, Document, Document], Document]
"""(emulation, the version as it came, its properties) -> the properties to keep. It may raise AzureError."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One kind of asset."""

    plural: str
    """As in its address, such as `models`."""
    noun: str
    """For messages, such as `model`."""
    fixed: tuple[str, ...]
    """What cannot change once a version is there."""
    make: Make
    usual: Mapping[str, object]
    """What a version says where nothing was sent."""

    same: Callable[[Document, Document], bool] = lambda kept, sent: False
    """Whether two are one by what they say themselves, wherever their content lies."""

    def kinds(self, *, matches: Callable[[Document, Request], bool] | None = None) -> tuple[Kind, Kind]:
        shown = matches or active
        return (
            Kind(
                self.plural, put=self._put_container, read=self._read_container, container=True, newest_first=True,
                missing=("UserError", f"{self.noun.capitalize()} container {{name}} was not found."), matches=named,
            ),
            Kind(
                f"{self.plural}/versions", put=self._put, matches=shown, newest_first=True,
                missing=("UserError", "Could not find asset with ID: azureml://{path}"),
            ),
        )  # fmt: skip

    def _put(self, emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
        name = str(wanted["id"]).rsplit("/", 3)[1]
        if not NAME.fullmatch(name) or not VERSION.fullmatch(str(wanted["name"])):
            raise AzureError(
                400, "UserError", f"'{name}:{wanted['name']}' is no name and version that a {self.noun} may have"
            )
        sent = {key: value for key, value in wanted["properties"].items() if value is not None}
        for key in ("tags", "properties"):
            if isinstance(sent.get(key), dict):
                sent[key] = {name: value if isinstance(value, str) else str(value) for name, value in sent[key].items()}
        made = self.make(emulation, wanted, sent)
        if before is None:
            return wanted | {"properties": {**self.usual, **made}}
        kept = before["properties"]
        for key in self.fixed:
            if key in made and made[key] != kept.get(key) and not self.same(kept, made):
                raise _taken(self.noun, key)
        changed = {key: made[key] for key in CHANGES if key in made}
        return before | {"systemData": wanted["systemData"], "properties": kept | changed}

    def _put_container(
        self, emulation: Emulation, request: Request, before: Document | None, wanted: Document
    ) -> Document:
        usual: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False}
        sent = {key: value for key, value in wanted["properties"].items() if value is not None}
        return self._read_container(emulation, wanted | {"properties": {**usual, **sent}})

    def _read_container(self, emulation: Emulation, resource: Document) -> Document:
        found = versions(emulation, str(resource["id"]))
        newest = max(found, key=created, default=None)
        numbers = [int(kept["name"]) for kept in found if str(kept["name"]).isdecimal()]
        own = {
            "latestVersion": newest["name"] if newest else None,
            "nextVersion": str(max(numbers, default=0) + 1),
        }
        if newest and "dataType" in newest["properties"]:
            own["dataType"] = newest["properties"]["dataType"]
        return resource | {"properties": resource["properties"] | own}


def versions(emulation: Emulation, container: str) -> list[Document]:
    """All versions below a container's path."""
    prefix = f"{container}/versions/"
    return [kept for key, kept in emulation.state.below(prefix) if key.count("/") == prefix.count("/")]


def created(resource: Document) -> str:
    """When it was made, for sorting."""
    return str(resource["systemData"]["createdAt"])


def active(resource: Document, request: Request) -> bool:
    """By `listViewType`: all, the archived, or those that are not."""
    wanted = request.query.get("listviewtype", "ActiveOnly").lower()
    return wanted == "all" or bool(resource["properties"].get("isArchived")) == (wanted == "archivedonly")


def named(resource: Document, request: Request) -> bool:
    """Whether a list of names shows it: what has no name lies below one of these, and is not shown."""
    return str(resource["name"]).lower() not in ANONYMOUS and active(resource, request)


def registered(
    emulation: Emulation, plural: str, name: str, properties: Document, version: str = "", by: str = "Slipway"
) -> Document:
    """Keep a version that the emulation makes itself, such as a job's output; without one it takes the next number."""
    base = f"{emulation.names.workspace_path}/{plural}/{name}"
    now = iso(emulation.clock.now())
    who = {
        "createdAt": now, "createdBy": by, "createdByType": "Application",
        "lastModifiedAt": now, "lastModifiedBy": by, "lastModifiedByType": "Application",
    }  # fmt: skip
    kind = f"{NAMESPACE}/workspaces/{plural}"
    with emulation.state.lock:
        if emulation.state.get(base) is None:
            usual: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False}
            emulation.state.put(base, {"id": base, "name": name, "type": kind, "properties": usual, "systemData": who})
        numbers = [int(kept["name"]) for kept in versions(emulation, base) if str(kept["name"]).isdecimal()]
        version = version or str(max(numbers, default=0) + 1)
        path = f"{base}/versions/{version}"
        made = {"id": path, "name": version, "type": f"{kind}/versions", "properties": properties, "systemData": who}
        emulation.state.put(path, made)
    return made


def _taken(noun: str, key: str) -> AzureError:
    article = "n" if noun[0] in "aeiou" else ""
    return AzureError(
        409,
        "UserError",
        f"A{article} {noun} with this name and version already exists. If you are trying to create a new {noun}, use a"
        f" different name or version. If you are trying to update an existing {noun}, the existing {key} cannot be"
        " changed. Only tags, description, and isArchived can be updated.",
    )
