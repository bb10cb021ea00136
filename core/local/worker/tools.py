"""What a training job works with on this machine: which engine, where its trials run, who packages what it found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.domain.compute import Compute, ExecutorKind
from core.domain.data import DataAsset
from core.domain.errors import SpecInvalid
from core.domain.training import TrainingSpec
from core.ml.executor import Executor, InProcessExecutor
from core.ml.learners.registry import libraries
from core.ml.search import Search, SearchResult, search

ENGINES: Mapping[str, Search] = {"portfolio": search}
"""The AutoML engines by name."""


class Package(Protocol):
    """Writes what a search found as one complete model folder: `core.packaging.write.write_model`, or a test's own."""

    def __call__(
        self, folder: Path, result: SearchResult, *, spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
    ) -> None: ...


def engine_named(name: str, engines: Mapping[str, Search] = ENGINES) -> Search:
    """The engine of that name. Raises SpecInvalid that names those there are."""
    if name not in engines:
        raise SpecInvalid(f"There is no AutoML engine '{name}'", hint=f"Choose one of: {', '.join(sorted(engines))}")
    return engines[name]


def local_executor(compute: Compute, spec: TrainingSpec) -> Executor:
    """The executor that `compute` names, with its threads and memory. Raises SpecInvalid where Ray cannot be used."""
    # Imported when used, as below: most kinds of job train nothing.
    from core.ml.trial import train

    if compute.executor is ExecutorKind.IN_PROCESS:
        return InProcessExecutor(train, threads=compute.threads)
    threads, memory_mb = compute.threads, compute.memory_mb
    slots = min(spec.max_concurrent_trials, threads)
    if compute.executor is ExecutorKind.RAY:
        from core.local.worker.ray_executor import RayExecutor

        return RayExecutor(train, threads=threads, memory_mb=memory_mb, slots=slots, address=compute.ray_address)
    from core.local.worker.executors import ProcessExecutor

    wanted = libraries(spec.algorithms)
    return ProcessExecutor(train, threads=threads, memory_mb=memory_mb, slots=slots, libraries=wanted)


def write_model(folder: Path, result: SearchResult, **facts: Any) -> None:
    """`core.packaging.write.write_model`."""
    from core.packaging import write

    write.write_model(folder, result, **facts)


@dataclass(frozen=True, slots=True)
class Tools:
    """The seams for another engine, another place to run trials, another packaging."""

    engines: Callable[[str], Search] = engine_named
    executors: Callable[[Compute, TrainingSpec], Executor] = local_executor
    package: Package = write_model
