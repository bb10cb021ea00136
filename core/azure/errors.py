"""What Azure, its SDK and the network say, as errors of our family: one sentence, and the way out.

A long-running operation that has failed raises `HttpResponseError` with status 200, so the code of the error decides,
and the status only where there is no code.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from core.domain.errors import (
    Conflict,
    DataNotFound,
    EndpointNotFound,
    Forbidden,
    JobNotFound,
    ModelNotFound,
    NotFound,
    PipelineNotFound,
    ServiceUnavailable,
    SlipwayError,
    SpecInvalid,
)

NOT_FOUND: Mapping[str, type[SlipwayError]] = {
    "data": DataNotFound,
    "job": JobNotFound,
    "model": ModelNotFound,
    "endpoint": EndpointNotFound,
    "pipeline": PipelineNotFound,
}
OF_THE_SDK = re.compile(r"/site-packages/(azure|msrest|isodate|jwt|marshmallow)/")
_FIELD_ERRORS = re.compile(r'"errors":\{"[^"]*":\["([^"]+)"')
"""What Azure's inferencing puts as JSON into the text of an error."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """A message of the SDK in one line, without its colours."""
    return " ".join(_ANSI.sub("", text).split())


@contextmanager
def translated(noun: str = "", name: str = "") -> Iterator[None]:
    """Azure's errors inside become ours; `noun` and `name` are what was asked for, should it not be there."""
    try:
        yield
    except SlipwayError:
        raise
    except Exception as e:
        if (ours := translate(e, noun, name)) is None:
            raise
        raise ours from e


def translate(error: Exception, noun: str = "", name: str = "") -> SlipwayError | None:
    """Ours for an error of Azure's; None for one that is a bug of ours."""
    code, status, said = _code(error), _status(error), _said(error)
    module = type(error).__module__
    if NO_WORKSPACE.search(said):
        return _no_workspace(said)
    if code in CODES:
        return CODES[code](said)
    for pattern, make in SAYINGS.items():
        if re.search(pattern, f"{code} {said}", re.IGNORECASE):
            return make(said)
    if status == 404 and name:
        return NOT_FOUND.get(noun, NotFound)(f"There is no {noun} '{name}' in this workspace")
    if known := next((KINDS[each.__name__] for each in type(error).__mro__ if each.__name__ in KINDS), None):
        return known(said)
    if status in STATUSES:
        return STATUSES[status](said)
    if status >= 500:
        return _trouble(said)
    if module.startswith(BROKEN):
        return ServiceUnavailable(f"Azure cannot be reached: {said}", hint="Is the network up?")
    if status or module.startswith(("azure.", "msrest", "marshmallow")):
        return SlipwayError(f"Azure refused: {said}", hint=DOCTOR)
    if _inside_the_sdk(error):
        return SlipwayError(
            f"Azure's answer is not of the form that its SDK reads: {type(error).__name__}: {said}",
            hint="Try again; where it stays, look at the thing in Azure's studio",
        )
    return None


def _inside_the_sdk(error: Exception) -> bool:
    """Whether code of the SDK has met a value that it does not expect, such as a text in the place of an object."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and OF_THE_SDK.search(frames[-1].filename.replace("\\", "/")) is not None


def _code(error: Exception) -> str:
    """The code of the error, or the innermost that Azure names."""
    inner = getattr(error, "error", None)
    return str(getattr(inner, "code", "") or getattr(error, "error_code", "") or "")


def _status(error: Exception) -> int:
    found = getattr(error, "status_code", 0)
    return found if isinstance(found, int) else 0


def _said(error: Exception) -> str:
    """What Azure says, without the code and the repetition that the SDK puts around it."""
    told = getattr(error, "error", None)
    inner = _innermost(told) or getattr(told, "message", "")
    return plain(str(inner or getattr(error, "message", "") or error or type(error).__name__))


def _innermost(told: Any) -> str:
    """The cause below a sentence that says nothing, such as 'The request is invalid.'."""
    for each in getattr(told, "details", None) or ():
        if said := _innermost(each) or str(getattr(each, "message", "") or ""):
            found = _FIELD_ERRORS.search(said)
            return found[1] if found else said
    return ""


Make = Callable[[str], SlipwayError]

NO_WORKSPACE = re.compile(
    r"Microsoft\.MachineLearningServices/workspaces/[^/']+' under resource group .* not found", re.I
)
DOCTOR = "'python -m core doctor --workspace azure' looks at it"
ROLES = "'python -m core doctor --workspace azure' gives the role commands"
QUOTA = "Ask for more in Azure's portal (Quotas), or choose another size or fewer machines"
SAID_CHARS_MAX = 400
BROKEN = ("httpx", "httpcore", "requests.", "urllib3.")
"""What carries a request and may break: the SDK's errors of the network have these inside."""


def _no_workspace(said: str) -> SlipwayError:
    return SpecInvalid(said.partition(" For more details")[0], hint="Check SLIPWAY_AZURE_WORKSPACE, or the config.json")


def _trouble(said: str) -> SlipwayError:
    return ServiceUnavailable(f"Azure has trouble of its own: {said}", hint="Try again in a minute")


def _forbidden(said: str) -> SlipwayError:
    return Forbidden(said, hint=ROLES)


def _not_accepted(said: str) -> SlipwayError:
    return Forbidden(f"Azure does not accept the credential: {said}", hint=DOCTOR)


