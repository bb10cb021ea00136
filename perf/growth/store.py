"""The store with many runs, and telemetry with many requests."""

from collections.abc import Callable, Mapping
from itertools import count, cycle
from pathlib import Path
from typing import Any

from core.domain.data import DataRef
from core.domain.job import Job, JobKind, JobSpec, JobState
from core.domain.proof import GateSpec
from core.domain.training import TrainingSpec
from core.local.records.search import newest
from core.local.records.telemetry import summary
from core.local.store import Store
from perf.growth.axis import Axis
from perf.workloads.kept import write_requests
from perf.workloads.workload import Prepared

NOW = 1_800_000_000.0
LISTED = 100
SPECS: Mapping[JobKind, JobSpec] = {
    JobKind.AUTOML: TrainingSpec(DataRef("t", 1), "y"),
    JobKind.GATE: GateSpec("bank", "v1"),
}
SEGMENT, RATE_PER_S = 16_000, 1600.0
"""Requests in a segment, which a server closes after ten seconds."""
BUCKETS = 60


def _runs(use: Callable[[Store, int], Prepared]) -> Callable[[Path, int], Prepared]:
    """A store of ended runs, three in flight."""

    def prepare(folder: Path, runs: int) -> Prepared:
        store, kinds = Store(folder / "store.sqlite"), cycle((JobKind.AUTOML, JobKind.GATE))
        with store.write() as tx:  # one transaction: 64,000 of their own take minutes on a slow disk
            for number in range(runs):
                state = JobState.RUNNING if number >= runs - 3 else JobState.SUCCEEDED
                tx.jobs.add(_job(number, next(kinds), state))
        return use(store, runs)

    return prepare


def _job(number: int, kind: JobKind, state: JobState) -> Job:
    return Job(f"{number:032x}", kind, state, "growth", "local", SPECS[kind], NOW + number)


def _list(store: Store, runs: int) -> Prepared:
    def check(jobs: Any) -> None:
        assert [job.id for job in jobs] == [f"{n:032x}" for n in range(runs - 1, runs - 1 - LISTED, -1)]

    return Prepared(lambda: store.jobs.list(limit=LISTED), check, store.close)


def _of_a_kind(store: Store, runs: int) -> Prepared:
    def check(jobs: Any) -> None:
        assert len(jobs) == LISTED
        assert {job.kind for job in jobs} == {JobKind.AUTOML}

    return Prepared(lambda: store.jobs.list(JobKind.AUTOML, limit=LISTED), check, store.close)


def _in_flight(store: Store, runs: int) -> Prepared:
    """What the service asks several times a second."""

    def check(jobs: Any) -> None:
        assert len(jobs) == 3

    return Prepared(lambda: store.jobs.in_states(JobState.QUEUED, JobState.RUNNING), check, store.close)


def _get(store: Store, runs: int) -> Prepared:
    ids = cycle([f"{number:032x}" for number in range(0, runs, 97)])

    def check(job: Any) -> None:
        assert job.spec == SPECS[job.kind]

    return Prepared(lambda: store.jobs.get(next(ids)), check, store.close)


def _add(store: Store, runs: int) -> Prepared:
    numbers = count(runs)

    def check(job: Any) -> None:
        assert store.jobs.get(job.id) == job

    return Prepared(lambda: store.jobs.add(_job(next(numbers), JobKind.GATE, JobState.SUCCEEDED)), check, store.close)


def _summary(folder: Path, requests: int) -> Prepared:
    """Over all that was recorded."""
    write_requests(folder, requests, NOW, RATE_PER_S, "v1", SEGMENT)

    def check(found: Any) -> None:
        assert (found.requests, len(found.buckets)) == (requests, BUCKETS)
        assert 0.4 <= found.p50_ms <= found.p99_ms <= 2.4

    return Prepared(lambda: summary("growth", folder, NOW - requests / RATE_PER_S - 1, NOW + 1, BUCKETS), check)


def _last_minutes(folder: Path, requests: int) -> Prepared:
    """Ten seconds of many hours: what the Monitor page draws again and again."""
    write_requests(folder, requests, NOW, RATE_PER_S, "v1", SEGMENT)

    def check(found: Any) -> None:
        assert abs(found.requests - 10 * RATE_PER_S) <= 1

    return Prepared(lambda: summary("growth", folder, NOW - 10, NOW, BUCKETS), check)


def _newest(folder: Path, requests: int) -> Prepared:
    write_requests(folder, requests, NOW, RATE_PER_S, "v1", SEGMENT)

    def check(found: Any) -> None:
        assert [int(record.request_id) for record in found] == list(range(requests - 1, requests - 1 - LISTED, -1))

    return Prepared(lambda: newest(folder, LISTED), check)


def _history(folder: Path, hours: int) -> int:
    """Hours of two requests a second: the last in segments of ten seconds, those before in what becomes of such."""
    before = (hours - 1) * HOUR
    if before:
        write_requests(folder, before, NOW - 3600, 2.0, "v1", HOUR)
    write_requests(folder, HOUR, NOW, 2.0, "v1", SEGMENT_OF_TEN_S)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size / (before + HOUR) < BYTES_A_REQUEST_MAX, f"{size / (before + HOUR):.0f} bytes a request"
    return before + HOUR


def _last_hour_of_many(folder: Path, hours: int) -> Prepared:
    _history(folder, hours)

    def check(found: Any) -> None:
        assert abs(found.requests - HOUR) <= 1

    return Prepared(lambda: summary("growth", folder, NOW - 3600, NOW, BUCKETS), check)


def _newest_of_many_hours(folder: Path, hours: int) -> Prepared:
    _history(folder, hours)

    def check(found: Any) -> None:
        assert [record.request_id for record in found[:2]] == [f"{HOUR - 1:032d}", f"{HOUR - 2:032d}"]
        assert len(found) == LISTED

    return Prepared(lambda: newest(folder, LISTED), check)


HOUR, SEGMENT_OF_TEN_S = 7_200, 20
BYTES_A_REQUEST_MAX = 80
HOURS = (1, 9, 81, 729)
"""Up to a month, which is as long as records are kept."""
RUNS, REQUESTS = (1_000, 4_000, 16_000, 64_000), (16_000, 64_000, 256_000, 1_024_000)
AXES = (
    Axis("store: newest 100 of many runs", "runs", RUNS, _runs(_list), budget_s=3),
    Axis("store: newest 100 of a kind", "runs", RUNS, _runs(_of_a_kind), budget_s=3),
    Axis("store: runs in flight", "runs", RUNS, _runs(_in_flight), budget_s=3),
    Axis("store: one run", "runs", RUNS, _runs(_get), budget_s=3),
    Axis("store: add a run", "runs", RUNS, _runs(_add), budget_s=3),
    Axis("store: summary of all requests", "requests", REQUESTS, _summary),
    Axis("store: summary of the last 10 s", "requests", REQUESTS, _last_minutes),
    Axis("store: newest 100 requests", "requests", REQUESTS, _newest),
    Axis("store: last hour of many", "hours of records", HOURS, _last_hour_of_many, budget_s=3),
    Axis("store: newest 100 of many hours", "hours of records", HOURS, _newest_of_many_hours, budget_s=3),
)
