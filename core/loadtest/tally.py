"""What a load has met so far, and the report made of it."""

from collections import Counter
from dataclasses import dataclass, field

from core.domain.proof import LoadReport, LoadSecond, LoadSpec
from core.loadtest.histogram import Histogram

BROKEN = 0
"""The `by_status` key of requests that got no answer."""
LATE_S = 0.005
"""An open loop that hands a request on so much after it was due is behind its schedule."""
LATE_SHARE_MAX = 0.05
NEAR_CEILING = 0.8
"""From this share of what the client can do at all, it may be the client that is measured."""


@dataclass(slots=True)
class _Second:
    latencies: Histogram = field(default_factory=Histogram)
    requests: int = 0
    failed: int = 0


class Tally:
    """Counts the requests that began in [record_from, until); times are the load's own clock, in seconds."""

    def __init__(self, spec: LoadSpec, record_from: float) -> None:
        self.record_from, self.until = record_from, record_from + spec.duration_s
        self._spec = spec
        self._latencies = Histogram()
        self._by_status: Counter[int] = Counter()
        self._errors: Counter[str] = Counter()
        self._seconds: dict[int, _Second] = {}
        self._begun = self._late = self._put_off = 0
        self._last_end = record_from

    def may_begin(self, now: float) -> bool:
        """Whether another request may begin; one that is to be recorded takes its place in the count."""
        if now >= self.until or (self._spec.max_requests and self._begun >= self._spec.max_requests):
            return False
        self._begun += now >= self.record_from
        return True

    def handed_on(self, due: float, now: float) -> None:
        """An open loop took up a request that was due."""
        self._late += due >= self.record_from and now - due > LATE_S

    def put_off(self, start: float) -> None:
        """The server asked to come again later, and that is done."""
        self._put_off += start >= self.record_from

    def add(self, status: int, start: float, end: float, error: str = "") -> None:
        """Count one request; `start` is when it was sent or, in an open loop, when it was due."""
        if start < self.record_from:
            return
        self._by_status[status] += 1
        self._last_end = max(self._last_end, end)
        second = self._seconds.setdefault(int(end - self.record_from), _Second())
        second.requests += 1
        second.failed += status != 200
        if status == BROKEN:
            self._errors[error or "reset"] += 1
        elif status == 200:  # a refusal is quick: among the answers it would flatter them
            self._latencies.add(end - start)
            second.latencies.add(end - start)

    def report(self, ceiling_requests_per_s: float = 0.0) -> LoadReport:
        """What was met until now."""
        spec, times = self._spec, self._latencies
        requests = self._by_status.total()
        duration_s = max(self._last_end - self.record_from, 1e-9)
        per_s = times.count / duration_s
        return LoadReport(
            url=spec.target.url,
            requests=requests,
            failed=requests - self._by_status[200],
            duration_s=duration_s,
            requests_per_s=per_s,
            mean_ms=1e3 * times.mean_s,
            p50_ms=1e3 * times.percentile_s(0.50),
            p90_ms=1e3 * times.percentile_s(0.90),
            p95_ms=1e3 * times.percentile_s(0.95),
            p99_ms=1e3 * times.percentile_s(0.99),
            p999_ms=1e3 * times.percentile_s(0.999),
            max_ms=1e3 * times.max_s,
            concurrency=spec.concurrency,
            rows=spec.rows,
            by_status=dict(sorted(self._by_status.items())),
            rate_per_s=spec.rate_per_s,
            fresh_connections=spec.fresh_connections,
            errors=dict(self._errors),
            put_off=self._put_off,
            histogram=tuple(times.shown()),
            seconds=tuple(self._series()),
            ceiling_requests_per_s=ceiling_requests_per_s,
            client_bound=self._client_bound(per_s, ceiling_requests_per_s),
            deployment=spec.deployment,
            label=spec.label,
        )

    def _series(self) -> list[LoadSecond]:
        return [
            LoadSecond(
                number,
                second.requests,
                second.failed,
                1e3 * second.latencies.percentile_s(0.5),
                1e3 * second.latencies.percentile_s(0.99),
            )
            for number, second in sorted(self._seconds.items())
        ]

    def _client_bound(self, per_s: float, ceiling_per_s: float) -> bool:
        behind = self._begun > 0 and self._late / self._begun > LATE_SHARE_MAX
        return behind or (ceiling_per_s > 0 and per_s >= NEAR_CEILING * ceiling_per_s)
