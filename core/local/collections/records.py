"""What endpoints did, from the records of their servers."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.alerts import Alert, AlertEvent, AlertRule, AlertState, UnreadableAlert
from core.domain.drift import DriftReport, Predictions
from core.domain.errors import SpecInvalid
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
from core.domain.rules import check_limit
from core.local import alerting
from core.local.context import Context
from core.local.records import availability, disagreement, exceptions, refusals
from core.local.records import search as searching
from core.local.records import telemetry as queries
from core.local.store.alerts import StoredAlert
from core.local.watching.drift import Drifting
from core.local.watching.references import References

if TYPE_CHECKING:
    from core.local.watching.answers import Answers
    from core.local.watching.feedback import Feedback
from core.workspace.records import Records

AHEAD_MAX_S = 60.0
"""A record that is further ahead of now than this was made by a clock that was wrong, and is left out."""

SHOWN_FIRST = (AlertState.FIRING, AlertState.PENDING, AlertState.UNKNOWN, AlertState.OK)


class LocalRecords(Records):
    """Reads what the scoring servers wrote below their endpoint's folder."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._references = References(context)
        self._drifting = Drifting(context, self._references)

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        folder, since, until = self._window(endpoint, window_s, buckets)
        found = queries.summary(endpoint, folder, since, until, buckets, origin=origin)
        looks = self._context.paths.availability(endpoint)
        begun = availability.recorded_since(looks, found.recorded_since)
        told = availability.with_gaps(found.buckets, looks, begun, self._context.clock())
        return replace(found, buckets=told, recorded_since=begun)

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        return self.search(endpoint, RequestQuery(limit=limit), origin=origin)

    def search(
        self, endpoint: str, query: RequestQuery, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._context.store.endpoints.get(endpoint)
        until = self._context.clock() + AHEAD_MAX_S
        return searching.search(self._context.paths.telemetry(endpoint), query, until=until, origin=origin)

    def course(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> tuple[DeploymentCourse, ...]:
        folder, since, until = self._window(endpoint, window_s, buckets)
        return queries.course(folder, since, until, buckets, origin=origin)

    def exceptions(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[ExceptionGroup, ...]:
        folder, since, until = self._lately(endpoint, window_s)
        causes = self._context.paths.exceptions(endpoint)
        return exceptions.exceptions(folder, causes, since, until, origin=origin)

    def refusals(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[Refusal, ...]:
        folder, since, until = self._lately(endpoint, window_s)
        return refusals.refusals(folder, since, until, origin=origin)

    def availability(self, endpoint: str, window_s: float = 3600.0, buckets: int = 60) -> Availability:
        _, since, until = self._window(endpoint, window_s, buckets)
        return availability.availability(endpoint, self._context.paths.availability(endpoint), since, until, buckets)

    def disagreement(self, endpoint: str, window_s: float = 3600.0) -> tuple[Disagreement, ...]:
        folder, since, until = self._lately(endpoint, window_s)
        return disagreement.disagreement(folder, since, until)

    def drift(self, endpoint: str, window_s: float = 86_400.0, *, deployment: str = "") -> DriftReport:
        return self._drifting.report(endpoint, window_s, deployment)

    def set_drift_limit(self, endpoint: str, column: str, limit: float | None) -> None:
        self._drifting.set_limit(endpoint, column, limit)

    def predictions(
        self, endpoint: str, window_s: float = 86_400.0, buckets: int = 48, *, deployment: str = ""
    ) -> Predictions:
        from core.local.watching.predictions import Predicting

        return Predicting(self._context, self._drifting, self._answers).predictions(
            endpoint, window_s, buckets, deployment
        )

    def send_feedback(self, endpoint: str, outcomes: Sequence[Outcome]) -> FeedbackReceipt:
        return self._feedback.send(endpoint, outcomes)

    def quality(self, endpoint: str, window_s: float = 30 * 86_400.0, *, deployment: str = "") -> LiveQuality:
        from core.local.watching.quality import Quality

        return Quality(self._context, self._answers, self._feedback).of(endpoint, window_s, deployment)

    # Tables of answers are read by Arrow, which an app starts without.

    @cached_property
    def _answers(self) -> "Answers":
        from core.local.watching.answers import Answers

        return Answers(self._context, self._references)

    @cached_property
    def _feedback(self) -> "Feedback":
        from core.local.watching.feedback import Feedback

        return Feedback(self._context, self._answers)

    def set_alert(self, rule: AlertRule) -> Alert:
        alerting.set_alert(self._context, rule)
        return self._alert(self._context.store.alerts.get(rule.name))

    def delete_alert(self, name: str) -> None:
        alerting.delete_alert(self._context, name)

    def alerts(self) -> tuple[Alert, ...]:
        found, _ = self._context.store.alerts.all()
        shown = map(self._alert, found)
        return tuple(sorted(shown, key=lambda alert: (SHOWN_FIRST.index(alert.state), alert.rule.name)))

    def unreadable_alerts(self) -> tuple[UnreadableAlert, ...]:
        _, unreadable = self._context.store.alerts.all()
        return unreadable

    def alert_events(self, limit: int = 100) -> tuple[AlertEvent, ...]:
        return self._context.store.alerts.events(check_limit(limit))

    def _alert(self, stored: StoredAlert) -> Alert:
        at = stored.standing
        error, run_id = self._context.store.alerts.last_told(stored.rule.name)
        return Alert(stored.rule, at.state, at.value, at.since, at.looked_at, at.text, error, run_id)

    def _lately(self, endpoint: str, window_s: float) -> tuple[Path, float, float]:
        """The folder of an endpoint, and the last so many seconds. Raises EndpointNotFound, SpecInvalid."""
        folder, _, _ = self._window(endpoint, window_s, 1)
        now = self._context.clock()
        return folder, now - window_s, now + AHEAD_MAX_S

    def _window(self, endpoint: str, window_s: float, buckets: int) -> tuple[Path, float, float]:
        """The folder of an endpoint, and the window that is now. Raises EndpointNotFound, SpecInvalid."""
        if not (window_s > 0 and math.isfinite(window_s)) or buckets < 1:
            raise SpecInvalid(f"Telemetry needs window_s > 0 and buckets >= 1, got {window_s} and {buckets}")
        self._context.store.endpoints.get(endpoint)
        return self._context.paths.telemetry(endpoint), *queries.aligned(self._context.clock(), window_s, buckets)
