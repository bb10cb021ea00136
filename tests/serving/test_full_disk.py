"""A disk that fills up under a server: it scores on, and when there is space it records everything again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_fakes import ServerProcess
from small_disks import fill, mounted
from waiting import wait_until

SIZE_MB = 4


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", SIZE_MB) as made:
        yield made


@pytest.fixture
def server(disk: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(disk / "endpoint", limits={"workers": 2, "collect_model_data": True}, segment_s=1.0)
    made.start()
    yield made
    made.end()


def metric(server: ServerProcess, name: str) -> int:
    lines = [line for line in server.get("/metrics").text.splitlines() if line.startswith(name)]
    return sum(int(line.split()[-1]) for line in lines)


def score_until(server: ServerProcess, holds) -> int:
    """Ask again and again, and be answered each time; how often."""
    asked = 0

    def ask_and_look():
        nonlocal asked
        asked += 1
        assert server.score().status_code == 200
        return holds()

    wait_until(ask_and_look, 20)
    return asked


@pytest.mark.contract("T2", "K4")
def test_a_server_on_a_full_disk_scores_on_and_records_again_when_there_is_space(server: ServerProcess, disk: Path):
    asked = score_until(server, lambda: len(server.files.records()) > 0)
    wait_until(lambda: len(server.workers()) == 2, 10)
    filler = fill(disk)
    asked += score_until(server, lambda: metric(server, "slipway_telemetry_dropped_total") > 0)
    assert metric(server, "slipway_write_failures_total") > 0
    assert server.get("/").status_code == 200

    for _ in range(2):  # both are killed, one after the other, while nothing can be written
        before = server.workers()
        before[0].kill()
        wait_until(lambda before=before: len(set(server.workers()) - set(before)) == 1, 10)
        asked += score_until(server, lambda: len(server.workers()) == 2)
    assert server.get("/").status_code == 200
    assert server.process.poll() is None

    filler.unlink()
    known = len(server.files.records())
    score_until(server, lambda: len(server.files.records()) > known + 5)
    failures = metric(server, "slipway_write_failures_total")
    score_until(server, lambda: server.status()["deployments"] == {"v1": {"state": "ready", "error": ""}})
    server.files.write(traffic={"v1": 100})
    wait_until(lambda: server.status()["version"] == server.files.content["version"], 10)
    wait_until(lambda: not list(server.files.path.parent.glob("metrics/*.tmp")), 5)
    assert server.get("/").status_code == 200
    assert metric(server, "slipway_requests_total") > 0
    assert metric(server, "slipway_write_failures_total") >= failures
    # Lines of the log are on the same disk, and where it was full a part of one may stand: they are not read as JSON.
    assert "can be written again" in server.log.read_text()
