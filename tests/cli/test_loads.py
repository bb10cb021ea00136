"""A load's report for people: what may be believed of it, and nothing of what was not met."""

from core.cli.loads import text
from core.domain.proof import LoadReport

MET = LoadReport("http://127.0.0.1:1", 10, 0, 1.0, 10.0, 2.0, 1.9, 2.8, 3.0, 3.1, 4, 2, {200: 10})
REFUSED = LoadReport("http://127.0.0.1:1", 10, 10, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4, 2, {401: 9, 0: 1})


def test_what_was_answered_has_its_figures():
    told = text(MET)
    assert "10 requests in 1.0 s, none failed" in told
    assert "p99         3.00 ms" in told
    assert "bottleneck" not in told


def test_where_nothing_was_answered_no_latency_is_claimed():
    told = text(REFUSED)
    assert "10 requests in 1.0 s, 10 failed" in told
    assert "answered 401: 9" in told
    assert " ms" not in told


def test_a_client_at_its_own_limit_says_so():
    bound = LoadReport(
        "http://127.0.0.1:1", 10, 0, 1.0, 10.0, 2.0, 1.9, 2.8, 3.0, 3.1, 4, 2, {200: 10},
        client_bound=True, ceiling_requests_per_s=11.0,
    )  # fmt: skip
    assert "This load client was the bottleneck" in text(bound)
    assert "It reaches 11 requests/s against a server that does no work" in text(bound)
