"""How well a search keeps its time, and when its first model is there: `python -m perf.search_budget TABLE.csv TARGET`.

Each budget is searched once on a machine as it is, and once beside processes that keep every processor busy. Printed
are seconds: over the budget (below 0: under it), and until the first trial that succeeded; how many did, and the load.
"""

import argparse
import multiprocessing as mp
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from core.domain.data import DataRef
from core.domain.training import TrainingSpec, Trial, TrialState
from core.local.worker.executors import ProcessExecutor
from core.ml.data.profile import profile_table
from core.ml.learners.registry import libraries
from core.ml.search import search
from core.ml.trial import train

MEMORY_MB = 8_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("target")
    parser.add_argument("--budgets", type=float, nargs="+", default=[3, 15, 60])
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        duckdb.sql(f"COPY (FROM read_csv('{asked.table}')) TO '{table}'")
        for budget in asked.budgets:
            for load in (0, os.cpu_count() or 1):
                with busy(load):
                    print(_measured(table, asked.target, budget, asked.seed, load), flush=True)


def _measured(table: Path, target: str, budget: float, seed: int, load: int) -> str:
    profile = profile_table(table, target)
    spec = TrainingSpec(DataRef("table"), target, timeout_s=budget, seed=seed)
    ended, began = list[tuple[float, Trial]](), time.time()
    with tempfile.TemporaryDirectory() as trials:
        executor = ProcessExecutor(
            train, threads=os.cpu_count() or 1, memory_mb=MEMORY_MB, libraries=libraries(spec.algorithms)
        )
        search(
            table,
            spec,
            profile,
            folder=Path(trials),
            executor=executor,
            clock=time.time,
            on_trial=lambda trial: ended.append((time.time() - began, trial)),
            should_stop=lambda: False,
        )
    took = time.time() - began
    good = [at for at, trial in ended if trial.state is TrialState.SUCCEEDED and not trial.members]
    beside = f"{budget:g} s beside {load} busy processes (load average {os.getloadavg()[0]:.1f})"
    return f"{beside}: over by {took - budget:.1f}, first model after {good[0]:.1f}, {len(good)} trials"


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that only compute."""
    running = [mp.get_context("spawn").Process(target=_compute, daemon=True) for _ in range(processes)]
    for process in running:
        process.start()
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.join()


def _compute() -> None:
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()
