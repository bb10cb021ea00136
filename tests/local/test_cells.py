"""A window of many requests is told from sums by the minute: counts are the same, percentiles within 1 %."""

import json
import random

import pytest

from core.domain.monitoring import Origin
from core.local.records import merging, minutes, telemetry
from core.local.records.merging import Merging

SINCE, UNTIL, BUCKETS = 0.0, 7200.0, 6
HOURS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two hours, merged as they came; of the last minutes there are only lines."""
    folder, draw = tmp_path_factory.mktemp("telemetry"), random.Random(7)
    for hour in range(2):
        lines = []
        for _ in range(1500):
            at = round(hour * 3600 + draw.random() * 3600, 6)
            record = {"at": at, "request_id": f"r{at}", "deployment": draw.choice(["v1", "v1", "v2"])}
            record |= {"status": draw.choice([200] * 8 + [400, 424]), "rows": draw.randint(1, 9), "bytes_in": 1}
            record |= {"elapsed_ms": round(draw.lognormvariate(1, 0.8), 3), "run_ms": 0.1, "bytes_out": 1}
            record |= {"mirrored": draw.random() < 0.1, "origin": draw.choice(["", "", "app"])}
            lines.append(json.dumps(record) + "\n")
        split = len(lines) if hour == 0 else 1400
        (folder / f"seg-{hour * 3_600_000}-9{hour}-1.jsonl").write_text("".join(lines[:split]))
        Merging(folder, merging.REQUESTS, now=7200.0).run(alive=lambda segment: False)
        if lines[split:]:
            (folder / "seg-3600001-92-1.jsonl").write_text("".join(lines[split:]))
    return folder


def both(question, *given, buckets=BUCKETS, **named):
    return [question(*given, SINCE, UNTIL, buckets, exact_max=limit, **named) for limit in (10**9, 0)]


def close(exact, summed):
    assert (exact.requests, exact.rows) == (summed.requests, summed.rows)
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        assert getattr(summed, name) == pytest.approx(getattr(exact, name), rel=0.0101)


@pytest.mark.parametrize("buckets", [BUCKETS, HOURS])
@pytest.mark.parametrize("origin", [Origin.CLIENT, Origin.APP, None])
def test_a_summary_by_the_minute_or_the_hour_is_as_the_exact_one(folder, origin, buckets):
    exact, summed = both(telemetry.summary, "e", folder, buckets=buckets, origin=origin)
    close(exact, summed)
    assert exact.requests > 500
    for name in ("by_status", "by_origin", "recorded_since"):
        assert getattr(exact, name) == getattr(summed, name)
    for one, other in zip(exact.buckets, summed.buckets, strict=True):
        assert (one.at, one.requests, one.rows) == (other.at, other.requests, other.rows)
        assert (one.client_errors, one.server_errors, one.by_status) == (
            other.client_errors, other.server_errors, other.by_status,
        )  # fmt: skip
    for name, traffic in exact.by_deployment.items():
        close(traffic, summed.by_deployment[name])


def test_the_courses_add_up_to_the_summary_but_for_what_was_mirrored(folder):
    exact, summed = both(telemetry.course, folder)
    told = telemetry.summary("e", folder, SINCE, UNTIL, BUCKETS)
    for courses in (exact, summed):
        assert [(c.deployment, c.mirrored) for c in courses] == [
            ("v1", False), ("v1", True), ("v2", False), ("v2", True),
        ]  # fmt: skip
        live = [c for c in courses if not c.mirrored]
        for number, bucket in enumerate(told.buckets):
            assert sum(c.buckets[number].requests for c in live) == bucket.requests
            statuses = [c.buckets[number].by_status.get(424, 0) for c in live]
            assert sum(statuses) == bucket.by_status.get(424, 0)


def test_sums_that_are_missing_are_made_again_and_those_of_no_file_go(folder):
    (gone, *_) = sorted(folder.glob(f"*{minutes.SUFFIX}"))
    gone.unlink()
    (folder / f"rec-1-2-0000abcd.2{minutes.SUFFIX}").write_bytes(b"of nothing")
    before = telemetry.summary("e", folder, SINCE, UNTIL, BUCKETS, exact_max=0)
    Merging(folder, merging.REQUESTS, now=7200.0).run(alive=lambda segment: True, ready=lambda segment: False)
    sums = {minutes.beside(path) for path in folder.glob("rec-*.parquet")}
    assert set(folder.glob(f"*{minutes.SUFFIX}")) == sums
    assert telemetry.summary("e", folder, SINCE, UNTIL, BUCKETS, exact_max=0).by_status == before.by_status
