"""What Application Insights recorded, counted here and there alike: over the query language of the emulation."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from core.azure import happenings, requests, telemetry
from core.azure.insights import Insights
from core.azure.requests import Requests
from core.domain.monitoring import Origin, RequestQuery
from core.emulator.insights.parsing import parsed
from core.emulator.insights.running import Table, run

NOW = 1_780_000_000.0
COLUMNS = {
    "requests": {"timestamp": "datetime", "id": "string", "operation_Id": "string", "resultCode": "string",
                 "duration": "real", "customDimensions": "dynamic", "itemCount": "int"},
    "exceptions": {"timestamp": "datetime", "type": "string", "problemId": "string", "outerMessage": "string",
                   "details": "dynamic", "operation_Id": "string", "customDimensions": "dynamic", "itemCount": "int"},
    "availabilityResults": {"timestamp": "datetime", "name": "string", "success": "string"},
}  # fmt: skip


class Kept(Insights):
    """Application Insights over rows at hand, which answers as its API does."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows, self.asked = rows, list[str]()

    def ask(self, query: str) -> tuple[dict[str, Any], ...]:
        self.asked.append(query)
        name = query.split(" ", 1)[0]
        found = run(parsed(query), Table(COLUMNS[name], self.rows.get(name, [])), when(NOW))
        return tuple({name: told(row.get(name)) for name in found.columns} for row in found.rows)


def when(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def told(value: Any) -> Any:
    """As JSON has it: a moment as text, a dynamic value too."""
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, dict | list) else value


def request(ago_s: float, status: int = 200, client: str = "", **more: Any) -> dict[str, Any]:
    deployment, rows = more.pop("deployment", "blue"), more.pop("rows", 2)
    about = {"Service Name": more.pop("endpoint", "bank"), "Deployment Name": deployment, "Request Id": more.get("id"),
             "Client Request Id": client, "Rows": str(rows)}  # fmt: skip
    row = {"timestamp": when(NOW - ago_s), "id": "r", "operation_Id": "ab" * 16, "resultCode": str(status),
           "duration": 5.0, "itemCount": 1}  # fmt: skip
    return {**row, "customDimensions": about, **more}


def many(count: int = 400) -> list[dict[str, Any]]:
    rng = random.Random(7)
    return [
        request(
            rng.uniform(0, 3600),
            rng.choice((200, 200, 200, 422, 424, 500)),
            rng.choice(("", "mine-1", "slipway-batch-7", "slipway-app", "slipway-other-1", "slipwayapp-")),
            id=f"r{i}",
            deployment=rng.choice(("blue", "green")),
            duration=float(rng.randrange(1, 1000)),
        )
        for i in range(count)
    ]


