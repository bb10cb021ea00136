"""Which handler answers: by kind of host, method and path. Literal parts of a path are compared without their case."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.emulator.messages import AzureError, Reply, Request

if TYPE_CHECKING:
    from core.emulator.emulation import Emulation

Handler = Callable[["Emulation", Request], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` has places in braces: `{name}` is one segment of a path, `{name:rest}` all that is left of it."""

    method: str
    host: str
    pattern: str
    handler: Handler

    def compiled(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)(:rest)?\}", self.pattern)
        text = ""
        for at in range(0, len(parts), 3):
            text += re.escape(parts[at])
            if at + 1 < len(parts):
                text += f"(?P<{parts[at + 1]}>{'.*' if parts[at + 2] else '[^/]+'})"
        return re.compile(text, re.IGNORECASE | re.DOTALL)


class Router:
    """All routes; the first whose host, method and path fit answers."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple((route, route.compiled()) for route in routes)

    def add(self, routes: Iterable[Route]) -> None:
        """Routes that ask this router themselves; they come last."""
        self._routes += tuple((route, route.compiled()) for route in routes)

    def find(self, host: str, request: Request) -> tuple[Handler, Request]:
        """The handler, and the request with what its route found. Raises AzureError 404 or 405."""
        methods = set()
        for route, pattern in self._routes:
            if route.host == host and (match := pattern.fullmatch(request.path)):
                if route.method in (request.method, "*"):
                    return route.handler, replace(request, found=match.groupdict())
                methods.add(route.method)
        if methods:
            raise AzureError(405, "MethodNotAllowed", f"{request.path} takes {', '.join(sorted(methods))}")
        raise AzureError(
            404, "NotFound", f"The emulation does not answer {request.method} {request.host}{request.path}"
        )
