"""Jobs from queued to their end: real workers, a fake engine, the service's rounds made by hand."""

from dataclasses import replace
from itertools import pairwise

import psutil
import pytest
from asked import asked
from ending import gone
from local_world import World, kill, living, ticking
from msgspec import json
from waiting import wait_until

from core.domain.batch import BatchSpec
from core.domain.compute import Compute
from core.domain.errors import SpecInvalid
from core.domain.job import JobKind, JobState
from core.domain.proof import LoadReport, LoadSecond
from core.domain.training import BestTrial, ModelVersion, Trial, TrialState
from core.durable import write_atomic
from core.local.machine.processes import Process
from core.local.paths import new_id
from core.local.service.workers import CRASHES_MAX, INTERRUPTIONS_MAX, Crashes
from core.local.worker.kinds import how_far
from core.local.workspace import open_local


def until_final(world: World, *job_ids: str) -> None:
    jobs = world.jobs()
    wait_until(ticking(jobs.tick, lambda: all(world.job(job_id).state.final for job_id in job_ids)), 30)


def first_trial_of(world: World, job_id: str) -> Process:
    """The worker, once a trial has ended and another runs."""
    jobs = world.jobs()
    wait_until(ticking(jobs.tick, lambda: len(world.store.trials.list(job_id)) >= 2), 20)
    return world.worker(job_id)


def test_a_job_runs_to_its_end_and_leaves_its_trials_result_and_log(world: World) -> None:
    job_id = world.submit(trials=3)
    until_final(world, job_id)
    job = world.job(job_id)
    assert (job.state, job.attempt, job.message) == (JobState.SUCCEEDED, 1, "")
    assert [trial.state for trial in world.store.trials.list(job_id)] == [TrialState.SUCCEEDED] * 3
    assert job.result.best == BestTrial(2, "Fake", {"AUC_weighted": 0.502})
    assert (job.result.trials, job.result.notes) == (3, ("It only waits.",))
    assert b"Trial 2: Fake succeeded" in world.paths.job_log(job_id).read_bytes()
    assert world.paths.job_log(job_id).stat().st_mode & 0o077 == 0


def test_a_job_with_a_model_name_registers_its_best_model(world: World) -> None:
    job_id = world.submit(trials=1, model="bank")
    assert world.run_here(job_id).result.model == ModelVersion("bank", 1)
    assert world.store.models.get("bank").job_id == job_id


