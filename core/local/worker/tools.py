"""What a training job works with on this machine: which engine, where its trials run, who packages what it found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.domain.data import DataAsset
from core.domain.errors import SpecInvalid
from core.domain.training import Compute, TrainingSpec
from core.ml.executor import Executor
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
    """Trials in processes of their own, killable, and limited in threads and memory by `compute`."""
    # Imported when used, as below: most kinds of job train nothing.
    from core.local.worker.executors import ProcessExecutor
    from core.ml.trial import train

    wanted = libraries(spec.algorithms)
    slots = min(spec.max_concurrent_trials, compute.threads)
    return ProcessExecutor(train, threads=compute.threads, memory_mb=compute.memory_mb, slots=slots, libraries=wanted)


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
