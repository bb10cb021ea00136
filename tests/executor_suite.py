"""What every executor must do, whatever it runs trials in."""

import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import trial_doubles
from ending import gone
from trial_doubles import task
from waiting import wait_until

from core.domain.training import TrialState
from core.ml.executor import Executor
from core.ml.task import Train, TrialOutcome, TrialProgress

FAILED, STOPPED, SUCCEEDED = TrialState.FAILED, TrialState.STOPPED, TrialState.SUCCEEDED
Make = Callable[[Train], Executor]
DEAD_MAX_S = 4.0
"""A canceled trial is dead within a second on a machine that is not overloaded."""


def never() -> bool:
    return False


def pid_of(folder: Path, number: int = 0) -> int:
    path = folder / str(number) / "pid"
    return int(wait_until(lambda: path.exists() and path.read_text(), 30))


class ExecutorSuite:
    """One set of behaviours; a class for each executor gives the fixture `make`: (train) -> executor with one slot."""

    def test_each_task_has_one_outcome(self, make: Make, tmp_path: Path) -> None:
        run = make(trial_doubles.write_pid).run((task(n, tmp_path) for n in range(3)), never)
        assert list(run) == [TrialOutcome(n, SUCCEEDED) for n in range(3)]

    def test_an_error_comes_back_with_its_cause_and_the_others_go_on(self, make: Make, tmp_path: Path) -> None:
        run = make(trial_doubles.fail).run((task(n, tmp_path) for n in range(2)), never)
        assert list(run) == [TrialOutcome(n, FAILED, f"ValueError: no luck with {n}") for n in range(2)]

    def test_a_trial_that_stops_by_itself_says_why(self, make: Make, tmp_path: Path) -> None:
        assert list(make(trial_doubles.drop).run([task(0, tmp_path)], never)) == [TrialOutcome(0, STOPPED, "hopeless")]

    def test_folds_are_told_before_the_outcome(self, make: Make, tmp_path: Path) -> None:
        events = list(make(trial_doubles.two_folds).run([task(0, tmp_path)], never))
        told = [event for event in events if isinstance(event, TrialProgress)]
        assert told == [TrialProgress(0, (0.5,)), TrialProgress(0, (0.5, 0.6))]
        assert events[-1] == TrialOutcome(0, SUCCEEDED)

    def test_a_refit_is_told_as_one(self, make: Make, tmp_path: Path) -> None:
        run = make(trial_doubles.write_pid).run([task(0, tmp_path, refit=True)], never)
        assert list(run) == [TrialOutcome(0, SUCCEEDED, refit=True)]

    def test_a_task_is_taken_only_when_it_can_start(self, make: Make, tmp_path: Path) -> None:
        taken = list[int]()

        def tasks():
            for number in count():
                taken.append(number)
                yield task(number, tmp_path)

        run = make(trial_doubles.write_pid).run(tasks(), never)
        assert next(run).number == 0
        assert taken == [0]
        run.close()

    def test_nothing_starts_when_the_time_is_over(self, make: Make, tmp_path: Path) -> None:
        assert list(make(trial_doubles.write_pid).run([task(0, tmp_path)], lambda: True)) in (
            [],
            [TrialOutcome(0, SUCCEEDED)],
        )

    def test_a_running_trial_ends_when_the_time_is_over(self, make: Make, tmp_path: Path) -> None:
        started = tmp_path / "0" / "pid"
        run = make(trial_doubles.work_until_stopped).run((task(n, tmp_path) for n in range(9)), started.exists)
        assert list(run) == [TrialOutcome(0, STOPPED)]

    def test_one_trial_is_given_up_with_the_reason_and_the_next_one_runs(self, make: Make, tmp_path: Path) -> None:
        started = tmp_path / "0" / "pid"
        why = lambda number: "Canceled" if number == 0 and started.exists() else ""  # noqa: E731
        run = make(trial_doubles.work_when_even).run((task(n, tmp_path) for n in range(2)), never, why)
        assert list(run) == [TrialOutcome(0, STOPPED, "Canceled"), TrialOutcome(1, SUCCEEDED)]


