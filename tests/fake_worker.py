"""The worker with an engine that only waits: `python tests/fake_worker.py JOB`.

The engine's name says how it behaves: `fake`, `fake:each_s=0.5`, `fake:dies_at=1` (kills its own process in that
trial, each time), `fake:bug`, `fake:hangs` (in a process of a trial). A file `enough` in the job's folder ends the
search. A gate passes at once, a batch is `piecemeal`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from msgspec import json

from core.contract.signature import to_json
from core.domain.batch import BatchResult, BatchSpec
from core.domain.data import ColumnKind, DataAsset, TableProfile
from core.domain.endpoint import GateBudget
from core.domain.job import JobKind
from core.domain.proof import GateReport, GateSpec
from core.domain.signature import Column, Signature
from core.domain.training import TrainingSpec, Trial, TrialState
from core.durable import write_atomic
from core.local.store import transactions
from core.local.worker.executors import ProcessExecutor
from core.local.worker.kinds import KINDS, Doing
from core.local.worker.run import main
from core.local.worker.tools import Tools
from core.local.worker.work import Work
from core.local.workspace import open_local
from core.ml.executor import Executor, GivenUp, InProcessExecutor, nobody
from core.ml.finished import FinishedTrial, commit, record, stage
from core.ml.search import SearchResult
from core.ml.trial import train

SIGNATURE = Signature((Column("age", ColumnKind.INTEGER, nullable=False, typical=40),), "y", ("no", "yes"), "yes")


class FakeEngine:
    """Trials that wait `each_s` seconds and get better with their number."""

    def __init__(self, name: str) -> None:
        options = dict(part.partition("=")[::2] for part in name.partition(":")[2].split(",") if part)
        self.each_s = float(options.get("each_s", 0.0))
        self.dies_at = int(options.get("dies_at", -1))
        self.bug, self.hangs = "bug" in options, "hangs" in options

    def __call__(
        self,
        table: Path,
        spec: TrainingSpec,
        profile: TableProfile,
        *,
        folder: Path,
        executor: Executor,
        finished: Iterable[FinishedTrial] = (),
        clock: Callable[[], float],
        on_trial: Callable[[Trial], None],
        should_stop: Callable[[], bool],
        time_used_s: float = 0.0,
        validation: Path | None = None,
        given_up: GivenUp = nobody,
    ) -> SearchResult:
        if self.bug:
            raise ZeroDivisionError("a planted bug")
        if self.hangs:
            sys.path.append(str(Path(__file__).parent))  # a worker looks for nothing where its script lies
            import trial_doubles

            hanging = ProcessExecutor(trial_doubles.hang, threads=1, memory_mb=4096)
            list(hanging.run([trial_doubles.task(0, folder)], should_stop))
        done = {f.trial.number: f.trial for f in finished}
        for number in (n for n in range(spec.max_trials) if n not in done):
            trial = Trial(number, "Fake", TrialState.RUNNING, started_at=clock())
            on_trial(trial)
            if number == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self.each_s)
            done[number] = replace(trial, state=TrialState.SUCCEEDED, metrics={"AUC_weighted": 0.5 + number / 1000})
            staged = stage(folder / str(number))
            record(staged, FinishedTrial(done[number], folder / str(number)))
            commit(staged, folder / str(number))
            on_trial(done[number])
            if (folder.parent / "enough").exists():
                break
        best = done[max(done)]
        return SearchResult(best, ((best.number, 1.0),), SIGNATURE, (), ("It only waits.",), folder)


def package(
    folder: Path, result: SearchResult, *, spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
) -> None:
    """As much of a model folder as registering one reads."""
    card = {"trial": result.best.number, "algorithm": result.best.algorithm, "metrics": result.best.metrics}
    write_atomic(folder / "signature.json", json.encode(to_json(result.signature)))
    write_atomic(folder / "card.json", json.encode(card))


def gate(work: Work, spec: GateSpec) -> None:
    """A gate without checks passes."""
    now = work.clock()
    report = GateReport(work.job.id, spec.endpoint, spec.deployment, "fake:1", (), GateBudget(), "default", now, 0.0)
    transactions.end_gate(work.store, work.job.id, report, now)


def piecemeal(work: Work, spec: BatchSpec) -> BatchResult:
    """A batch that dies in each attempt until it has as many pieces as its version says.

    One of the table `goes on` makes one more before it dies.
    """
    chunks = work.folder / "chunks"
    chunks.mkdir(exist_ok=True)
    done = len(list(chunks.iterdir()))
    if done < spec.data_version:
        if spec.data == "goes on":
            write_atomic(chunks / f"{done}.json", b"{}")
        os.kill(os.getpid(), signal.SIGKILL)
    return BatchResult(done, done, 0)


FAKES = {JobKind.GATE: Doing("fake_worker:gate"), JobKind.BATCH: Doing("fake_worker:piecemeal")}


def work(arguments: list[str]) -> int:
    """As the worker's own `main`, over the fakes."""
    tools = Tools(engines=FakeEngine, executors=lambda _, __: InProcessExecutor(train), package=package)
    return main(arguments, open_local, tools=tools, kinds={**KINDS, **FAKES})


if __name__ == "__main__":
    sys.modules["fake_worker"] = sys.modules["__main__"]
    sys.exit(work(sys.argv[1:]))
