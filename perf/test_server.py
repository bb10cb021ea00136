"""The scoring server as its clients meet it: requests a second, how long it takes to start, what memory it needs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import perf_counter, thread_time

import pytest

from core import loadtest
from core.domain.proof import LoadReport, LoadSpec
from perf.conftest import Measure
from perf.memory import held_mb
from perf.servers import ROWS, Served, bodies, score, serving
from perf.workloads import PARTS, Inputs

pytestmark = pytest.mark.measures

LOAD_MIN_S, LOAD_MAX_S, WARM_S = 0.2, 1.0, 0.1
REQUESTS = 1_000
CALLS, CLIENT_SHARE_MAX = 300, 0.2
REST_MAX_MB, GROWTH_MAX_MB = 200.0, 32.0
"""Parent and worker together, several times what they need today; a server that leaks 32 KB a request is seen."""


@pytest.fixture(scope="module")
def served(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(inputs.single, tmp_path_factory.mktemp("served")) as one:
        yield one


@pytest.mark.parametrize("concurrency", [1, 10, 50])
def test_requests_on_kept_connections(measure: Measure, served: Served, inputs: Inputs, concurrency: int) -> None:
    sent = bodies(inputs.single)
    window_s = min(LOAD_MAX_S, max(LOAD_MIN_S, measure.budget_s))
    spec = LoadSpec(served.target, window_s, concurrency, ROWS, WARM_S)

    def look() -> Mapping[str, float]:
        report = loadtest.run(spec, sent)
        assert report.failed == 0, report.errors or report.by_status
        return {"requests/s": report.requests_per_s, "ms (p50)": report.p50_ms, "ms (p99)": report.p99_ms}

    name = f"HTTP, {ROWS} rows, {concurrency} kept connection{'s' if concurrency > 1 else ''}"
    seen = measure.values(name, "server", "rows, trees, clients", look, rounds=3)
    assert min(seen["requests/s"]) > 0
    assert len(score(served.target, sent[0])) == ROWS


@pytest.mark.full
def test_a_server_starts(measure: Measure, inputs: Inputs, new_folder: Callable[[], Path]) -> None:
    def look() -> Mapping[str, float]:
        with serving(inputs.single, new_folder()) as one:
            return {"s": one.ready_s}

    seen = measure.values("server start to its first good score", "start", "imports, size of the model", look)
    assert max(seen["s"]) < 30


@pytest.mark.full
def test_a_server_needs_little_memory_and_keeps_to_it(
    measure: Measure, inputs: Inputs, new_folder: Callable[[], Path]
) -> None:
    sent = bodies(inputs.single)

    def look() -> Mapping[str, float]:
        with serving(inputs.single, new_folder()) as one:
            rest = held_mb(one.process.pid)
            assert _load(one, sent).by_status == {200: REQUESTS}
            return {"MB at rest": rest, f"MB after {REQUESTS:,} requests": held_mb(one.process.pid)}

    seen = measure.values("memory of the server", "memory", "size of the model, workers", look, rounds=3)
    assert max(seen["MB at rest"]) < REST_MAX_MB
    after = seen[f"MB after {REQUESTS:,} requests"]
    assert max(b - a for a, b in zip(seen["MB at rest"], after, strict=True)) < GROWTH_MAX_MB


def _load(one: Served, sent: list[bytes]) -> LoadReport:
    return loadtest.run(LoadSpec(one.target, 30.0, 4, ROWS, 0.0, REQUESTS), sent)


def test_what_the_client_does_is_a_small_part_of_a_request_that_is_timed(inputs: Inputs) -> None:
    """Whatever the client takes dilutes what the server does, on the core that they share in the gate."""
    (workload,) = (one for one in PARTS["scoring"] if one.own_process)
    prepared = workload.prepare(inputs)
    try:
        prepared.check(prepared.call())
        own_started, started = thread_time(), perf_counter()
        for _ in range(CALLS):
            prepared.call()
        assert thread_time() - own_started < CLIENT_SHARE_MAX * (perf_counter() - started)
    finally:
        prepared.close()
