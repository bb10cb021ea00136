"""The executors, by the same suite: in this process, in processes of their own, and on Ray."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from executor_suite import ApartSuite, ExecutorSuite

from core.domain.errors import SpecInvalid
from core.local.worker import ray_executor
from core.local.worker.executors import ProcessExecutor
from core.local.worker.ray_executor import RayExecutor
from core.ml.executor import Executor, InProcessExecutor

LIMITS = {"threads": 2, "memory_mb": 4096, "slots": 1}


class TestInProcess(ExecutorSuite):
    @pytest.fixture
    def make(self) -> Callable[..., Executor]:
        return InProcessExecutor


class TestProcesses(ApartSuite):
    @pytest.fixture
    def make(self) -> Callable[..., Executor]:
        return lambda train, **options: ProcessExecutor(train, **{**LIMITS, **options})


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
