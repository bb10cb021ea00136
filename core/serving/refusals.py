"""What the server refuses beyond the contract's own errors, each with its status."""

from core.domain.errors import SlipwayError, Unauthorized

RETRY_AFTER_S = 1


class Refusal(SlipwayError):
    """A request that is not answered with predictions. `headers` go out with the reply."""

    headers: tuple[tuple[bytes, bytes], ...] = ()


class KeyRefused(Unauthorized):
    """No key, another scheme, or a wrong key."""

    headers = ((b"www-authenticate", b"Bearer"),)


class PathUnknown(Refusal):
    """A path that the server does not have."""

    status = 404


class DeploymentUnknown(Refusal):
    """A request that names a deployment which the endpoint does not have."""

    status = 404


class MethodRefused(Refusal):
    """A method that this path does not support."""

    status = 405

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method[:20]} is not allowed here", hint=f"Allowed: {', '.join(allowed)}")
        self.headers = ((b"allow", ", ".join(allowed).encode()),)


class HttpInvalid(Refusal):
    """Bytes that are no request of HTTP/1.0 or HTTP/1.1, or one that two readers could read in two ways."""

    status = 400


class HeadLate(Refusal):
    """The head did not arrive in time; the connection ends with the reply."""

    status = 408


class BodyLate(Refusal):
    """The body did not arrive in time; the connection ends with the reply."""

    status = 408


class BodyTooLarge(Refusal):
    """More bytes than allowed."""

    status = 413

    def __init__(self, limit_mb: float) -> None:
        super().__init__(f"The body is larger than {limit_mb:g} MB", hint="Send the rows in several requests")


class MediaRefused(Refusal):
    """Another content type, or another content encoding."""

    status = 415


class BodyUnpackable(Refusal):
    """A body that says gzip and is not."""

    status = 400


class ModelFailed(Refusal):
    """The model raised, or gave what is no probability."""

    status = 424


class TooBusy(Refusal):
    """More requests at once than the endpoint takes."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(message, hint=f"Try again in {retry_after_s} s")
        self.headers = ((b"retry-after", str(max(1, retry_after_s)).encode()),)


class HeaderTooLong(Refusal):
    """A request id longer than Azure ML takes, or more of a head than the endpoint reads."""

    status = 431


class NotReady(Refusal):
    """No deployment is ready, or none of those that are has traffic."""

    status = 503


class ShuttingDown(Refusal):
    """The server ends: what it began is finished, and nothing more begins."""

    status = 503
    headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),)


class ConnectionsFull(Refusal):
    """More connections than `max_connections`; this one is told and closed."""

    status = 503
    headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),)


class ServerFault(Refusal):
    """A bug of ours: told without its traceback, which goes to the log."""

    status = 500
