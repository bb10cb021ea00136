"""Everything that the emulation answers: the kinds of resource, the routes, and what goes on by itself."""

from core.emulator import control, entra, schemas
from core.emulator.arm import front_end, lacking, subscription, workspace
from core.emulator.arm.kinds import Kind
from core.emulator.arm.resources import Resources
from core.emulator.assets import (
    artifacts,
    codes,
    components,
    connections,
    data,
    datastores,
    environments,
    models,
    registries,
)
from core.emulator.computes import clusters, sizes
from core.emulator.emulation import Tick
from core.emulator.endpoints import autoscale, batch_deployments, batch_jobs, deployments, online, scoring
from core.emulator.insights import interfaces
from core.emulator.jobs import ending, schedules
from core.emulator.jobs import kind as jobs
from core.emulator.jobs import routes as jobs_routes
from core.emulator.routes import Router
from core.emulator.storage import service

KINDS: tuple[Kind, ...] = (
    datastores.KIND,
    *data.KINDS,
    *models.KINDS,
    *codes.KINDS,
    *environments.KINDS,
    *components.KINDS,
    clusters.KIND,
    connections.KIND,
    jobs.KIND,
    schedules.KIND,
    online.KIND,
    deployments.KIND,
    *batch_deployments.KINDS,
)
RESOURCES = Resources({kind.type: kind for kind in KINDS})
ROUTER = Router(
    (
        *entra.ROUTES,
        *control.ROUTES,
        *schemas.ROUTES,
        *workspace.ROUTES,
        *lacking.ROUTES,
        *subscription.ROUTES,
        *service.ROUTES,
        *codes.ROUTES,
        *components.ROUTES,
        *sizes.ROUTES,
        *registries.ROUTES,
        *artifacts.ROUTES,
        *jobs_routes.ROUTES,
        *deployments.ROUTES,
        *batch_jobs.ROUTES,
        *autoscale.ROUTES,
        *interfaces.ROUTES,
        *scoring.ROUTES,
        *RESOURCES.routes(),
    )
)
ROUTER.add(front_end.routes(ROUTER))
TICKS: tuple[Tick, ...] = (ending.look_after, schedules.look_after)
STARTS: tuple[Tick, ...] = (datastores.make_own, environments.make_curated)
"""What an emulation has from its beginning; called once, before it answers."""
