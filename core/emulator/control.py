"""The emulation's own door: what shall go wrong. Azure has no such host."""

from core.domain.errors import SpecInvalid
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.faults import KINDS, of_folder, read, shown
from core.emulator.messages import AzureError, Reply, Request
from core.emulator.routes import Route

FORWARD_MAX_S = 10 * 366 * 24 * 3600
"""Ten years at once."""


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


def clock(emulation: Emulation, request: Request) -> Reply:
    """What time it is for the clients, and how far that is ahead of the real one."""
    now = emulation.clock.now()
    return Reply(
        body={"now": iso(now), "ahead_s": round(now - emulation.clock.real(), 3), "scale": emulation.clock.scale}
    )


def wound(emulation: Emulation, request: Request) -> Reply:
    """Wind the clock forward by seconds; schedules that become due start their jobs."""
    seconds = request.document().get("seconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= FORWARD_MAX_S:
        raise AzureError(400, "InvalidClock", f"seconds is {seconds!r}, and must be from 0 to {FORWARD_MAX_S:,}")
    emulation.clock.forward(float(seconds))
    return clock(emulation, request)


ROUTES = (
    Route("GET", "control", "/clock", clock),
    Route("POST", "control", "/clock/forward", wound),
    Route("GET", "control", "/faults", listed),
    Route("POST", "control", "/faults", added),
    Route("DELETE", "control", "/faults", cleared),
    Route("DELETE", "control", "/faults/{fault}", cleared),
)
