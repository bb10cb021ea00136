"""What endpoints on Azure did, from their workspace's Application Insights."""

from core.azure import happenings, telemetry
from core.azure.context import Context
from core.azure.deployments import Deployments
from core.azure.insights import Insights
from core.azure.requests import Requests
from core.domain.errors import SpecInvalid
from core.domain.monitoring import (
    Availability,
    DeploymentCourse,
    ExceptionGroup,
    Origin,
    RequestQuery,
    RequestRecord,
    TelemetrySummary,
)
from core.domain.rules import check_limit
from core.workspace.records import Records

LOOKED_BACK_S = 86_400.0
"""The newest requests are looked for in the last day."""
AHEAD_MAX_S = 60.0


class AzureRecords(Records):
    """Requests show up there within minutes; our own are told apart by the id that they give themselves.

    Of an exception Application Insights does not say whose request it was: those of all origins count.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deployments, self._insights = Deployments(context), Insights(context)
        self._requests = Requests(self._insights)

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        since, until = self._window(endpoint, window_s, buckets)
        return telemetry.summary(self._requests, endpoint, since, until, buckets, origin)

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        check_limit(limit)
        return self.search(endpoint, RequestQuery(self._context.clock() - LOOKED_BACK_S, limit=limit), origin=origin)

    def search(
        self, endpoint: str, query: RequestQuery, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._deployments.endpoint(endpoint)
        return self._requests.search(endpoint, query, self._context.clock() + AHEAD_MAX_S, origin)

    def course(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> tuple[DeploymentCourse, ...]:
        since, until = self._window(endpoint, window_s, buckets)
        mirrored = tuple(self._deployments.endpoint(endpoint).mirror_traffic or {})
        return telemetry.course(self._requests, endpoint, since, until, buckets, origin, mirrored)

    def exceptions(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[ExceptionGroup, ...]:
        since, until = self._window(endpoint, window_s, 1, whole=False)
        return happenings.exceptions(self._insights, endpoint, since, until)

    def availability(self, endpoint: str, window_s: float = 3600.0, buckets: int = 60) -> Availability:
        since, until = self._window(endpoint, window_s, buckets)
        return happenings.availability(self._insights, endpoint, since, until, buckets)

    def _window(self, endpoint: str, window_s: float, buckets: int, *, whole: bool = True) -> tuple[float, float]:
        """From when until when: as whole intervals, or (a list needs none) up to now. Raises EndpointNotFound."""
        if window_s <= 0 or buckets < 1:
            raise SpecInvalid(f"Telemetry needs window_s > 0 and buckets >= 1, got {window_s} and {buckets}")
        self._deployments.endpoint(endpoint)
        now = self._context.clock()
        return telemetry.aligned(now, window_s, buckets) if whole else (now - window_s, now + AHEAD_MAX_S)