def _sts(said: str) -> str:
    """The code of Entra's refusal, by which it is looked up."""
    found = re.search(r"AADSTS\d+", said)
    return f" ({found[0]})" if found else ""


def _no_tenant(said: str) -> SlipwayError:
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", said, re.IGNORECASE)
    named = f" '{found[0]}'" if found else ""
    return Forbidden(
        f"There is no tenant{named} to sign in to{_sts(said)}",
        hint="Check AZURE_TENANT_ID",
    )


def _bad_secret(said: str) -> SlipwayError:
    return Forbidden(
        f"Azure does not accept the client secret: it is wrong, or has expired{_sts(said)}",
        hint="Check AZURE_CLIENT_SECRET; 'az ad app credential reset --id APP_ID' makes a new one",
    )


def _no_client(said: str) -> SlipwayError:
    return Forbidden(
        f"There is no application with this client id in the tenant{_sts(said)}",
        hint="Check AZURE_CLIENT_ID and AZURE_TENANT_ID: both stand in the answer of 'az ad sp create-for-rbac'",
    )


def _clock(said: str) -> SlipwayError:
    return Forbidden(
        f"Azure does not accept the credential: this machine's clock is wrong{_sts(said)}",
        hint="Set it, for example: sudo timedatectl set-ntp true",
    )


def _quota(said: str) -> SlipwayError:
    return SpecInvalid(f"The quota is used up: {said}", hint=QUOTA)


def _no_size(said: str) -> SlipwayError:
    return SpecInvalid(said, hint="SLIPWAY_AZURE_COMPUTE_SIZE and SLIPWAY_AZURE_INSTANCE_TYPE name the sizes")


def _conflict(said: str) -> SlipwayError:
    return Conflict(said, hint="Look at what is there now, and ask again when nobody else changes it")


def _invalid(said: str) -> SlipwayError:
    return SpecInvalid(f"Azure refuses this: {said}", hint="Change what it names, and ask again")


def _wait(said: str) -> SlipwayError:
    return ServiceUnavailable(f"Azure asks to wait: {said}", hint="Try again in a minute")


def _broken(said: str) -> SlipwayError:
    return ServiceUnavailable(f"Azure broke off its answer: {said}", hint="Try again")


CODES: Mapping[str, Make] = {
    "SubscriptionNotFound": lambda said: SpecInvalid(said, hint="Check SLIPWAY_AZURE_SUBSCRIPTION"),
    "InvalidSubscriptionId": lambda said: SpecInvalid(said, hint="Check SLIPWAY_AZURE_SUBSCRIPTION"),
    "ResourceGroupNotFound": lambda said: SpecInvalid(said, hint="Check SLIPWAY_AZURE_RESOURCE_GROUP"),
    **dict.fromkeys(
        ("AuthorizationFailed", "LinkedAuthorizationFailed", "AuthorizationPermissionMismatch"), _forbidden
    ),
    **dict.fromkeys(
        ("InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed"), _not_accepted
    ),
    **dict.fromkeys(("TooManyRequests", "SubscriptionRequestsThrottled", "OperationThrottled"), _wait),
    **dict.fromkeys(("Conflict", "ResourceConflict", "AnotherOperationInProgress"), _conflict),
}
"""Code of Azure's error -> ours."""

SAYINGS: Mapping[str, Make] = {
    r"AADSTS90002|AADSTS900023|unable to get authority configuration|invalid tenant id": _no_tenant,
    r"AADSTS700016": _no_client,
    r"AADSTS7000215|AADSTS7000222": _bad_secret,
    r"AADSTS700024|is not within its valid time range|token.{0,20}not yet valid": _clock,
    r"quota|cores? ?limit|OutOfCapacity|insufficient.*cores": _quota,
    r"(vm|sku|instance).{0,20}(size|type)?.{0,40}not (available|supported)": _no_size,
}
"""What is said of a thing that has no one code -> ours."""

KINDS: Mapping[str, Make] = {
    "CredentialUnavailableError": lambda said: Forbidden(
        f"There is no credential to sign in with: {said}", hint="Choose another with SLIPWAY_AZURE_CREDENTIAL"
    ),
    "ClientAuthenticationError": _not_accepted,
    "ServiceRequestError": lambda said: ServiceUnavailable(
        f"Azure cannot be reached: {said}", hint="Is the network up?"
    ),
    "ServiceResponseError": _broken,
    "IncompleteReadError": _broken,
    "HttpResponsePayloadError": _broken,
    "ResourceExistsError": _conflict,
    "AssetPathException": _conflict,
    "ValidationException": _invalid,
    "ValidationError": _invalid,
    "UserErrorException": _invalid,
}
"""Class of the SDK's exception, or of one that it inherits -> ours."""

STATUSES: Mapping[int, Make] = {
    400: _invalid,
    401: _not_accepted,
    403: _forbidden,
    404: NotFound,
    409: _conflict,
    412: _conflict,
    429: _wait,
}
"""HTTP status -> ours, where nothing else tells more."""


def refusal(status: int, said: str, code: str = "") -> SlipwayError:
    """Ours for an answer outside the SDK that is a refusal."""
    said = plain(said)[:SAID_CHARS_MAX]
    if NO_WORKSPACE.search(said):
        return _no_workspace(said)
    if make := CODES.get(code) or STATUSES.get(status):
        return make(said)
    if status >= 500:
        return _trouble(said)
    return SlipwayError(f"Azure refused: {said}", hint=DOCTOR)
