"""The emulation's own door: what shall go wrong. Azure has no such host."""

from core.domain.errors import SpecInvalid
from core.emulator.emulation import Emulation
from core.emulator.faults import KINDS, of_folder, read, shown
from core.emulator.messages import AzureError, Reply, Request
from core.emulator.routes import Route


def listed(emulation: Emulation, request: Request) -> Reply:
    """What is still to go wrong, and what there is to ask for."""
    return Reply(body={"faults": [shown(each) for each in of_folder(emulation.folder).all()], "kinds": dict(KINDS)})


def added(emulation: Emulation, request: Request) -> Reply:
    """One more thing that goes wrong."""
    try:
        fault = read(request.document())
    except SpecInvalid as e:
        raise AzureError(400, "InvalidFault", f"{e.message}. {e.hint}") from e
    return Reply(201, shown(of_folder(emulation.folder).add(fault)))


def cleared(emulation: Emulation, request: Request) -> Reply:
    """Nothing goes wrong anymore, or one thing less."""
    return Reply(body={"cleared": of_folder(emulation.folder).clear(request.found.get("fault", ""))})


ROUTES = (
    Route("GET", "control", "/faults", listed),
    Route("POST", "control", "/faults", added),
    Route("DELETE", "control", "/faults", cleared),
    Route("DELETE", "control", "/faults/{fault}", cleared),
)
