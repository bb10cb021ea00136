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
    status = 404


class DeploymentUnknown(Refusal):
    status = 404


class MethodRefused(Refusal):
    """Another method on a known path."""

    status = 405

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method[:20]} is not allowed here", hint=f"Allowed: {', '.join(allowed)}")
        self.headers = ((b"allow", ", ".join(allowed).encode()),)


class BodyLate(Refusal):
    """The body did not arrive in time; the connection ends with the reply."""

    status = 408
    headers = ((b"connection", b"close"),)


class BodyTooLarge(Refusal):
    """More bytes than allowed. `drained` says that the client has sent all of it, so the connection can go on."""

    status = 413

    def __init__(self, limit_mb: float, *, drained: bool = True) -> None:
        super().__init__(f"The body is larger than {limit_mb:g} MB", hint="Send the rows in several requests")
        if not drained:
            self.headers = ((b"connection", b"close"),)


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
    headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),)


class HeaderTooLong(Refusal):
    status = 431


class NotReady(Refusal):
    """No deployment is ready, or none of those that are has traffic."""

    status = 503


class ServerFault(Refusal):
    """A bug of ours: told without its traceback, which goes to the log."""

    status = 500


class ClientGone(Exception):
    """The client closed the connection before its request was complete: there is nobody to answer."""
