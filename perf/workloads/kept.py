"""The local workspace's verbs over what has gathered after a long time: 10,000 runs and 1,000,000 requests."""

import os
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from perf.workloads import specs
from perf.workloads.moved import by_noun, local_workspace
from perf.workloads.places import copy_of, remove
from perf.workloads.stores import opened
from perf.workloads.workload import Inputs, Prepared, Workload

RUNS, REQUESTS = 10_000, 1_000_000
SEGMENT = 20_000
"""Requests in one segment: ten seconds at 2,000 a second."""
RATE_PER_S = 100.0
NOW = 1_800_000_000.0
ENDPOINT, TABLE, TARGET = "perf", "bank", "y"
LISTED = 100


def open_home(home: Path, clock: Callable[[], float] = lambda: NOW) -> Any:
    """The local workspace in a folder; no service is asked for."""
    from core.settings import read_settings

    return by_noun(local_workspace(read_settings({}, home=str(home), threads="1", offline="1"), clock))


def _fill_runs(home: Path, inputs: Inputs) -> None:
    """A registered table and 10,000 jobs, half of them trainings, half gates."""
    from core.domain.job import Job, JobKind, JobState

    asset = open_home(home).data.register(TABLE, str(inputs.table))
    asked = {JobKind.AUTOML: specs.training(asset.name, TARGET), JobKind.GATE: specs.gate("bank", "v1")}
    with opened(home) as store, store.write() as tx:  # 10,000 commits to the disk take a minute on a slow one
        for number in range(RUNS):
            at = NOW - 60.0 * (RUNS - number)
            kind = (JobKind.AUTOML, JobKind.GATE)[number % 2]
            tx.jobs.add(Job(f"{number:032x}", kind, JobState.QUEUED, "perf", "local", asked[kind], at))


def _runs(use: Callable[[Any], tuple[Callable[[], Any], Callable[[Any], None]]]) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        home = copy_of(inputs, "runs", partial(_fill_runs, inputs=inputs))
        call, check = use(open_home(home))
        return Prepared(call, check, lambda: remove(home))

    return prepare


def _list(workspace: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    def check(jobs: Any) -> None:
        assert [job.id for job in jobs] == [f"{RUNS - 1 - n:032x}" for n in range(LISTED)]

    return lambda: workspace.jobs.list(limit=LISTED), check


def _get(workspace: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    ids = cycle([f"{number:032x}" for number in range(0, RUNS, 97)])

    def check(job: Any) -> None:
        assert job.kind != "automl" or specs.target_of(job.spec) == TARGET

    return lambda: workspace.jobs.get(next(ids)), check


def _submit(workspace: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    from core.domain.data import DataRef
    from core.domain.training import TrainingSpec

    spec = TrainingSpec(DataRef(TABLE), TARGET)

    def check(job: Any) -> None:
        assert workspace.jobs.get(job.id) == job

    return lambda: workspace.jobs.submit(spec), check


def write_requests(
    folder: Path, requests: int, until: float, rate_per_s: float, deployment: str, segment: int = SEGMENT
) -> None:
    """Files as `requests` at an even rate until `until` (s since the epoch) leave them, merged where this is done."""
    import duckdb

    from core.local.records.requests import SCHEMA

    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "at": f"{until} - ({requests} - n) / {rate_per_s}",
        "request_id": "lpad(n::VARCHAR, 32, '0')",
        "deployment": f"'{deployment}'",
        "status": "CASE WHEN n % 50 = 7 THEN 400 ELSE 200 END",
        "rows": "2",
        "method": "'predict'",
        "form": "'v1'",
        "elapsed_ms": "0.4 + (hash(n) % 1000) / 500.0",
        "run_ms": "0.2",
        "bytes_in": "812",
        "bytes_out": "33",
        "mirrored": "false",
    }
    columns = ", ".join(f'({made.get(name, "NULL")})::{kind} AS "{name}"' for name, kind in SCHEMA.items())
    with duckdb.connect() as db:
        for number, first in enumerate(range(0, requests, segment)):
            rows = f"range({first}, {min(requests, first + segment)}) AS r(n)"
            opened, closed = (until - (requests - n) / rate_per_s for n in (first, min(requests, first + segment)))
            file = folder / f"seg-{opened * 1000:.0f}-1-{number}.parquet"
            db.execute(f"COPY (SELECT {columns} FROM {rows}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
            os.utime(file, (closed, closed))
    _merge(folder, until)


def _merge(folder: Path, now: float) -> None:
    """As the service does round by round; revisions of before left every segment as it was."""
    try:
        from core.local.records import merging
    except ImportError:
        return
    merging.Merging(folder, merging.REQUESTS, now=now).run(alive=lambda segment: False)


def _fill_requests(home: Path, requests: int) -> None:
    from core.domain.endpoint import EndpointKeys, EndpointSpec
    from core.local.paths import Paths

    with opened(home) as store:
        store.endpoints.add(EndpointSpec(ENDPOINT), 9, EndpointKeys("one", "two"), NOW)
    write_requests(Paths(home).telemetry(ENDPOINT), requests, NOW, RATE_PER_S, "v1")


def _requests(use: Callable[[Any], tuple[Callable[[], Any], Callable[[Any], None]]]) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        home = copy_of(inputs, "requests", partial(_fill_requests, requests=REQUESTS))
        call, check = use(open_home(home))
        return Prepared(call, check, lambda: remove(home))

    return prepare


def _summary(window_s: float) -> Callable[[Any], tuple[Callable[[], Any], Callable[[Any], None]]]:
    def use(workspace: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
        def check(found: Any) -> None:
            # Whole intervals, of which the newest has just begun; a long window begins at a whole minute.
            inside = min(REQUESTS, round((NOW - found.since) * RATE_PER_S))
            assert -1 <= inside - found.requests <= 60 * RATE_PER_S
            assert sum(found.by_status.values()) == found.requests
            assert 0.4 <= found.p50_ms <= found.p99_ms <= 2.4

        return lambda: workspace.records.telemetry(ENDPOINT, window_s), check

    return use


def _newest(workspace: Any) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    def check(found: Any) -> None:
        assert len(found) == LISTED
        assert found[0].request_id == f"{REQUESTS - 1:032d}"

    return lambda: workspace.records.requests(ENDPOINT, LISTED), check


WORKLOADS = (
    Workload("list 100 of 10,000 runs", "runs listed", _runs(_list), costly=True),
    Workload("get one of 10,000 runs", "the logarithm of the runs kept", _runs(_get), costly=True),
    Workload("submit beside 10,000 runs", "columns of the table", _runs(_submit), costly=True),
    Workload(
        "last hour of 1,000,000 requests", "requests in the window, segments", _requests(_summary(3600.0)), costly=True
    ),
    Workload(
        "summary of 1,000,000 requests",
        "requests in the window",
        _requests(_summary(REQUESTS / RATE_PER_S)),
        gate=False,
        costly=True,
    ),
    Workload("newest 100 of 1,000,000 requests", "requests kept", _requests(_newest), gate=False, costly=True),
)
