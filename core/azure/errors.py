"""What Azure, its SDK and the network say, as errors of our family: one sentence, and the way out.

A long-running operation that has failed raises `HttpResponseError` with status 200, so the code of the error decides,
and the status only where there is no code.
"""

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

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
        return SpecInvalid(said, hint="Check SLIPWAY_AZURE_WORKSPACE, or the config.json")
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
        return ServiceUnavailable(f"Azure has trouble of its own: {said}", hint="Try again in a minute")
    if module.startswith(BROKEN):
        return ServiceUnavailable(f"Azure cannot be reached: {said}", hint="Is the network up?")
    if status or module.startswith(("azure.", "msrest", "marshmallow")):
        return SlipwayError(f"Azure refused: {said}", hint="")
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
    inner = getattr(getattr(error, "error", None), "message", "")
    return plain(str(inner or getattr(error, "message", "") or error or type(error).__name__))


Make = Callable[[str], SlipwayError]

NO_WORKSPACE = re.compile(
    r"Microsoft\.MachineLearningServices/workspaces/[^/']+' under resource group .* not found", re.I
)
DOCTOR = "'python -m core doctor --workspace azure' looks at it"
ROLES = "'python -m core doctor --workspace azure' gives the role commands"
QUOTA = "Ask for more in Azure's portal (Quotas), or choose another size or fewer machines"
BROKEN = ("httpx", "httpcore", "requests.", "urllib3.")
"""What carries a request and may break: the SDK's errors of the network have these inside."""


def _forbidden(said: str) -> SlipwayError:
    return Forbidden(said, hint=ROLES)


def _not_accepted(said: str) -> SlipwayError:
    return Forbidden(f"Azure does not accept the credential: {said}", hint=DOCTOR)


def _quota(said: str) -> SlipwayError:
    return SpecInvalid(f"The quota is used up: {said}", hint=QUOTA)


def _no_size(said: str) -> SlipwayError:
    return SpecInvalid(said, hint="SLIPWAY_AZURE_COMPUTE_SIZE and SLIPWAY_AZURE_INSTANCE_TYPE name the sizes")


def _invalid(said: str) -> SlipwayError:
    return SpecInvalid(f"Azure refuses this: {said}")


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
    **dict.fromkeys(("Conflict", "ResourceConflict", "AnotherOperationInProgress"), Conflict),
}
"""Code of Azure's error -> ours."""

SAYINGS: Mapping[str, Make] = {
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
    "ResourceExistsError": Conflict,
    "AssetPathException": Conflict,
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
    409: Conflict,
    412: Conflict,
    429: _wait,
}
"""HTTP status -> ours, where nothing else tells more."""
