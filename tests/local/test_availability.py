"""Whether an endpoint could be reached is told of the time in which somebody looked, and of no other."""

import http.server
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_world import World

from core.domain.endpoint import EndpointState
from core.domain.monitoring import TelemetryBucket
from core.local.records import availability
from core.local.records.availability import Span
from core.local.service.looking import Looking, answers

SLACK_S = 20.0


def looks(*seen):
    """The spans after looks at (time, up)."""
    known = ()
    for at, up in seen:
        known = availability.seen(known, at, up=up, recorded=True, slack_s=SLACK_S)
    return known


def told(tmp_path, known, since, until, buckets=1):
    availability.write(tmp_path / "looks.json", known, 0)
    return availability.availability("e", tmp_path / "looks.json", since, until, buckets)


def test_what_two_looks_saw_alike_holds_for_the_time_between(tmp_path):
    found = told(tmp_path, looks((10, True), (15, True), (20, False), (25, False), (30, True), (40, True)), 0, 60, 3)
    assert (found.up_s, found.down_s, found.share) == (20.0, 10.0, 20 / 30)
    assert [(bucket.up_s, bucket.down_s) for bucket in found.buckets] == [(10.0, 0.0), (10.0, 10.0), (0.0, 0.0)]
    assert found.buckets[2].share is None


def test_a_service_that_was_stopped_knows_nothing_of_that_time(tmp_path):
    found = told(tmp_path, looks((0, True), (5, True), (1000, True), (1005, False), (1010, False)), 0, 2000)
    assert (found.up_s, found.down_s) == (10.0, 5.0)


def test_an_endpoint_that_was_never_up_is_not_down():
    assert looks((0, False), (5, False)) == ()


def test_a_clock_that_was_set_back_takes_nothing_away():
    assert looks((100, True), (105, True), (50, True), (55, True)) == (
        Span(100, 105, True, True), Span(50, 55, True, True),
    )  # fmt: skip


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.sampled_from([1.0, 5.0, 19.0, 21.0, 500.0]), st.booleans()), max_size=30), st.integers(1, 7)
)
def test_intervals_add_up_to_the_whole_and_to_no_more_than_was_looked_at(steps, buckets):
    at, seen = 0.0, []
    for step, up in steps:
        at += step
        seen.append((at, up))
    known = looks(*seen)
    pieces = [availability._up_and_down(known, number * 100.0, number * 100.0 + 100.0) for number in range(200)]
    whole = availability._up_and_down(known, 0.0, 20_000.0)
    assert sum(up for up, _ in pieces) == pytest.approx(whole[0])
    assert sum(down for _, down in pieces) == pytest.approx(whole[1])
    assert sum(whole) <= sum(step for step, _ in steps[1:] if step <= SLACK_S) + 1e-9


def test_a_damaged_file_is_nothing_known(tmp_path):
    (tmp_path / "looks.json").write_bytes(b'[[1, 2, "')
    assert availability.spans(tmp_path / "looks.json") == ()
    assert told(tmp_path, looks(), 0, 10).share is None


def buckets_of(*requests):
    return [TelemetryBucket(100.0 * n, 100.0, count, count, 0, 0, None, None, None) for n, count in enumerate(requests)]


def test_an_interval_says_why_it_is_not_told_of(tmp_path):
    known = (
        Span(100, 300, True, True), Span(300, 420, True, False), Span(420, 500, True, True),
        Span(500, 590, False, True), Span(800, 895, True, True),
    )  # fmt: skip
    availability.write(tmp_path / "looks.json", known, 0)
    counts = (0, 3, 0, 5, 0, 0, 4, 0, 0)
    gaps = [b.gap for b in availability.with_gaps(buckets_of(*counts), tmp_path / "looks.json", 100.0, 900.0)]
    assert gaps == ["before", "", "", "off", "", "down", "", "unknown", ""]
    untold = availability.with_gaps(buckets_of(0, 2), tmp_path / "nothing.json", 0.0, 200.0)
    assert [bucket.gap for bucket in untold] == ["", ""]


class Healthy(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def serving():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_service_asks_each_endpoint_with_a_deployment_and_the_workspace_tells_it(world: World, serving):
    now = [1000.0]
    world.add_endpoint("bank", serving.server_port)
    world.add_endpoint("empty")
    world.deploy("bank")
    world.store.endpoints.observe("bank", EndpointState.READY, error="", process=None, restarts=0)
    world.paths.endpoint("bank").mkdir(parents=True, exist_ok=True)
    looking = Looking(world.store, world.paths, 30.0, clock=lambda: now[0])
    for at, status in ((1000.0, 200), (1005.0, 200), (1010.0, 503), (1015.0, 503)):
        now[0], serving.status = at, status
        looking.once()
    world.store.endpoints.change_limits("bank", {"app_insights": False}, {})
    now[0] = 1020.0
    looking.once()
    assert availability.spans(world.paths.availability("bank")) == (
        Span(1000.0, 1010.0, True, True), Span(1010.0, 1020.0, False, True), Span(1020.0, 1020.0, False, False),
    )  # fmt: skip
    assert not world.paths.availability("empty").exists()


def test_a_port_at_which_nobody_listens_does_not_answer(serving):
    assert answers(serving.server_port)
    assert not answers(1)
