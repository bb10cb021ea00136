"""Trials in processes: whatever one does to its own, the job goes on and nothing is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import trial_doubles
from ending import gone
from search_doubles import Searching
from trial_doubles import task
from turns import on_day, sets_in_turn
from waiting import wait_until

from core.domain.training import Algorithm, TrialState
from core.local.worker.executors import ProcessExecutor
from core.ml.learners.registry import libraries
from core.ml.task import TrialOutcome
from core.ml.trial import train

FAILED, STOPPED, SUCCEEDED = TrialState.FAILED, TrialState.STOPPED, TrialState.SUCCEEDED


def never() -> bool:
    return False


def executor(train, **options) -> ProcessExecutor:
    return ProcessExecutor(**{"threads": 2, "memory_mb": 4096, "slots": 1, "train": train, **options})


def outcomes(train, folder: Path, *, trials: int = 1, stop=never, **options) -> list[TrialOutcome]:
    return list(executor(train, **options).run((task(n, folder) for n in range(trials)), stop))


def pid_of(folder: Path, number: int = 0) -> int:
    path = folder / str(number) / "pid"
    return int(wait_until(lambda: path.exists() and path.read_text(), 20))


def test_each_trial_runs_in_a_process_of_its_own(tmp_path):
    assert outcomes(trial_doubles.write_pid, tmp_path, trials=3) == [TrialOutcome(n, SUCCEEDED) for n in range(3)]
    pids = {pid_of(tmp_path, number) for number in range(3)}
    assert len(pids | {os.getpid()}) == 4


def test_a_crashed_trial_is_a_failed_one_and_the_others_go_on(tmp_path):
    first, second = outcomes(trial_doubles.crash, tmp_path, trials=2)
    assert (first.state, second.state) == (FAILED, SUCCEEDED)
    assert "ended by SIGKILL" in first.error


def test_a_trial_that_leaves_without_a_word_is_a_failed_one(tmp_path):
    assert "ended with code 3" in outcomes(trial_doubles.leave, tmp_path)[0].error


def test_trials_share_threads_and_run_side_by_side(tmp_path):
    both = [tmp_path / "0" / "pid", tmp_path / "1" / "pid"]
    found = outcomes(trial_doubles.hang, tmp_path, trials=9, slots=2, stop=lambda: all(p.exists() for p in both))
    assert {o.number for o in found} == {0, 1}
    assert executor(trial_doubles.hang, threads=6, slots=2).threads == 3


def test_one_slot_a_thread_unless_told():
    assert executor(trial_doubles.hang, threads=2, slots=0).threads == 1
    assert executor(trial_doubles.hang, threads=16, slots=0).threads == 4


@pytest.mark.parametrize(
    ("algorithms", "found"),
    sets_in_turn([((Algorithm.LOGISTIC_REGRESSION,), "sklearn"), ((Algorithm.XGBOOST,), "sklearn xgboost")], 2),
)
def test_a_trial_finds_what_its_plan_needs_loaded_and_no_other_learner(tmp_path, algorithms, found):
    code = (
        "import sys; from pathlib import Path; sys.path[:0] = ['.', 'tests']; import trial_doubles\n"
        "from core.local.worker.executors import ProcessExecutor\n"
        "e = ProcessExecutor("
        f"trial_doubles.write_loaded, threads=1, memory_mb=4096, libraries={libraries(algorithms)})\n"
        f"list(e.run([trial_doubles.task(0, Path({str(tmp_path)!r}))], lambda: False))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True, timeout=60)
    assert (tmp_path / "0" / "loaded").read_text() == found


def test_trials_die_with_the_process_that_started_them(tmp_path):
    code = (
        "import sys; from pathlib import Path; sys.path[:0] = ['.', 'tests']; import trial_doubles\n"
        "from core.local.worker.executors import ProcessExecutor\n"
        "e = ProcessExecutor(threads=1, memory_mb=4096, train=trial_doubles.hang)\n"
        f"list(e.run([trial_doubles.task(0, Path({str(tmp_path)!r}))], lambda: False))"
    )
    job = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    trial = pid_of(tmp_path)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert wait_until(lambda: gone(trial), 10)


def test_a_trial_whose_server_was_killed_is_a_failed_one_and_goes_on_in_no_folder(tmp_path):
    def kill_server() -> bool:
        if (tmp_path / "0" / "pid").exists() and not killed:
            killed.append(psutil.Process(pid_of(tmp_path)).parent().pid)
            os.kill(killed[0], signal.SIGKILL)
        return False

    killed = list[int]()
    (outcome,) = outcomes(trial_doubles.hang, tmp_path, stop=kill_server)
    assert (outcome.state, outcome.number) == (FAILED, 0)
    assert wait_until(lambda: gone(pid_of(tmp_path)), 10)


@on_day(2, 3)
def test_a_search_in_processes_ends_with_a_vote_of_real_learners(tmp_path):
    searching = Searching(tmp_path)
    real = ProcessExecutor(train, threads=2, memory_mb=4096)
    result = searching.run(executor=real, spec={"max_trials": 3, "n_cross_validations": 2, "timeout_s": 60})
    # Which ones they are follows from how long the first took.
    assert len({t.algorithm for t in searching.ended if not t.members}) == 3
    assert {t.state for t in searching.ended} == {SUCCEEDED}
    assert result.best.metrics["AUC_weighted"] > 0.8
