"""A disk that fills up: everybody says so, nobody dies of it, nothing acknowledged is lost."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from local_world import World, living, ticking
from small_disks import fill, mounted
from turns import on_day
from waiting import wait_until

from core.domain.endpoint import EndpointState
from core.domain.errors import ServiceUnavailable, StorageFull
from core.domain.job import JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.training import TrialState
from core.durable import write_atomic
from core.local.records.merging import REQUESTS, Keep, Merging
from core.local.records.telemetry import summary
from core.local.workspace import open_local

SIZE_MB = 6
SPARE_BYTES = 200_000
"""Room for a few more jobs to be acknowledged before the end."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", SIZE_MB) as disk:
        yield disk


@pytest.fixture
def world(small_disk: Path) -> Iterator[World]:
    made = World(small_disk / "workspace")
    yield made
    made.close()


def test_a_file_is_written_whole_or_the_old_one_stays(small_disk: Path) -> None:
    path = small_disk / "file"
    write_atomic(path, b"old")
    fill(small_disk)
    with pytest.raises(StorageFull, match="The disk is full: could not write file"):
        write_atomic(path, b"n" * 100_000)
    assert path.read_bytes() == b"old"
    assert {child.name for child in small_disk.iterdir()} == {"file", "filler"}


@pytest.mark.full
def test_nothing_acknowledged_is_lost_and_all_goes_on_when_there_is_space(world: World, small_disk: Path) -> None:
    world.add_endpoint("bank")
    training = world.submit("fake:each_s=0.05", trials=10_000)
    service = world.start_service()
    wait_until(lambda: world.endpoint("bank").state is EndpointState.READY, 20)
    wait_until(lambda: len(world.store.trials.list(training)) > 3, 20)
    filler = fill(small_disk, SPARE_BYTES)
    acknowledged = submit_until_full(world)
    assert acknowledged
    done = [t for t in world.store.trials.list(training) if t.state is TrialState.SUCCEEDED]
    wait_until(lambda: b"The disk is full" in world.paths.service_log.read_bytes() or full_jobs(world), 20)
    assert living(service), "the service lives on"
    assert world.endpoint("bank").state is EndpointState.READY

    filler.unlink()
    world.enough(training)
    wait_until(lambda: all(world.job(job_id).state.final for job_id in (training, *acknowledged)), 40)
    assert living(service)
    assert world.store.trials.list(training)[: len(done)] == tuple(done)
    assert [world.job(job_id).state for job_id in acknowledged] == [JobState.SUCCEEDED] * len(acknowledged)
    job = world.job(training)
    assert job.state is JobState.SUCCEEDED or job.message.startswith("The disk is full")
    later = world.submit(trials=1)
    wait_until(lambda: world.job(later).state is JobState.SUCCEEDED, 20)


def submit_until_full(world: World) -> list[str]:
    """The ids of the jobs that were acknowledged before the store refused one."""
    acknowledged: list[str] = []
    while len(acknowledged) < 1000:
        try:
            acknowledged.append(world.submit(trials=1, compute="other"))
        except StorageFull:
            return acknowledged
    raise AssertionError("the disk did not fill up")


def full_jobs(world: World) -> bool:
    return any("disk is full" in job.message for job in world.store.jobs.list())


def test_records_stay_as_they_are_until_there_is_room_to_merge_them_and_the_oldest_make_room(small_disk: Path) -> None:
    folder = small_disk / "telemetry"
    folder.mkdir()

    def record(number: int, age_s: float) -> None:
        lines = "".join(f'{{"at": {1e9 - age_s + n}, "request_id": "{uuid4()}", "status": 200}}\n' for n in range(500))
        (folder / f"seg-{(1e9 - age_s) * 1000:.0f}-7-{number}.jsonl").write_text(lines)

    def merge(days: float = 30.0) -> None:
        Merging(folder, REQUESTS, now=1e9, keep=Keep(max_days=days)).run(alive=lambda segment: True)

    def kept() -> int:
        return summary("bank", folder, 0, 2e9, 1).requests

    record(1, 20 * 86_400)
    merge()
    record(2, 100)
    filler = fill(small_disk)
    for _ in range(2):
        with pytest.raises((StorageFull, ServiceUnavailable)):
            merge()
        assert kept() == 1000
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    with suppress(StorageFull, ServiceUnavailable):
        merge(days=10.0)
    assert kept() == 500, "what is too old goes though nothing can be written"
    filler.unlink()
    merge(days=10.0)
    assert kept() == 500
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".parquet", ".sums"]


@on_day(0, 3)
def test_runs_wait_for_space_and_none_that_was_acknowledged_is_lost(
    world: World, small_disk: Path, tmp_path: Path
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    workspace, step = open_local(world.settings), PipelineStep("prepare", StepKind.PREPARE, (), {"data": str(table)})
    pipeline = workspace.pipelines.publish(PipelineSpec("p", (replace(step, retries=2, backoff_s=0.1),)))
    acknowledged = [workspace.pipelines.trigger(pipeline.id, "x").id]
    filler = fill(small_disk, 300_000)
    with suppress(StorageFull):
        while len(acknowledged) < 100:
            acknowledged.append(workspace.pipelines.trigger(pipeline.id, "x").id)
    assert 2 < len(acknowledged) < 100, "some were acknowledged, one was refused"
    tick = world.reconciler()
    for _ in range(5):
        with suppress(StorageFull):  # as the service's own loop, which then tries again
            tick()
    filler.unlink()
    wait_until(ticking(tick, lambda: all(world.job(run_id).state.final for run_id in acknowledged)), 60)
    assert {world.job(run_id).state for run_id in acknowledged} == {JobState.SUCCEEDED}
    assert sorted(run.id for run in workspace.pipelines.list_runs()) == sorted(acknowledged)
