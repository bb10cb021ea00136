"""Apache Benchmark where it is installed: its figures are taken over, its output kept without the key."""

import shutil

import pytest
from scripted import CLOSING, scripted

from core.domain.errors import NoVerdict, SpecInvalid
from core.domain.proof import LoadSpec, Target
from core.loadtest import apache_bench

REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

needs_ab = pytest.mark.skipif(shutil.which("ab") is None, reason="ab is not installed")


@needs_ab
def test_every_request_is_counted_and_timed() -> None:
    with scripted(lambda n: CLOSING) as (target, _):
        report = apache_bench.run(LoadSpec(target, max_requests=50, concurrency=5), b'{"data": []}')

    assert (report.requests, report.failed, report.by_status, report.tool) == (50, 0, {200: 50}, "ab")
    assert 0 <= report.p50_ms <= report.p90_ms <= report.p99_ms
    assert report.requests_per_s > 0
    assert "Complete requests:      50" in report.output


@needs_ab
def test_the_key_is_sent_and_its_output_does_not_hold_it() -> None:
    with scripted(lambda n: CLOSING) as (target, requests):
        report = apache_bench.run(LoadSpec(target, max_requests=3, deployment="v2"), b"{}")

    assert b"authorization: bearer the-key" in requests[0].lower()
    assert b"azureml-model-deployment: v2" in requests[0]
    assert "the-key" not in report.output


@needs_ab
def test_refusals_are_failures() -> None:
    with scripted(lambda n: REFUSED) as (target, _):
        report = apache_bench.run(LoadSpec(target, max_requests=4), b"{}")

    assert (report.failed, report.by_status[200]) == (4, 0)
    assert report.errors == {"not answered with 2xx": 4}


@needs_ab
def test_a_server_that_is_gone_gives_no_verdict() -> None:
    with scripted(lambda n: CLOSING) as (target, _):
        url = target.url

    with pytest.raises(NoVerdict, match="`ab` gave up"):
        apache_bench.run(LoadSpec(Target(url), max_requests=4), b"{}")


def test_a_fixed_rate_is_not_asked_of_it() -> None:
    with pytest.raises(SpecInvalid, match=r"fixed rate|not installed"):
        apache_bench.run(LoadSpec(Target("http://127.0.0.1:9"), rate_per_s=5), b"{}")


def test_no_other_tool_is_known() -> None:
    with pytest.raises(SpecInvalid, match="got 'wrk'"):
        LoadSpec(Target("http://127.0.0.1:9"), tool="wrk")