def test_what_is_counted_there_is_what_is_counted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for percentiles, which Kusto takes by rank."""
    asked = Requests(Kept(requests=many()))
    since, until = telemetry.aligned(NOW, 3600.0, 6)
    for origin in (Origin.CLIENT, Origin.BATCH, None):
        monkeypatch.setattr(requests, "ROWS_MAX", 10_000)
        here = telemetry.summary(asked, "bank", since, until, 6, origin)
        course = telemetry.course(asked, "bank", since, until, 6, origin, ("green",))
        monkeypatch.setattr(requests, "ROWS_MAX", 100)
        there = telemetry.summary(asked, "bank", since, until, 6, origin)
        for name in ("since", "until", "requests", "rows", "by_status", "by_origin", "recorded_since"):
            assert getattr(there, name) == getattr(here, name), name
        for one, other in zip(here.buckets, there.buckets, strict=True):
            assert counts(one) == counts(other)
            assert other.p50_ms == pytest.approx(one.p50_ms, rel=0.3)
        assert {name: counts(one) for name, one in there.by_deployment.items()} == {
            name: counts(one) for name, one in here.by_deployment.items()
        }
        found = telemetry.course(asked, "bank", since, until, 6, origin, ("green",))
        assert [(c.deployment, c.mirrored, [b.requests for b in c.buckets]) for c in found] == [
            (c.deployment, c.mirrored, [b.requests for b in c.buckets]) for c in course
        ]
        assert [c.mirrored for c in found] == [False, True]


def counts(told: Any) -> tuple[Any, ...]:
    return told.requests, told.rows, told.client_errors, told.server_errors, getattr(told, "by_status", None)


def test_a_row_that_stands_for_several_requests_counts_as_many() -> None:
    asked = Requests(Kept(requests=[request(10, itemCount=5), request(20, 500)]))
    found = telemetry.summary(asked, "bank", NOW - 60, NOW, 1, Origin.CLIENT)
    assert (found.requests, found.by_status, found.recorded_since) == (6, {200: 5, 500: 1}, NOW - 20)


def test_an_endpoint_that_was_never_called_has_gaps_and_no_beginning() -> None:
    found = telemetry.summary(Requests(Kept()), "bank", NOW - 60, NOW, 2, Origin.CLIENT)
    assert (found.requests, found.p99_ms, found.recorded_since, len(found.buckets)) == (0, None, None, 2)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (RequestQuery(text="r1"), ["r1"]),
        (RequestQuery(text="mine"), ["r2"]),
        (RequestQuery(text="abab"), ["r1", "r2", "r3"]),
        (RequestQuery(text='"] == "" or 1 == 1 //'), []),
        (RequestQuery(statuses=(500, 424)), ["r2", "r3"]),
        (RequestQuery(deployment="green"), ["r3"]),
        (RequestQuery(since=NOW - 15), ["r1"]),
        (RequestQuery(until=NOW - 25), ["r3"]),
        (RequestQuery(slowest=True, limit=2), ["r3", "r2"]),
        (RequestQuery(problem="ValueError"), ["r3"]),
        (RequestQuery(problem="KeyError"), []),
    ],
)
def test_requests_are_found(query: RequestQuery, ids: list[str]) -> None:
    rows = [
        request(10, id="r1"),
        request(20, 500, "mine-2", id="r2", duration=6.0),
        request(30, 424, id="r3", deployment="green", duration=9.0, operation_Id="ab" * 8 + "cd" * 8),
        request(40, client="slipway-batch-1", id="r4"),
        request(50, id="r5", endpoint="other"),
    ]
    raised = exception(30, "ValueError", operation_Id="ab" * 8 + "cd" * 8)
    found = Requests(Kept(requests=rows, exceptions=[raised])).search("bank", query, NOW, Origin.CLIENT)
    assert [one.request_id for one in found] == ids
    assert all(one.trace_id for one in found)


def exception(ago_s: float, kind: str, line: int = 3, **more: Any) -> dict[str, Any]:
    stack = f'Traceback (most recent call last):\n  File "score.py", line {line}, in run\n    x\n{kind}: no'
    about = {"Service Name": "bank", "Deployment Name": "blue", "Request Id": f"r{ago_s:g}"}
    return {
        "timestamp": when(NOW - ago_s), "type": kind, "problemId": f"{kind} at run", "outerMessage": "no",
        "details": [{"rawStack": stack}], "operation_Id": "", "customDimensions": about, "itemCount": 1, **more,
    }  # fmt: skip


def test_exceptions_are_grouped_by_their_cause() -> None:
    rows = [exception(10, "ValueError"), exception(20, "ValueError"), exception(15, "KeyError", 9)]
    most, other = happenings.exceptions(Kept(exceptions=rows), "bank", NOW - 60, NOW)
    assert (most.kind, most.where, most.count, most.first, most.last) == (
        "ValueError", "score.py:3 in run", 2, NOW - 20, NOW - 10,
    )  # fmt: skip
    assert (most.message, most.deployments, most.request_ids) == ("no", ("blue",), ("r10", "r20"))
    assert most.traceback.endswith("ValueError: no")
    assert other.kind == "KeyError"
    assert happenings.exceptions(Kept(), "bank", NOW - 60, NOW) == ()


def test_availability_is_of_the_tests_that_name_the_endpoint_and_else_not_known() -> None:
    rows = [
        {"timestamp": when(NOW - ago_s), "name": name, "success": good}
        for ago_s, name, good in ((90, "ping bank", "1"), (80, "ping bank", "0"), (70, "ping other", "0"))
    ]
    found = happenings.availability(Kept(availabilityResults=rows), "bank", NOW - 120, NOW, 2)
    assert [(b.up_s, b.down_s, b.share) for b in found.buckets] == [(30.0, 30.0, 0.5), (0.0, 0.0, None)]
    assert found.share == 0.5