def test_a_killed_worker_is_started_again_and_goes_on_from_its_trials(world: World) -> None:
    job_id = world.submit("fake:each_s=0.3", trials=4)
    worker = first_trial_of(world, job_id)
    before = {t.number: t for t in world.store.trials.list(job_id) if t.state is TrialState.SUCCEEDED}
    kill(worker)
    assert world.job(job_id).state is JobState.RUNNING
    until_final(world, job_id)
    job = world.job(job_id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    after = {trial.number: trial for trial in world.store.trials.list(job_id)}
    assert {number: after[number] for number in before} == before
    assert all(trial.state is TrialState.SUCCEEDED for trial in after.values())


def test_the_time_that_earlier_attempts_used_counts(world: World) -> None:
    job_id = world.submit(trials=1)
    write_atomic(world.paths.job(job_id) / "seconds", b"500.000")
    assert world.run_here(job_id).result.seconds >= 500


def test_the_start_of_the_worker_is_part_of_the_time(world: World) -> None:
    assert world.run_here(world.submit(trials=1), started_s_ago=3).result.seconds >= 3


def test_the_time_used_is_noted_while_a_job_runs(world: World) -> None:
    job_id = world.submit("fake:each_s=0.2", trials=10_000)
    seconds = world.paths.job(job_id) / "seconds"
    look = ticking(world.jobs().tick, lambda: seconds.exists() and float(seconds.read_text()) > 0)
    wait_until(look, 20)


def test_a_job_that_kills_its_worker_each_time_fails_with_the_cause(world: World) -> None:
    job_id = world.submit("fake:dies_at=1", trials=3)
    until_final(world, job_id)
    job = world.job(job_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 3)
    assert "ended unexpectedly 3 times in a row (signal 9)" in job.message
    assert "memory" in job.hint
    assert [trial.state for trial in world.store.trials.list(job_id)] == [TrialState.SUCCEEDED, TrialState.STOPPED]


def test_deaths_count_only_where_nothing_more_was_done(world: World) -> None:
    job_id = world.add_job(BatchSpec("bank", "goes on", 2 * CRASHES_MAX))
    hopeless = world.add_job(BatchSpec("bank", "hopeless", 1), "other")
    until_final(world, job_id, hopeless)
    assert (world.job(job_id).state, world.job(job_id).attempt) == (JobState.SUCCEEDED, 2 * CRASHES_MAX + 1)
    assert (world.job(hopeless).state, world.job(hopeless).attempt) == (JobState.FAILED, CRASHES_MAX)


def test_a_worker_that_dies_with_the_service_is_no_crash(world: World) -> None:
    job_id = world.submit("fake:each_s=60", trials=10)
    for _ in range(CRASHES_MAX + 1):
        world.jobs().tick()  # a service that dies with its worker, as at a reboot
        kill(world.worker(job_id))
    assert world.job(job_id).state is JobState.RUNNING
    world.enough(job_id)


def test_a_job_that_takes_the_service_down_with_it_ends_at_last(world: World) -> None:
    job_id = world.submit("fake:each_s=60", trials=10)
    world.jobs().tick()
    kill(world.worker(job_id))
    before = Crashes(attempt=0, interrupted=INTERRUPTIONS_MAX - 1)
    write_atomic(world.paths.job(job_id) / "crashes.json", json.encode(before))
    world.jobs().tick()
    assert f"ended unexpectedly {INTERRUPTIONS_MAX} times in a row" in world.job(job_id).message


def test_how_far_a_job_has_come_grows_with_each_piece_of_work(world: World) -> None:
    def far(job_id: str) -> int:
        return how_far(world.store, world.paths, world.job(job_id))

    run = world.add_job(asked(JobKind.STEP))
    training = replace(world.job(world.submit()), id=new_id(), parent_id=run)
    world.store.jobs.add(training)
    world.store.trials.put(training.id, Trial(0, "Fake", TrialState.RUNNING))
    assert (far(run), far(training.id)) == (0, 0)
    world.store.trials.put(training.id, Trial(0, "Fake", TrialState.FAILED))
    assert (far(run), far(training.id)) == (1, 1)
    batch = world.add_job(asked(JobKind.BATCH))
    chunks, seen = world.paths.job(batch) / "chunks", [far(batch)]
    for name in ("chunks/0.csv", "chunks/0.json", "chunks/1.csv", "chunks/1.json", "result.json"):
        write_atomic(world.paths.job(batch) / name, b"{}")
        seen.append(far(batch))
    for file in sorted(chunks.iterdir()):
        file.unlink()
        seen.append(far(batch))
    assert [b > a for a, b in pairwise(seen)] == [False, True, False, True, True, True, True, True, True]
    gate = world.add_job(asked(JobKind.GATE))
    assert far(gate) == 0
    write_atomic(world.paths.gate_progress(gate), b"{}\n{}\n{half")
    assert far(gate) == 2
    load = world.add_job(asked(JobKind.LOADTEST))
    assert far(load) == 0
    seconds = (LoadSecond(0, 9, 0, 1.0, 1.0), LoadSecond(1, 9, 0, 1.0, 1.0))
    report = LoadReport("u", 9, 0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 2, seconds=seconds)
    write_atomic(world.paths.load_progress(load), json.encode(report))
    assert far(load) == 2


def test_a_bug_fails_its_job_with_its_last_line_and_leaves_the_traceback(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = world.submit("fake:bug")
    job = world.run_here(job_id)
    assert (job.state, job.message) == (JobState.FAILED, "ZeroDivisionError: a planted bug")
    assert "bug" in job.hint
    assert "ZeroDivisionError: a planted bug" in caplog.text


def test_a_canceled_job_keeps_its_trials(world: World) -> None:
    job_id = world.submit("fake:each_s=0.3", trials=50)
    worker = first_trial_of(world, job_id)
    done = [t for t in world.store.trials.list(job_id) if t.state is TrialState.SUCCEEDED]
    world.store.jobs.cancel(job_id, 0.0)
    until_final(world, job_id)
    trials = world.store.trials.list(job_id)
    assert world.job(job_id).state is JobState.CANCELED
    assert done
    assert list(trials[: len(done)]) == done
    assert all(trial.state is not TrialState.RUNNING for trial in trials)
    assert living(worker) is None


def test_a_canceled_job_leaves_no_trial_running(world: World, started_by_command: None) -> None:
    job_id = world.submit("fake:hangs")
    jobs, pid = world.jobs(), world.paths.trials(job_id) / "0" / "pid"
    wait_until(ticking(jobs.tick, pid.exists), 120)
    trial = psutil.Process(int(wait_until(pid.read_text, 5)))
    world.store.jobs.cancel(job_id, 0.0)
    wait_until(ticking(jobs.tick, lambda: gone(trial)), 4.0)  # a second on a machine that is not overloaded
    until_final(world, job_id)
    assert world.job(job_id).state is JobState.CANCELED


def test_a_compute_runs_no_more_jobs_at_once_than_it_may(world: World) -> None:
    world.store.computes.put(Compute("two", max_concurrent=2))
    ids = [world.submit("fake:each_s=60", trials=1, compute="two") for _ in range(3)]
    jobs = world.jobs()

    def running() -> set[str]:
        jobs.tick()
        found = {job.id for job in world.store.jobs.in_states(JobState.RUNNING)}
        assert len(found) <= 2
        return found

    first = wait_until(lambda: found if len(found := running()) == 2 else set(), 30)
    assert running() == first, "the third one waits"
    (third,) = set(ids) - first
    world.store.jobs.cancel(min(first), 0.0)
    wait_until(lambda: third in running(), 30)
    for job_id in ids:
        world.store.jobs.cancel(job_id, 0.0)
    wait_until(lambda: not running(), 30)


@pytest.mark.usefixtures("started_by_command")
def test_a_worker_whose_number_was_never_noted_is_found_and_not_doubled(world: World) -> None:
    job_id = world.submit("fake:each_s=0.2", trials=5)
    worker = first_trial_of(world, job_id)
    world.store.jobs.start_attempt(job_id, 0.0)  # as a service does that dies before it can note the worker
    jobs = world.jobs()
    jobs.tick()
    assert world.store.jobs.worker(job_id) == worker
    assert living(worker)
    wait_until(ticking(jobs.tick, lambda: world.job(job_id).state.final), 20)
    assert world.job(job_id).state is JobState.SUCCEEDED


def test_jobs_stopped_in_order_go_on_later_without_counting_as_crashes(world: World) -> None:
    job_id = world.submit("fake:each_s=0.1", trials=10_000)
    for _ in range(CRASHES_MAX):
        jobs = world.jobs()
        wait_until(ticking(jobs.tick, lambda: living(world.store.jobs.worker(job_id))), 10)
        jobs.stop()
        assert world.job(job_id).state is JobState.RUNNING
    world.enough(job_id)
    until_final(world, job_id)
    assert world.job(job_id).state is JobState.SUCCEEDED


def test_one_job_that_cannot_start_does_not_hold_up_another(world: World) -> None:
    stuck, fine = world.submit(), world.submit(compute="other")
    world.paths.job(stuck).parent.mkdir(parents=True)
    world.paths.job(stuck).write_text("a file where the job's folder should be")
    until_final(world, fine)
    assert world.job(fine).state is JobState.SUCCEEDED
    assert not world.job(stuck).state.final


@pytest.mark.parametrize("kind", [JobKind.GATE, JobKind.PIPELINE])
def test_a_job_that_comes_with_something_else_is_not_submitted_alone(world: World, kind: JobKind) -> None:
    with pytest.raises(SpecInvalid) as caught:
        open_local(world.settings).jobs.submit(asked(kind))
    assert caught.value.hint in ("`proofs.run_gate` queues one", "`pipelines.trigger` queues one")
    assert world.store.jobs.list(kind) == ()
