"""The executors, by the same suite: in this process, in processes of their own, and on Ray."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
import trial_doubles
from executor_suite import ApartSuite, ExecutorSuite
from trial_doubles import task

from core.domain.errors import SpecInvalid
from core.domain.training import TrialState
from core.local.worker import ray_executor
from core.local.worker.executors import HELD_MAX, HELD_TOO_LONG, ProcessExecutor
from core.local.worker.ray_executor import RayExecutor
from core.ml.executor import Executor, InProcessExecutor
from core.ml.task import TrialOutcome, TrialProgress, TrialTask

LIMITS = {"threads": 2, "memory_mb": 4096, "slots": 1}


class TestInProcess(ExecutorSuite):
    @pytest.fixture
    def make(self) -> Callable[..., Executor]:
        return InProcessExecutor


class TestProcesses(ApartSuite):
    @pytest.fixture
    def make(self) -> Callable[..., Executor]:
        return lambda train, **options: ProcessExecutor(train, **{**LIMITS, **options})

    def test_a_trial_that_waits_gives_its_place_to_the_others_and_then_goes_on(self, make, tmp_path):
        events = list(make(trial_doubles.wait_when_first).run((task(n, tmp_path) for n in range(3)), bool))
        assert [e.number for e in events if isinstance(e, TrialOutcome)] == [1, 2, 0]
        assert {e.state for e in events if isinstance(e, TrialOutcome)} == {TrialState.SUCCEEDED}
        assert TrialProgress(0, (0.5, 0.5)) in events

    def test_a_trial_that_still_waits_at_the_end_of_the_time_is_stopped_with_the_reason(self, make, tmp_path):
        over = list[int]()

        def tasks() -> Iterator[TrialTask]:
            yield from (task(n, tmp_path) for n in range(2))
            over.append(1)

        events = list(make(trial_doubles.wait_when_first).run(tasks(), lambda: bool(over)))
        assert [(e.number, e.state) for e in events if isinstance(e, TrialOutcome)] == [
            (1, TrialState.SUCCEEDED),
            (0, TrialState.STOPPED),
        ]
        assert events[-1] == TrialOutcome(0, TrialState.STOPPED, HELD_TOO_LONG)

    def test_so_many_trials_wait_at_most(self, make, tmp_path):
        tasks = (task(n, tmp_path) for n in range(HELD_MAX + 2))
        events = list(make(trial_doubles.wait_always).run(tasks, bool))
        ended = [e for e in events if isinstance(e, TrialOutcome)]
        assert [e.state for e in ended] == [TrialState.STOPPED] + [TrialState.SUCCEEDED] * (HELD_MAX + 1)
        assert [e.number for e in ended] == list(range(HELD_MAX + 2))


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
class TestRay(ApartSuite):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def cluster(cls) -> Iterator[None]:
        yield
        import ray

        ray.shutdown()

    @pytest.fixture
    def make(self) -> Callable[..., Executor]:
        return lambda train, **options: RayExecutor(train, **{**LIMITS, **options})


def test_without_ray_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(SpecInvalid, match="Ray is not installed") as refused:
        ray_executor.RayExecutor(lambda *_: None, threads=1, memory_mb=300)
    assert refused.value.hint == "Run: pip install ray"
