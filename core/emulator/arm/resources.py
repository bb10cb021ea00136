"""The generic store of resources: GET, PUT, PATCH, DELETE and lists of all kinds, POST for what a kind can be asked."""

import re
from collections.abc import Mapping

from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.arm.pages import page
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Handler, Route

WORKSPACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NAMESPACE + "/workspaces/{workspace}"
WHO = "Slipway's emulation"


class Resources:
    """Every kind below the workspace, by its type in lower case."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = {kind.type.lower(): kind for kind in kinds.values()}

    def routes(self) -> tuple[Route, ...]:
        by_verb: Mapping[str, Handler] = {
            "GET": self.get, "PUT": self.put, "PATCH": self.patch, "DELETE": self.delete, "POST": self.post,
        }  # fmt: skip
        location = "/subscriptions/{subscription}/providers/" + NAMESPACE + "/locations/{location}"
        return (
            *(Route(verb, "arm", WORKSPACE + "/{rest:rest}", handler) for verb, handler in by_verb.items()),
            Route("GET", "arm", location + "/{what}Status/{operation}", self.operation),
            Route("GET", "arm", location + "/{what}Results/{operation}", self.outcome),
        )

    def get(self, emulation: Emulation, request: Request) -> Reply:
        """One resource, or a page of those of one kind."""
        known(emulation, request)
        segments = _segments(request)
        if len(segments) % 2:
            return self._list(emulation, request, segments)
        return Reply(body=self._found(emulation, segments))

    def put(self, emulation: Emulation, request: Request) -> Reply:
        """Make a resource, or another of the same name in its place."""
        known(emulation, request)
        return self._keep(emulation, request, _segments(request), request.document())

    def patch(self, emulation: Emulation, request: Request) -> Reply:
        """Change what is sent, and leave the rest as it is (RFC 7396)."""
        known(emulation, request)
        segments = _segments(request)
        before = self._found(emulation, segments)
        return self._keep(emulation, request, segments, _merged(before, request.document()))

    def delete(self, emulation: Emulation, request: Request) -> Reply:
        """Remove a resource and what is below it; one that is not there is no error."""
        known(emulation, request)
        segments = _segments(request)
        kind = self._kind(segments)
        with emulation.state.lock:
            path = _path(emulation, segments)
            resource = emulation.state.get(path)
            if resource is None:
                return Reply(204)
            kind.delete(emulation, resource)
            if not kind.takes_time:
                self.forget(emulation, path)
                return Reply(200)
            emulation.state.delete(f"broken/{resource['id']}")  # what failed to be made can still be removed
            headers = operations.begun(emulation, kind, resource, "delete", request)
            resource["properties"]["provisioningState"] = "Deleting"
            emulation.state.put(path, resource)
            self._refreshed(emulation, kind, resource)
        return Reply(202, headers=headers)

    def post(self, emulation: Emulation, request: Request) -> Reply:
        """What a kind can be asked, such as listKeys."""
        known(emulation, request)
        *segments, action = _segments(request)
        if len(segments) % 2:
            raise AzureError(404, "NotFound", f"{request.path} takes no POST")
        kind = self._kind(segments)
        actions = {name.lower(): done for name, done in kind.actions.items()}
        if action.lower() not in actions:
            raise AzureError(404, "NotFound", f"A resource of the type {kind.type} has no action '{action}'")
        return actions[action.lower()](emulation, self._found(emulation, segments), request)

    def operation(self, emulation: Emulation, request: Request) -> Reply:
        """Where a long-running operation stands."""
        kept = operations.kept(emulation, request)
        resource = self.find(emulation, kept["resource"])
        return Reply(body=operations.document(emulation, request, resource, kept), headers=operations.soon(emulation))

    def outcome(self, emulation: Emulation, request: Request) -> Reply:
        """The same for clients that follow `Location`: 202 while it goes on, and then what came of it."""
        kept = operations.kept(emulation, request)
        resource = self.find(emulation, kept["resource"])
        said = operations.document(emulation, request, resource, kept)
        if said["status"] == "InProgress":
            return Reply(202, said, operations.soon(emulation))
        return Reply(200, resource) if resource else Reply(204)

    def find(self, emulation: Emulation, path: str) -> Document | None:
        """The resource of an id as it is now, in any spelling; None where there is none."""
        kept: Document | None = emulation.state.get(path)
        if kept is None:
            return None
        below = re.split("/workspaces/[^/]+/", path, maxsplit=1, flags=re.IGNORECASE)[-1].split("/")
        return self._refreshed(emulation, self._kind(below), kept)

    def forget(self, emulation: Emulation, path: str) -> None:
        """Remove a resource, and all below it."""
        for key, _ in list(emulation.state.below(path + "/")):
            emulation.state.delete(key)
        emulation.state.delete(path)
        emulation.state.delete(f"broken/{path}")

    def _list(self, emulation: Emulation, request: Request, segments: list[str]) -> Reply:
        kind = self._kind([*segments, "*"])
        prefix = _path(emulation, segments) + "/"
        depth = prefix.count("/")
        found = [
            now
            for key, kept in emulation.state.below(prefix)
            if key.count("/") == depth
            and (now := self._refreshed(emulation, kind, kept))
            and kind.matches(now, request)
        ]
        if kind.newest_first:
            found.reverse()
        return Reply(body=page(request, found))

    def _keep(self, emulation: Emulation, request: Request, segments: list[str], sent: Document) -> Reply:
        kind = self._kind(segments)
        path = _path(emulation, segments)
        with emulation.state.lock:
            before = emulation.state.get(path)
            container = self._new_container(emulation, segments)
            emulation.state.delete(f"broken/{path}")
            now = iso(emulation.clock.now())
            made = (before or {}).get("systemData", {}).get("createdAt", now)
            wanted = sent | {
                "id": (before or {}).get("id", path),
                "name": (before or {}).get("name", segments[-1]),
                "type": f"{NAMESPACE}/workspaces/{kind.type}",
                "properties": dict(sent.get("properties") or {}),
                "systemData": {
                    "createdAt": made, "createdBy": WHO, "createdByType": "Application", "lastModifiedAt": now,
                    "lastModifiedBy": WHO, "lastModifiedByType": "Application",
                },
            }  # fmt: skip
            kept = kind.put(emulation, request, before, wanted)
            if container:
                emulation.state.put(str(container["id"]), container)
            emulation.state.put(path, kept)
            headers = operations.begun(emulation, kind, kept, "put", request) if kind.takes_time else {}
        return Reply(200 if before and not kind.takes_time else kind.made, kept, headers)

    def _new_container(self, emulation: Emulation, segments: list[str]) -> Document | None:
        """Versions bring their container with them; everything else needs its parent. Raises AzureError 404."""
        parents = segments[:-2]
        if len(segments) < 4 or emulation.state.get(path := _path(emulation, parents)) is not None:
            return None
        kind = self._kind(parents)
        if not kind.container:
            raise _not_found(path, kind)
        now = iso(emulation.clock.now())
        return {
            "id": path, "name": parents[-1], "type": f"{NAMESPACE}/workspaces/{kind.type}",
            "properties": {"tags": {}, "properties": {}, "isArchived": False},
            "systemData": {"createdAt": now, "createdBy": WHO, "createdByType": "Application"},
        }  # fmt: skip

    def _found(self, emulation: Emulation, segments: list[str]) -> Document:
        path = _path(emulation, segments)
        kind = self._kind(segments)
        kept = emulation.state.get(path)
        now = self._refreshed(emulation, kind, kept) if kept else None
        if now is None:
            raise _not_found(path, kind)
        return now

    def _refreshed(self, emulation: Emulation, kind: Kind, kept: Document) -> Document | None:
        """As it is now; what is being deleted and needs no more time is gone."""
        with emulation.state.lock:
            if emulation.state.get(kept["id"]) is None:
                return None
            now = kind.read(emulation, kept)
            if emulation.state.get(f"broken/{kept['id']}"):  # a fault that was asked for
                now = now | {"properties": now["properties"] | {"provisioningState": "Failed"}}
            if now.get("properties", {}).get("provisioningState") == "Deleted":
                self.forget(emulation, kept["id"])
                return None
            if now != kept:
                emulation.state.put(kept["id"], now)
            return now

    def _kind(self, segments: list[str]) -> Kind:
        name = "/".join(segments[::2]).lower()
        if name not in self.kinds:
            raise AzureError(
                404, "InvalidResourceType", f"The emulation has no resource type '{NAMESPACE}/workspaces/{name}'"
            )
        return self.kinds[name]


def known(emulation: Emulation, request: Request) -> None:
    """Raises AzureError 404 for another subscription, resource group or workspace than the emulated one."""
    names, found = emulation.names, request.found
    if found["subscription"].lower() != names.subscription.lower():
        raise AzureError(404, "SubscriptionNotFound", f"The subscription '{found['subscription']}' could not be found.")
    if found.get("group", names.resource_group).lower() != names.resource_group.lower():
        raise AzureError(404, "ResourceGroupNotFound", f"Resource group '{found['group']}' could not be found.")
    if found.get("workspace", names.workspace).lower() != names.workspace.lower():
        raise AzureError(
            404,
            "ResourceNotFound",
            f"The Resource '{NAMESPACE}/workspaces/{found['workspace']}' under resource group '{found['group']}' was"
            " not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )


def _segments(request: Request) -> list[str]:
    return request.found["rest"].strip("/").split("/")


def _path(emulation: Emulation, segments: list[str]) -> str:
    return "/".join([emulation.names.workspace_path, *segments])


def _not_found(path: str, kind: Kind) -> AzureError:
    code, message = kind.missing
    below = path.rpartition("/workspaces/")[2].partition("/")[2]
    return AzureError(404, code, message.replace("{path}", below).replace("{name}", path.rpartition("/")[2]))


def _merged(before: Document, change: Document) -> Document:
    after = dict(before)
    for name, value in change.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict) and isinstance(after.get(name), dict):
            after[name] = _merged(after[name], value)
        else:
            after[name] = value
    return after
