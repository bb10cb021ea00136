"""What an endpoint was asked and how it answered, over a window of time."""

import time
from dataclasses import dataclass

from core.domain.data import DataAsset
from core.domain.endpoint import Endpoint
from core.domain.job import LogLine
from core.domain.monitoring import Origin, RequestRecord, TelemetrySummary
from core.ui.kit import endpoints
from core.ui.shell import cached
from core.ui.shell.live import CALM_S
from core.workspace import Workspace

LOOK_EVERY_S = CALM_S / 2


@dataclass(frozen=True, slots=True)
class Traffic:
    """An endpoint's traffic at one moment."""

    name: str
    summary: TelemetrySummary
    newest: tuple[RequestRecord, ...]
    log: tuple[LogLine, ...]
    data: DataAsset | None
    origin: Origin | None
    """Whose requests; None: all."""
    now: float


def look(workspace: Workspace, endpoint: Endpoint, window: tuple[float, int], origin: Origin | None) -> Traffic:
    """An endpoint's records as they are now; what a server wrote is seen here at once.

    The newest requests are not looked for where there is none to show: the search would go back to the first.
    """
    name, can = endpoint.name, workspace.can
    live = endpoints.served(workspace, endpoint)
    summary = cached.telemetry(name, *window, origin)
    shown = bool(summary.requests) and can("records.requests")
    return Traffic(
        name=name,
        summary=summary,
        newest=workspace.records.requests(name, limit=50, origin=origin) if shown else (),
        log=workspace.endpoints.logs(name, limit=100) if can("endpoints.logs") else (),
        data=live[0].data if live else None,
        origin=origin,
        now=time.time(),
    )
