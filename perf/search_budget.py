"""How well a training keeps its time, and when its first model is there.

    python -m perf.search_budget TABLE.csv TARGET [--jobs] [--budgets 15 60] [--loads 0 2]

Each budget is spent once on a machine as it is, and once beside processes that keep every processor busy. Printed are
seconds: over the budget (below 0: under it), and until the first trial that succeeded; how many did, and the load.
`--jobs` counts as a person does, from the moment a job is submitted to its final state: with the start of its worker,
the last ensemble, the packaged model and its registration. Without it only the engine's own time is counted.
"""

import argparse
import multiprocessing as mp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from core.domain.data import DataRef
from core.domain.training import TrainingSpec, Trial, TrialState
from core.local.worker.executors import ProcessExecutor
from core.ml.data.profile import profile_table
from core.ml.learners.registry import libraries
from core.ml.search import search
from core.ml.trial import train
from core.settings import CHECKOUT, read_settings
from core.workspace import Workspace, open_workspace

MEMORY_MB = 8_000
LOOK_S = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("target")
    parser.add_argument("--budgets", type=float, nargs="+", default=[3, 15, 60])
    parser.add_argument("--loads", type=int, nargs="+", default=[0, os.cpu_count() or 1], help="busy processes beside")
    parser.add_argument("--jobs", action="store_true", help="whole jobs of a service in a workspace of its own")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _measure(asked, Path(folder)) as measured:
        for budget in asked.budgets:
            for load in asked.loads:
                with busy(load):
                    beside = f"{budget:g} s beside {load} busy processes (load average {os.getloadavg()[0]:.1f})"
                    print(f"{beside}: {measured(budget)}", flush=True)


@contextmanager
def _measure(asked: argparse.Namespace, folder: Path) -> Iterator[Callable[[float], str]]:
    """What measures one budget."""
    table = folder / "table.parquet"
    duckdb.sql(f"COPY (FROM read_csv('{asked.table}')) TO '{table}'")
    if not asked.jobs:
        yield partial(_searched, table, asked.target, asked.seed)
        return
    home = folder / "home"
    settings = {"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_SERVICE_PORT": "0"}
    _service("start", settings)
    try:
        workspace = open_workspace(read_settings(settings))
        yield partial(_trained, workspace, workspace.data.register("table", str(asked.table)).ref, asked)
    finally:
        _service("stop", settings)


def _service(verb: str, settings: Mapping[str, str]) -> None:
    line = [sys.executable, "-m", "core", "service", verb]
    subprocess.run(line, cwd=CHECKOUT, env={**os.environ, **settings}, check=True, stdout=subprocess.DEVNULL)


def _trained(workspace: Workspace, data: DataRef, asked: argparse.Namespace, budget: float) -> str:
    """A whole job, from its submission to its final state."""
    spec = TrainingSpec(data, asked.target, timeout_s=budget, seed=asked.seed, model_name="budget")
    job = workspace.jobs.submit(spec)
    while not job.state.final:
        time.sleep(LOOK_S)
        job = workspace.jobs.get(job.id)
    assert job.ended_at is not None
    assert job.started_at is not None
    over = f"over by {job.ended_at - job.created_at - budget:.1f} ({job.started_at - job.created_at:.1f} in the queue)"
    trials = workspace.jobs.trials(job.id)
    ends = [t.started_at + t.duration_s for t in trials if t.state is TrialState.SUCCEEDED and not t.members]
    if not ends:
        return f"{over}, {job.state}: {job.message}"
    cut = sum(t.duration_s for t in trials if t.state is TrialState.STOPPED and not t.error)
    return (
        f"{over}, first model after {min(ends) - job.created_at:.1f}, {len(ends)} trials until "
        f"{max(ends) - job.created_at:.1f}, {cut:.1f} s of trials cut off"
    )


def _searched(table: Path, target: str, seed: int, budget: float) -> str:
    """The engine's part alone."""
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
    return f"over by {took - budget:.1f}, first model after {good[0]:.1f}, {len(good)} trials"


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
