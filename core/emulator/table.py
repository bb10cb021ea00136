"""Everything that the emulation answers: the kinds of resource, the routes, and what goes on by itself."""

from core.emulator import entra
from core.emulator.arm import subscription, workspace
from core.emulator.arm.kinds import Kind
from core.emulator.arm.resources import Resources
from core.emulator.emulation import Tick
from core.emulator.routes import Router

KINDS: tuple[Kind, ...] = ()
RESOURCES = Resources({kind.type: kind for kind in KINDS})
ROUTER = Router((*entra.ROUTES, *workspace.ROUTES, *subscription.ROUTES, *RESOURCES.routes()))
TICKS: tuple[Tick, ...] = ()
