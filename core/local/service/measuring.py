"""The value that an alert watches, from what an endpoint recorded; or why it is not known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.domain.alerts import AlertMetric, AlertRule
from core.domain.drift import DriftReport, DriftVerdict
from core.domain.endpoint import Endpoint
from core.domain.errors import SlipwayError
from core.domain.monitoring import Availability, DeploymentTraffic, RequestQuery, TelemetrySummary
from core.local.alert_words import duration
from core.workspace import Workspace

BUCKETS = 60
"""A window is whole intervals: of so many, it is right within 2 %."""
REQUESTS = (AlertMetric.ERROR_RATE, AlertMetric.REFUSED_RATE, AlertMetric.P99, AlertMetric.NO_TRAFFIC)
"""Those that are read off the records of requests."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric at one moment; None with the reason where it is not known."""

    value: float | None
    why: str = ""


class Measuring:
    """One round over all alerts: rules that ask for the same are answered by one look."""

    def __init__(self, workspace: Workspace, now: float) -> None:
        self._workspace, self._now = workspace, now
        self._known: dict[tuple[Any, ...], Any] = {}

    def read(self, rule: AlertRule) -> Reading:
        """The rule's value now. What the workspace cannot say is not known; a bug is a bug."""
        try:
            if rule.metric in REQUESTS and not self._endpoint(rule).limits.app_insights:
                return Reading(None, "the endpoint records no requests")
            return _METRICS[rule.metric](self, rule)
        except SlipwayError as e:
            return Reading(None, e.message)

    def _endpoint(self, rule: AlertRule) -> Endpoint:
        found: Endpoint = self._once(("endpoint", rule.endpoint), lambda: self._workspace.endpoints.get(rule.endpoint))
        return found

    def _telemetry(self, rule: AlertRule) -> TelemetrySummary:
        records = self._workspace.records
        found: TelemetrySummary = self._once(
            ("telemetry", rule.endpoint, rule.window_s),
            lambda: records.telemetry(rule.endpoint, rule.window_s, BUCKETS),
        )
        return found

    def _once(self, key: tuple[Any, ...], ask: Callable[[], Any]) -> Any:
        """The answer to a question that may be asked twice; a refusal is one too."""
        if key not in self._known:
            try:
                self._known[key] = ask()
            except SlipwayError as e:
                self._known[key] = e
        if isinstance(self._known[key], SlipwayError):
            raise self._known[key]
        return self._known[key]

    def _traffic(self, rule: AlertRule) -> tuple[DeploymentTraffic | None, str]:
        """Requests of clients in the rule's window, and why they say nothing where they are too few."""
        seen = self._telemetry(rule)
        if rule.deployment:
            traffic = seen.by_deployment.get(rule.deployment)
        else:
            failed = sum(bucket.server_errors for bucket in seen.buckets)
            refused = sum(bucket.client_errors for bucket in seen.buckets)
            traffic = DeploymentTraffic(
                seen.requests, seen.rows, refused, failed, seen.p50_ms, seen.p95_ms, seen.p99_ms
            )
        requests = traffic.requests if traffic else 0
        if requests >= rule.requests_needed:
            return traffic, ""
        return None, f"there were {requests} requests, and it takes {rule.requests_needed} to say"

    def error_rate(self, rule: AlertRule) -> Reading:
        traffic, why = self._traffic(rule)
        return Reading(100.0 * traffic.server_errors / traffic.requests if traffic else None, why)

    def refused_rate(self, rule: AlertRule) -> Reading:
        traffic, why = self._traffic(rule)
        return Reading(100.0 * traffic.client_errors / traffic.requests if traffic else None, why)

    def p99(self, rule: AlertRule) -> Reading:
        traffic, why = self._traffic(rule)
        return Reading(traffic.p99_ms if traffic else None, why)

    def availability(self, rule: AlertRule) -> Reading:
        records = self._workspace.records
        seen: Availability = self._once(
            ("availability", rule.endpoint, rule.window_s),
            lambda: records.availability(rule.endpoint, rule.window_s, BUCKETS),
        )
        known_s = seen.up_s + seen.down_s
        if seen.share is None or known_s < _known_needed_s(rule.window_s):
            return Reading(
                None, f"the service has looked for {duration(known_s)} of the last {duration(rule.window_s)}"
            )
        return Reading(100.0 * seen.share)

    def drift(self, rule: AlertRule) -> Reading:
        records = self._workspace.records
        report: DriftReport = self._once(
            ("drift", rule.endpoint, rule.window_s, rule.deployment),
            lambda: records.drift(rule.endpoint, rule.window_s, deployment=rule.deployment),
        )
        if not report.enough:
            return Reading(None, f"{report.rows:,} rows were kept, and it takes {report.rows_needed:,} to say")
        score = report.score is not None and report.score.verdict in (DriftVerdict.DRIFTED, DriftVerdict.MATTERS)
        return Reading(float(len(report.drifted()) + score))

    def no_traffic(self, rule: AlertRule) -> Reading:
        records = self._workspace.records
        newest = (
            records.search(rule.endpoint, RequestQuery(deployment=rule.deployment, limit=1))
            if rule.deployment
            else records.requests(rule.endpoint, 1)
        )
        since = newest[0].at if newest else _made_at(self._endpoint(rule), rule.deployment)
        if since is None:
            return Reading(None, f"there is no deployment '{rule.deployment}'")
        return Reading(max(0.0, self._now - since))


def _known_needed_s(window_s: float) -> float:
    """After a start the first look alone says little of the whole window."""
    return min(window_s / 2, max(60.0, window_s / 10))


def _made_at(endpoint: Endpoint, deployment: str) -> float | None:
    """From when on there could be requests."""
    made = {d.name: d.created_at for d in endpoint.deployments}
    return made.get(deployment) if deployment else endpoint.created_at


_METRICS: dict[AlertMetric, Callable[[Measuring, AlertRule], Reading]] = {
    AlertMetric.ERROR_RATE: Measuring.error_rate,
    AlertMetric.REFUSED_RATE: Measuring.refused_rate,
    AlertMetric.P99: Measuring.p99,
    AlertMetric.AVAILABILITY: Measuring.availability,
    AlertMetric.DRIFT: Measuring.drift,
    AlertMetric.NO_TRAFFIC: Measuring.no_traffic,
}
