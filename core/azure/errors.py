"""What Azure, its SDK and the network say, as errors of our family: one sentence, and the way out.

A long-running operation that has failed raises `HttpResponseError` with status 200, so the code of the error decides,
and the status only where there is no code.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from core.domain.errors import (
    Conflict,
    DataNotFound,
    EndpointNotFound,
    Forbidden,
    JobNotFound,
    ModelNotFound,
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
    code, status, said = _code(error), _status(error), plain(getattr(error, "message", "") or str(error))
    kind = type(error).__name__
    if code in CODES:
        return CODES[code](said)
    if status == 404 and noun in NOT_FOUND:
        return NOT_FOUND[noun](f"There is no {noun} '{name}' in this workspace")
    if kind in KINDS:
        return KINDS[kind](said)
    if status in STATUSES:
        return STATUSES[status](said)
    if status or type(error).__module__.startswith(("azure.", "msrest", "marshmallow")):
        return SlipwayError(f"Azure refused: {said}", hint="")
    return None


def _code(error: Exception) -> str:
    inner = getattr(error, "error", None)
    return str(getattr(inner, "code", "") or "")


def _status(error: Exception) -> int:
    return int(getattr(error, "status_code", 0) or 0)


Make = Callable[[str], SlipwayError]

CODES: Mapping[str, Make] = {
    "SubscriptionNotFound": lambda said: SpecInvalid(said, hint="Check SLIPWAY_AZURE_SUBSCRIPTION"),
    "ResourceGroupNotFound": lambda said: SpecInvalid(said, hint="Check SLIPWAY_AZURE_RESOURCE_GROUP"),
    "AuthorizationFailed": lambda said: Forbidden(
        said, hint="'python -m core doctor --workspace azure' gives the role commands"
    ),
}
"""Code of Azure's error -> ours."""

KINDS: Mapping[str, Make] = {
    "ClientAuthenticationError": lambda said: Forbidden(
        f"Azure does not accept the credential: {said}", hint="'python -m core doctor --workspace azure' looks at it"
    ),
    "CredentialUnavailableError": lambda said: Forbidden(
        f"There is no credential to sign in with: {said}", hint="Choose another with SLIPWAY_AZURE_CREDENTIAL"
    ),
    "ServiceRequestError": lambda said: ServiceUnavailable(
        f"Azure cannot be reached: {said}", hint="Is the network up?"
    ),
    "ServiceResponseError": lambda said: ServiceUnavailable(f"Azure broke off its answer: {said}", hint="Try again"),
}
"""Class of the SDK's exception -> ours."""

STATUSES: Mapping[int, Make] = {
    401: KINDS["ClientAuthenticationError"],
    403: lambda said: Forbidden(said, hint="'python -m core doctor --workspace azure' gives the role commands"),
    409: Conflict,
    429: lambda said: ServiceUnavailable(f"Azure asks to wait: {said}", hint="Try again in a minute"),
}
"""HTTP status -> ours, where nothing else tells more."""
