"""How a fault that was asked for changes what is answered."""

import time
from collections.abc import Callable, Mapping

from core.domain.errors import SpecInvalid
from core.emulator.arm import operations
from core.emulator.emulation import Emulation
from core.emulator.faults import AFTER, BEFORE, HEADER, Fault, of_folder, of_header
from core.emulator.messages import AzureError, Document, Reply, Request

SPARED = frozenset({"control", "login"})
"""Kinds of host that only a fault meets whose path names them: else nobody could sign in, or clear a fault."""
OPERATION = "azure-asyncoperation"
FAILURE = {"code": "InternalServerError", "message": "An internal server error occurred.", "details": []}


class Dropped(Exception):
    """The connection ends without an answer."""


def before(emulation: Emulation, host: str, request: Request) -> Reply | None:
    """What a fault answers in the handler's place. Raises AzureError or Dropped."""
    kinds = BEFORE if request.method != "DELETE" else {**BEFORE, "failed-operation": AFTER["failed-operation"]}
    fault = _due(emulation, host, request, kinds)
    if fault is None:
        return None
    if fault.kind == "dropped":
        raise Dropped
    if fault.kind == "failed-operation":
        return operations.refused(emulation, request, FAILURE)
    raise _REFUSALS[fault.kind](emulation, request, fault)


def after(emulation: Emulation, host: str, request: Request, reply: Reply) -> Reply:
    """The reply as a fault leaves it."""
    if reply.status >= 400:
        return reply
    headers = {name.lower(): value for name, value in reply.headers.items()}
    began = OPERATION in headers
    fault = _due(emulation, host, request, AFTER, operations=began, typed=isinstance(reply.body, dict))
    if fault is None:
        return reply
    if fault.kind == "wrong-type":
        return Reply(reply.status, _wrong(reply.body, fault.field.split(".")), reply.headers)
    number = headers[OPERATION].partition("?")[0].rpartition("/")[2]
    _mark(emulation, number, fault)
    return reply


def _due(
    emulation: Emulation,
    host: str,
    request: Request,
    kinds: Mapping[str, str],
    *,
    operations: bool = True,
    typed: bool = True,
) -> Fault | None:
    def possible(fault: Fault) -> bool:
        if fault.kind.endswith("-operation"):
            return operations
        return typed or fault.kind != "wrong-type"

    if text := request.headers.get(HEADER):
        try:
            asked = of_header(text)
        except SpecInvalid as e:
            raise AzureError(400, "InvalidFault", f"{e.message}. {e.hint}") from e
        return asked if asked.kind in kinds and possible(asked) else None
    return of_folder(emulation.folder).take(
        lambda each: (
            each.kind in kinds
            and possible(each)
            and (host not in SPARED or (host == "login" and "login." in each.path.lower()))
            and (each.kind != "quota" or (request.method == "PUT" and _sized(request.path)))
            and each.fits(request)
        )
    )


def _sized(path: str) -> bool:
    """Whether a resource of this path needs cores."""
    return path.lower().rstrip("/").split("/")[-2:-1] in (["computes"], ["deployments"])


def _mark(emulation: Emulation, number: str, fault: Fault) -> None:
    with emulation.state.lock:
        kept = emulation.state.get(f"operation/{number}")
        if fault.kind == "slow-operation":
            kept["not_before"] = time.time() + fault.seconds
        else:
            kept["failure"] = FAILURE
            emulation.state.put(f"broken/{kept['resource']}", FAILURE)
        emulation.state.put(f"operation/{number}", kept)


def _wrong(body: Document, names: list[str]) -> Document:
    """A copy in which the field of that path has a type that it never has."""
    name = next((each for each in body if each.lower() == names[0].lower()), names[0])
    found = body.get(name)
    if len(names) > 1:
        return {**body, name: _wrong(found if isinstance(found, dict) else {}, names[1:])}
    return {**body, name: {"wrong": "type"} if isinstance(found, str | int | float | list) else "wrong type"}


Make = Callable[[Emulation, Request, Fault], AzureError]


def _challenge(message: str) -> Mapping[str, str]:
    return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{message}"'}


def _unauthorized(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    message = "The access token is invalid."
    return AzureError(401, "InvalidAuthenticationToken", message, _challenge(message))


def _expired(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    message = "The access token expiry UTC time is in the past."
    return AzureError(401, "ExpiredAuthenticationToken", message, _challenge(message))


def _forbidden(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    names = emulation.names
    verb = {"GET": "read", "DELETE": "delete", "POST": "action"}.get(request.method, "write")
    return AzureError(
        403,
        "AuthorizationFailed",
        f"The client '{names.client}' with object id '{names.client}' does not have authorization to perform action"
        f" 'Microsoft.MachineLearningServices/{verb}' over scope '{request.path}' or the scope is invalid. If access"
        " was recently granted, please refresh your credentials.",
    )


def _missing(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    return AzureError(404, "ResourceNotFound", f"The resource '{request.path}' was not found.")


def _conflict(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    return AzureError(409, "Conflict", "Another operation is in progress for this resource. Retry when it has ended.")


def _throttled(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    return AzureError(429, "TooManyRequests", "The request is throttled. Retry later.", _wait(fault.seconds))


def _broken(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    # Azure names a time here too; the SDK would wait longer and longer otherwise.
    soon = _wait(emulation.options.retry_after_ms / 1000)
    return AzureError(500, "InternalServerError", "Received 500 from a service request", soon)


def _wait(seconds: float) -> Mapping[str, str]:
    """Retry-After knows whole seconds alone; azure-core reads it first, and the milliseconds where it is not there."""
    if seconds < 1:
        return {"x-ms-retry-after-ms": str(round(seconds * 1000))}
    return {"Retry-After": str(round(seconds))}


def _quota(emulation: Emulation, request: Request, fault: Fault) -> AzureError:
    """In the words of Azure, which differ by what is asked for."""
    if "/computes/" in request.path.lower():
        return AzureError(
            400,
            "BadRequest",
            "The specified subscription has a total vCPU quota of 0 and cannot accommodate for at least 1 requested"
            " managed compute node which maps to 4 vCPUs",
        )
    size = str(request.document().get("properties", {}).get("instanceType") or "Standard_DS3_v2")
    told = (
        f'InferencingClient HttpRequest error, error detail: {{"errors":{{"VmSize":["Not enough quota available for'
        f" {size} in SubscriptionId {emulation.names.subscription}. Current usage/limit: 0/6. Additional needed: 8"
        ' Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"]},'
        '"title":"One or more validation errors occurred.","status":400}'
    )
    details: list[Document] = [
        {"code": "InferencingClientCreateDeploymentFailed", "message": told, "details": [], "additionalInfo": []}
    ]
    return AzureError(400, "BadRequest", "The request is invalid.", details=details)


_REFUSALS: Mapping[str, Make] = {
    "unauthorized": _unauthorized,
    "expired-token": _expired,
    "forbidden": _forbidden,
    "not-found": _missing,
    "conflict": _conflict,
    "throttled": _throttled,
    "server-error": _broken,
    "quota": _quota,
}
