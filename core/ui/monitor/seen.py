"""An endpoint at one moment: what it did, whether it could be reached, and whether its answers still hold."""

import time
from dataclasses import dataclass

from core.domain.alerts import Alert, AlertState
from core.domain.drift import DriftReport
from core.domain.endpoint import Endpoint
from core.domain.monitoring import Availability, Origin, TelemetrySummary
from core.domain.outcomes import LiveQuality
from core.ui.kit import endpoints
from core.ui.kit.endpoints import Served
from core.ui.monitor import cached
from core.ui.shell.cached import telemetry
from core.ui.shell.live import CALM_S
from core.workspace import Workspace

LOOK_EVERY_S = CALM_S / 2
DRIFT_S, OUTCOMES_S = 86_400.0, 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands above every tab."""

    endpoint: Endpoint
    served: tuple[Served, ...]
    summary: TelemetrySummary
    origin: Origin | None
    """Whose requests; None: all."""
    now: float
    availability: Availability | None = None
    firing: tuple[Alert, ...] = ()
    drift: DriftReport | None = None
    """None where nothing is known of it, or not yet."""
    quality: LiveQuality | None = None

    @property
    def window_s(self) -> float:
        return self.summary.until - self.summary.since


def look(workspace: Workspace, endpoint: Endpoint, window: tuple[float, int], origin: Origin | None) -> Seen:
    """As it is now. Drift and outcomes are those of the last look at them, which is at most about a minute old."""
    name, can, records = endpoint.name, workspace.can, workspace.records
    alerts = records.alerts() if can("records.alerts") else ()
    return Seen(
        endpoint=endpoint,
        served=endpoints.served(workspace, endpoint),
        summary=telemetry(name, *window, origin),
        origin=origin,
        now=time.time(),
        availability=records.availability(name, *window) if can("records.availability") else None,
        firing=tuple(a for a in alerts if a.rule.endpoint == name and a.state is AlertState.FIRING),
        drift=cached.drift(name, DRIFT_S).briefly() if can("records.drift") and endpoint.live else None,
        quality=cached.quality(name, OUTCOMES_S).briefly() if can("records.quality") and endpoint.live else None,
    )
