"""What a tab is given, and the ways to another one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core.domain.endpoint import Endpoint
from core.domain.monitoring import Origin, TelemetrySummary
from core.ui.monitor.seen import LOOK_EVERY_S
from core.ui.shell import navigation
from core.ui.shell.cached import telemetry
from core.ui.shell.live import live
from core.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """An endpoint, the window that is looked at, and whose requests."""

    workspace: Workspace
    endpoint: Endpoint
    window: tuple[float, int]
    """Seconds, and in how many intervals."""
    origin: Origin | None
    follow: bool
    """Look again every few seconds."""

    @property
    def name(self) -> str:
        return self.endpoint.name

    def summary(self) -> TelemetrySummary:
        """Its requests, as they stand above the tabs."""
        return telemetry(self.name, *self.window, self.origin)

    def watch(self, look: Callable[[], T], draw: Callable[[T], None]) -> None:
        """Draw what `look` gives, again every few seconds while the page follows."""
        live(look, lambda _: LOOK_EVERY_S if self.follow else None, draw)

    def link(self, tab: str, label: str, **query: str) -> None:
        """A link to another tab."""
        navigation.link("Monitor", label, endpoint=self.name, watch=tab, **query)
