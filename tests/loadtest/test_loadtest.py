"""The load test counts what happened, exactly and within its bounds."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from own_tls import Answering, certificate, serving_tls
from scripted import BUSY, CHUNKED, CLOSING, HANG_UP, OK, scripted

from core import loadtest
from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.proof import LoadReport, LoadSpec, Target
from core.loadtest.drive import UNANSWERED_MAX


def load(target: Target, count: int, *, concurrency: int = 1) -> LoadReport:
    spec = LoadSpec(target, duration_s=5, concurrency=concurrency, warmup_s=0, max_requests=count)
    return loadtest.run(spec, [b"[1]", b"[22]", b"[333]"])


def test_every_answer_is_counted_by_its_status() -> None:
    with scripted(lambda n: BUSY if n % 4 == 0 else OK) as (target, _):
        report = load(target, 40)
    assert (report.requests, report.failed, report.by_status) == (40, 10, {200: 30, 503: 10})


def test_a_broken_connection_is_a_failed_request_and_the_load_goes_on() -> None:
    with scripted(lambda n: HANG_UP if n == 5 else OK) as (target, _):
        report = load(target, 10)
    assert (report.requests, report.failed) == (10, 1)
    assert report.by_status == {loadtest.BROKEN: 1, 200: 9}


@pytest.mark.parametrize("reply", [OK, CHUNKED, CLOSING], ids=["length", "chunked", "closing"])
def test_every_way_to_end_an_answer_is_understood(reply: bytes) -> None:
    with scripted(lambda n: reply) as (target, _):
        report = load(target, 12, concurrency=3)
    assert (report.requests, report.failed) == (12, 0)


def test_something_that_is_not_http_counts_as_broken() -> None:
    with scripted(lambda n: b"SSH-2.0-OpenSSH\r\n") as (target, _):
        report = load(target, 2)
    assert (report.requests, report.failed, report.p99_ms) == (2, 2, 0.0)


def test_bodies_vary_and_carry_key_and_headers() -> None:
    with scripted(lambda n: OK) as (target, requests):
        load(target, 9)
    assert {request.rpartition(b"\r\n")[2] for request in requests} == {b"[1]", b"[22]", b"[333]"}
    assert all(request.startswith(b"POST /score HTTP/1.1\r\n") for request in requests)
    assert all(b"Authorization: Bearer the-key\r\n" in request and b"x-extra: 1\r\n" in request for request in requests)


def test_a_rate_far_beyond_the_server_costs_no_more_than_its_bound_and_every_request_is_counted() -> None:
    with scripted(lambda n: None) as (target, _):
        spec = LoadSpec(target, duration_s=0.5, concurrency=2, warmup_s=0, rate_per_s=30_000)
        report = loadtest.run(spec, [b"[]"], hang_s=0.1)
    assert report.errors == {"timed out": UNANSWERED_MAX, "not sent": 15_000 - UNANSWERED_MAX}
    assert (report.requests, report.failed) == (15_000, 15_000)


def test_percentiles_are_exact() -> None:
    """One client under a clock that advances by known steps: 100 latencies of 1 to 100 ms."""
    times = iter([0.0] + [t for n in range(1, 101) for t in (n * 1.0, n * 1.0 + n / 1000)] + [1e6] * 9)
    with scripted(lambda n: OK) as (target, _):
        spec = LoadSpec(target, duration_s=1e5, concurrency=1, warmup_s=0, max_requests=100)
        report = loadtest.run(spec, [b"[]"], clock=lambda: next(times))
    measured = (report.p50_ms, report.p95_ms, report.p99_ms, report.max_ms, report.mean_ms)
    assert measured == pytest.approx((50, 95, 99, 100, 50.5), rel=1e-3)
    assert report.requests_per_s == pytest.approx(100 / 100.1)


def test_warm_up_requests_are_not_counted() -> None:
    times = iter([0.0, 0.5, 0.6, 0.9, 0.95, 1.0, 1.01, 1.5, 1.51, 2.5])
    with scripted(lambda n: OK) as (target, requests):
        spec = LoadSpec(target, duration_s=1.0, concurrency=1, warmup_s=1.0)
        report = loadtest.run(spec, [b"[]"], clock=lambda: next(times))
    assert (len(requests), report.requests) == (4, 2)


def test_the_load_ends_with_its_duration() -> None:
    with scripted(lambda n: OK) as (target, _):
        report = loadtest.run(LoadSpec(target, duration_s=0.2, concurrency=2, warmup_s=0.05), [b"[]"])
    assert report.requests > 0
    assert report.failed == 0
    assert 0.1 < report.duration_s < 2


def test_a_server_that_falls_silent_ends_as_failed_requests() -> None:
    with scripted(lambda n: None if n > 3 else OK) as (target, _):
        report = loadtest.run(LoadSpec(target, duration_s=0.2, concurrency=1, warmup_s=0), [b"[]"], hang_s=0.2)
    assert report.by_status == {loadtest.BROKEN: 1, 200: 3}


class Stalling:
    """Answers at once, but for one request, behind which everybody on that connection waits."""

    def __init__(self, nth: int, stall_s: float) -> None:
        self.nth, self.stall_s = nth, stall_s

    def __call__(self, n: int) -> bytes:
        if n == self.nth:
            time.sleep(self.stall_s)  # in the server's thread: it stalls as a whole, as in a long garbage collection
        return OK


def test_an_open_loop_charges_a_stall_to_every_request_that_it_kept_waiting() -> None:
    """The server stalls for 0.4 of 1.5 s. A closed loop sees one slow request, users see hundreds."""
    with scripted(Stalling(100, 0.4)) as (target, _):
        closed = loadtest.run(LoadSpec(target, duration_s=1.5, concurrency=1, warmup_s=0), [b"[]"])
    with scripted(Stalling(100, 0.4)) as (target, _):
        spec = LoadSpec(target, duration_s=1.5, concurrency=20, warmup_s=0, rate_per_s=200)
        opened = loadtest.run(spec, [b"[]"])
    assert opened.failed == closed.failed == 0
    assert closed.max_ms >= 400
    assert closed.p95_ms < 100
    assert opened.p90_ms >= 100  # 80 of 300 requests were due during the stall
    assert opened.rate_per_s == 200
    assert opened.requests == pytest.approx(300, abs=2)


def test_fresh_connections_are_one_a_request() -> None:
    with scripted(lambda n: CLOSING) as (target, requests):
        spec = LoadSpec(target, duration_s=5, warmup_s=0, max_requests=20, rate_per_s=500, concurrency=10)
        report = loadtest.run(replace(spec, fresh_connections=True), [b"[]"])
    assert (report.requests, report.failed) == (20, 0)
    assert all(b"Connection: close\r\n" in request for request in requests)


LATER = b"HTTP/1.1 429 Later\r\nContent-Length: 0\r\nRetry-After: %d\r\n\r\n"


def test_a_server_that_is_busy_at_first_is_asked_again_and_that_is_no_failure() -> None:
    with scripted(lambda n: LATER % 0 if n <= 3 else OK) as (target, requests):
        report = load(target, 10)
    assert (report.requests, report.failed, report.by_status, report.put_off) == (10, 0, {200: 10}, 3)
    assert len(requests) == 13
    assert len({request.rpartition(b"\r\n")[2] for request in requests[:4]}) == 1


def test_a_wait_is_no_part_of_a_latency_but_of_the_load() -> None:
    with scripted(lambda n: LATER % 1 if n == 1 else OK) as (target, _):
        report = load(target, 2)
    assert (report.failed, report.put_off) == (0, 1)
    assert report.max_ms < 900
    assert report.duration_s >= 1


def test_a_server_that_stays_busy_has_failed_and_is_not_asked_for_ever() -> None:
    with scripted(lambda n: LATER % 0) as (target, requests):
        report = load(target, 2)
    assert (report.requests, report.failed, report.by_status) == (2, 2, {429: 2})
    assert (report.put_off, len(requests)) == (8, 10)


def test_who_is_told_to_come_after_the_loads_end_waits_no_longer_than_that() -> None:
    with scripted(lambda n: LATER % 60 if n > 1 else OK) as (target, _):
        spec = LoadSpec(target, duration_s=0.3, warmup_s=0, concurrency=2)
        report = loadtest.run(spec, [b"[]"])
    assert (report.failed, report.by_status, report.put_off) == (0, {200: 1}, 2)
    assert report.duration_s < 1


def test_an_open_loop_does_not_wait_and_counts_what_was_refused() -> None:
    with scripted(lambda n: LATER % 1 if n % 2 else OK) as (target, requests):
        spec = LoadSpec(target, duration_s=5, warmup_s=0, max_requests=20, rate_per_s=500, concurrency=10)
        report = loadtest.run(spec, [b"[]"])
    assert (report.requests, report.failed, report.by_status, report.put_off) == (20, 10, {200: 10, 429: 10}, 0)
    assert len(requests) == 20


def test_a_load_goes_to_the_targets_path() -> None:
    with scripted(lambda n: OK) as (target, requests):
        load(replace(target, url=f"{target.url}/api", path="/invocations"), 1)
    assert requests[0].startswith(b"POST /api/invocations HTTP/1.1\r\n")


def test_whom_to_trust_is_read_once_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))

    class Forgets(Answering):
        def do_POST(self) -> None:
            pem.unlink(missing_ok=True)  # who read it again would trust nobody
            super().do_POST()

    with serving_tls(pem, Forgets) as url:
        spec = LoadSpec(Target(url), duration_s=5, warmup_s=0, max_requests=20, fresh_connections=True)
        report = loadtest.run(spec, [b"[]"])
    assert (report.requests, report.failed) == (20, 0)


def test_a_deployment_is_asked_for_by_its_header() -> None:
    with scripted(lambda n: OK) as (target, requests):
        loadtest.run(LoadSpec(target, max_requests=1, warmup_s=0, deployment="v2"), [b"[]"])
    assert b"azureml-model-deployment: v2\r\n" in requests[0]


def test_requests_without_an_answer_are_told_by_their_cause() -> None:
    with scripted(lambda n: {1: HANG_UP, 2: b"SSH-2.0\r\n"}.get(n, OK)) as (target, _):
        report = load(target, 5)
    assert report.errors == {"reset": 1, "not HTTP": 1}
    assert report.failed == 2


def test_the_report_has_a_histogram_and_a_figure_for_each_second() -> None:
    with scripted(lambda n: OK) as (target, _):
        report = load(target, 200, concurrency=4)
    assert sum(count for _, count in report.histogram) == 200
    assert [bound for bound, _ in report.histogram] == sorted(bound for bound, _ in report.histogram)
    assert sum(second.requests for second in report.seconds) == 200
    assert report.p50_ms <= report.p90_ms <= report.p99_ms <= report.p999_ms <= report.max_ms


def test_progress_is_told_while_the_load_runs() -> None:
    heard: list[LoadReport] = []
    with scripted(lambda n: OK) as (target, _):
        spec = LoadSpec(target, duration_s=1.3, warmup_s=0)
        report = loadtest.run(spec, [b"[]"], on_progress=heard.append)
    assert 1 <= len(heard) <= 3
    assert heard[0].requests < report.requests


def test_a_client_at_its_ceiling_says_so() -> None:
    with scripted(lambda n: OK) as (target, _):
        spec = LoadSpec(target, max_requests=50, warmup_s=0)
        free = loadtest.run(spec, [b"[]"], ceiling_requests_per_s=1e9)
        bound = loadtest.run(spec, [b"[]"], ceiling_requests_per_s=1.0)
    assert (free.client_bound, bound.client_bound) == (False, True)


def test_the_ceiling_is_what_the_client_reaches_against_a_server_that_does_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    reached = loadtest.ceiling(LoadSpec(Target("http://127.0.0.1:1", "the-key")), [b"[]"])
    assert reached > 100
    assert capfd.readouterr() == ("", ""), "the server that does nothing says nothing either"


def test_nothing_that_listens_is_said_at_once() -> None:
    with scripted(lambda n: OK) as (target, _):
        pass
    with pytest.raises(ServiceUnavailable, match="Nothing answers at"):
        loadtest.run(LoadSpec(target), [b"[]"])


def test_a_load_without_bodies_or_address_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="at least one request body"):
        loadtest.run(LoadSpec(Target("http://127.0.0.1:1")), [])
    with pytest.raises(SpecInvalid, match="not an address"):
        loadtest.run(LoadSpec(Target("ftp://somewhere")), [b"[]"])
