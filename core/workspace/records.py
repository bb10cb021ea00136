"""What endpoints did and were told: telemetry, drift, feedback, alerts."""

from core.domain.monitoring import (
    Alert,
    AlertRule,
    DriftReport,
    Feedback,
    Origin,
    RequestRecord,
    TelemetrySummary,
)
from core.workspace.collection import Collection


class Records(Collection):
    """What endpoints did and were told: telemetry, drift, feedback, alerts."""

    noun = "records"

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        """Requests, latency and errors over the last `window_s` seconds: clients', another origin's, or (None) all.

        `buckets` intervals of the same width, oldest first, also those without a request. Their edges are multiples of
        the width since the epoch, so a summary changes by requests alone until the next interval begins; the newest
        one is still filling. A request shows up within seconds. Raises EndpointNotFound.
        """
        self._cannot("telemetry")

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        """The newest requests: clients', another origin's, or (None) all. Raises EndpointNotFound."""
        self._cannot("requests")

    def drift(self, endpoint: str, window_s: float = 86_400.0) -> DriftReport:
        """Recent inputs against the training data. Raises EndpointNotFound, Conflict when no inputs are kept."""
        self._cannot("drift")

    def send_feedback(self, feedback: Feedback) -> None:
        """Keep what really happened to a scored row. Raises EndpointNotFound."""
        self._cannot("send_feedback")

    def set_alert(self, rule: AlertRule) -> Alert:
        """Create or change an alert. Raises EndpointNotFound."""
        self._cannot("set_alert")

    def alerts(self) -> tuple[Alert, ...]:
        """All alerts with their state."""
        self._cannot("alerts")