class ApartSuite(ExecutorSuite):
    """What is true where each trial is a process of its own; here `make` takes options of the executor too."""

    def test_a_trial_that_is_given_up_is_dead_within_a_second(self, make: Make, tmp_path: Path) -> None:
        asked = list[float]()

        def why(number: int) -> str:
            if not (tmp_path / "0" / "pid").exists():
                return ""
            asked.append(time.monotonic())
            return "Canceled"

        assert list(make(trial_doubles.hang).run([task(0, tmp_path)], never, why)) == [
            TrialOutcome(0, STOPPED, "Canceled")
        ]
        assert gone(pid_of(tmp_path))
        assert time.monotonic() - asked[0] < DEAD_MAX_S

    def test_a_trial_is_given_up_while_nobody_takes_the_events(self, make: Make, tmp_path: Path) -> None:
        given_up = threading.Event()
        why = lambda number: "Canceled" if given_up.is_set() and number == 0 else ""  # noqa: E731
        run = make(trial_doubles.hang_when_even, slots=2).run((task(n, tmp_path) for n in range(2)), never, why)
        assert next(run) == TrialOutcome(1, SUCCEEDED)
        hanging = pid_of(tmp_path, 0)
        given_up.set()
        assert wait_until(lambda: gone(hanging), DEAD_MAX_S)
        assert list(run) == [TrialOutcome(0, STOPPED, "Canceled")]

    def test_what_fails_while_it_is_asked_ends_the_run_and_leaves_nothing(self, make: Make, tmp_path: Path) -> None:
        def why(number: int) -> str:
            if (tmp_path / "0" / "pid").exists():
                raise OSError("the disk is gone")
            return ""

        with pytest.raises(OSError, match="the disk is gone"):
            list(make(trial_doubles.hang).run([task(0, tmp_path)], never, why))
        assert wait_until(lambda: gone(pid_of(tmp_path)), 10)

    def test_a_crashed_trial_is_a_failed_one_and_the_others_go_on(self, make: Make, tmp_path: Path) -> None:
        first, second = make(trial_doubles.crash).run((task(n, tmp_path) for n in range(2)), never)
        assert (first.state, second.state) == (FAILED, SUCCEEDED)
        assert first.error

    def test_a_trial_above_its_memory_is_a_failed_one_and_the_others_go_on(self, make: Make, tmp_path: Path) -> None:
        run = make(trial_doubles.eat_memory_when_even, memory_mb=300).run((task(n, tmp_path) for n in range(2)), never)
        first, second = run
        assert (first.state, second.state) == (FAILED, SUCCEEDED)
        assert "its limit is 300 MB" in first.error
        assert wait_until(lambda: gone(pid_of(tmp_path)), 10)

    def test_a_trial_that_never_ends_is_killed(self, make: Make, tmp_path: Path) -> None:
        started = tmp_path / "0" / "pid"
        assert list(make(trial_doubles.hang).run([task(0, tmp_path)], started.exists)) == [TrialOutcome(0, STOPPED)]
        assert wait_until(lambda: gone(pid_of(tmp_path)), 10)

    def test_trials_run_side_by_side_in_their_slots(self, make: Make, tmp_path: Path) -> None:
        both = [tmp_path / "0" / "pid", tmp_path / "1" / "pid"]
        executor = make(trial_doubles.hang, slots=2)
        found = list(executor.run((task(n, tmp_path) for n in range(9)), lambda: all(p.exists() for p in both)))
        assert {(o.number, o.state) for o in found} == {(0, STOPPED), (1, STOPPED)}
        assert (executor.slots, executor.threads) == (2, 1)

    def test_closing_the_run_leaves_nothing_behind(self, make: Make, tmp_path: Path) -> None:
        run = make(trial_doubles.hang_when_even, slots=2).run((task(n, tmp_path) for n in range(2)), never)
        assert next(run) == TrialOutcome(1, SUCCEEDED)
        hanging = pid_of(tmp_path, 0)
        run.close()
        assert wait_until(lambda: gone(hanging), 10)
