"""What endpoints did and were told: telemetry, drift, feedback, alerts."""

from collections.abc import Sequence

from core.domain.alerts import Alert, AlertEvent, AlertRule, UnreadableAlert
from core.domain.drift import DriftReport, Predictions
from core.domain.monitoring import (
    Availability,
    DeploymentCourse,
    Disagreement,
    ExceptionGroup,
    Origin,
    Refusal,
    RequestQuery,
    RequestRecord,
    TelemetrySummary,
)
from core.domain.outcomes import FeedbackReceipt, LiveQuality, Outcome
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

    def search(
        self, endpoint: str, query: RequestQuery, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        """Requests that fit a query, the newest first, or the slowest. Raises EndpointNotFound."""
        self._cannot("search")

    def course(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> tuple[DeploymentCourse, ...]:
        """Each deployment by itself, in the intervals of `telemetry`; mirrored ones too. Raises EndpointNotFound."""
        self._cannot("course")

    def exceptions(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[ExceptionGroup, ...]:
        """Failed requests by their cause, the most frequent first. Raises EndpointNotFound."""
        self._cannot("exceptions")

    def refusals(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[Refusal, ...]:
        """Refused requests by reason and column, the most frequent first. Raises EndpointNotFound."""
        self._cannot("refusals")

    def availability(self, endpoint: str, window_s: float = 3600.0, buckets: int = 60) -> Availability:
        """How long it could be reached, of the time in which somebody looked. Raises EndpointNotFound."""
        self._cannot("availability")

    def disagreement(self, endpoint: str, window_s: float = 3600.0) -> tuple[Disagreement, ...]:
        """Mirrored deployments' answers against the live ones'. Raises EndpointNotFound."""
        self._cannot("disagreement")

    def drift(self, endpoint: str, window_s: float = 86_400.0, *, deployment: str = "") -> DriftReport:
        """Recent inputs and scores of clients against the training data; an empty deployment is the one with the most
        traffic. Raises EndpointNotFound, Conflict where no inputs are kept.
        """
        self._cannot("drift")

    def set_drift_limit(self, endpoint: str, column: str, limit: float | None) -> None:
        """The PSI above which a column (empty: the score) counts as drifted; None: the common one again.

        Raises EndpointNotFound, SpecInvalid for a column that the endpoint's models do not have.
        """
        self._cannot("set_drift_limit")

    def predictions(
        self, endpoint: str, window_s: float = 86_400.0, buckets: int = 48, *, deployment: str = ""
    ) -> Predictions:
        """What clients were answered, over time and by score. Raises EndpointNotFound, Conflict of none kept."""
        self._cannot("predictions")

    def send_feedback(self, endpoint: str, outcomes: Sequence[Outcome]) -> FeedbackReceipt:
        """Keep what really happened to scored rows; what matches no kept answer is counted and named.

        Raises EndpointNotFound, SpecInvalid for an outcome that no model of the endpoint can predict.
        """
        self._cannot("send_feedback")

    def quality(self, endpoint: str, window_s: float = 30 * 86_400.0, *, deployment: str = "") -> LiveQuality:
        """How good the answers were, of rows whose outcome is known. Raises EndpointNotFound."""
        self._cannot("quality")

    def set_alert(self, rule: AlertRule) -> Alert:
        """Create or change an alert. Raises EndpointNotFound, and PipelineNotFound for a pipeline that is not there."""
        self._cannot("set_alert")

    def delete_alert(self, name: str) -> None:
        """Raises AlertNotFound."""
        self._cannot("delete_alert")

    def alerts(self) -> tuple[Alert, ...]:
        """All alerts that can be read, with their state, firing ones first."""
        self._cannot("alerts")

    def unreadable_alerts(self) -> tuple[UnreadableAlert, ...]:
        """Those that are left out of `alerts`, by name; `delete_alert` removes one."""
        self._cannot("unreadable_alerts")

    def alert_events(self, limit: int = 100) -> tuple[AlertEvent, ...]:
        """What alerts did, the newest first."""
        self._cannot("alert_events")
