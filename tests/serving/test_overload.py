"""More than the server can do: what it takes on it answers in time, the rest is told at once to come again."""

import pytest
from serving_fakes import KEY, ServerProcess
from signatures import bank_signature

from core import loadtest
from core.contract import samples
from core.domain.proof import LoadReport, LoadSpec, Target

pytestmark = pytest.mark.measures

SLOW_MEMBERS = 500
"""So many linear members take some tens of milliseconds a request: the slow path."""


@pytest.fixture
def bodies() -> list[bytes]:
    rows = samples.rows(bank_signature(exclude=["duration"]), 100, seed=3)
    return [samples.body(rows[at : at + 2]) for at in range(0, len(rows), 2)]


def load(server: ServerProcess, bodies: list[bytes], duration_s: float, **how: float) -> LoadReport:
    return loadtest.run(LoadSpec(Target(server.url, KEY), duration_s=duration_s, **how), bodies)


@pytest.mark.contract("E6")
def test_a_slow_model_at_five_times_its_capacity_sheds_and_answers_the_rest_in_time(tmp_path, bodies):
    server = ServerProcess(tmp_path, members=SLOW_MEMBERS).start()
    try:
        calm = load(server, bodies, 3.0, concurrency=1)
        rate = 5 * calm.requests_per_s
        pressed = load(server, bodies, 5.0, concurrency=200, rate_per_s=rate)
    finally:
        server.end()
    assert calm.p50_ms > 10, "the model is too fast for this test"
    assert set(pressed.by_status) == {200, 429}
    assert pressed.p99_ms <= 2 * calm.p99_ms, (calm, pressed)
    assert pressed.requests_per_s >= 0.5 * calm.requests_per_s, "it still works at half of its capacity or more"


@pytest.mark.contract("E6")
def test_a_fast_model_at_one_and_a_half_times_its_capacity_stays_bounded_and_recovers(tmp_path, bodies):
    server = ServerProcess(tmp_path).start()
    try:
        calm = load(server, bodies, 2.0, concurrency=4)
        worker = server.workers()[0]
        before_mb = worker.memory_info().rss / 1e6
        pressed = load(server, bodies, 4.0, concurrency=100, rate_per_s=1.5 * calm.requests_per_s)
        grown_mb = worker.memory_info().rss / 1e6 - before_mb
        after = load(server, bodies, 2.0, concurrency=4, warmup_s=3.0)
    finally:
        server.end()
    assert set(pressed.by_status) <= {200, 429}
    assert pressed.requests_per_s >= 0.5 * calm.requests_per_s
    assert grown_mb < 60
    assert after.failed == 0
    assert after.p99_ms <= max(3 * calm.p99_ms, 50)
