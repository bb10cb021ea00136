"""What endpoints on Azure did, from their workspace's Application Insights."""

from core.azure import telemetry
from core.azure.context import Context
from core.azure.deployments import Deployments
from core.azure.insights import ROWS_MAX, Insights
from core.domain.errors import SpecInvalid
from core.domain.monitoring import Origin, RequestRecord, TelemetrySummary
from core.domain.rules import check_limit
from core.workspace.records import Records

LOOKED_BACK_S = 86_400.0
"""The newest requests are looked for in the last day."""
AHEAD_MAX_S = 60.0


class AzureRecords(Records):
    """Requests show up there within a minute or two; our own are told apart by the id that they give themselves."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._deployments, self._insights = Deployments(context), Insights(context)

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        if window_s <= 0 or buckets < 1:
            raise SpecInvalid(f"Telemetry needs window_s > 0 and buckets >= 1, got {window_s} and {buckets}")
        self._deployments.endpoint(endpoint)
        since, until = telemetry.aligned(self._context.clock(), window_s, buckets)
        records = self._insights.requests(endpoint, since, until, ROWS_MAX)
        return telemetry.summary(endpoint, records, since, until, buckets, origin)

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        check_limit(limit)
        self._deployments.endpoint(endpoint)
        now = self._context.clock()
        wanted = limit if origin is None else ROWS_MAX
        found = self._insights.requests(endpoint, now - LOOKED_BACK_S, now + AHEAD_MAX_S, wanted)
        return tuple(record for record in found if origin in (None, record.origin))[:limit]
