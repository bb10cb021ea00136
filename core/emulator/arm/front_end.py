"""The front end of machine learning on the regional host: the same resources as ARM has, under another prefix."""

from collections.abc import Iterable
from dataclasses import replace

from core.emulator.emulation import Emulation
from core.emulator.messages import Reply, Request
from core.emulator.routes import Route, Router

PREFIX = "/mferp/managementfrontend"


def routes(router: Router) -> Iterable[Route]:
    """What comes to the prefix is answered as ARM answers it."""

    def answer(emulation: Emulation, request: Request) -> Reply:
        handler, found = router.find("arm", replace(request, path=f"/{request.found['rest']}"))
        return handler(emulation, found)

    return (Route("*", "api", PREFIX + "/{rest:rest}", answer),)
