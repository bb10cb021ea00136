"""Kill -9 at instants drawn by seed while pipeline runs go on, and what must be true of every run afterwards."""

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import living
import own_steps
import psutil
from local_world import World
from waiting import wait_until

from core.definitions.advance import awaited
from core.domain.job import JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.run import StepSpec, StepState
from core.local.machine import processes
from core.local.machine.processes import Process
from core.local.workspace import open_local

KINDS = ("service", "step", "machine")
DEATHS_MAX = 2
"""Of one job by us: the third in a row without progress would end it, and rightly so."""
LEDGER = """\
import os, sys, time

def note(what):
    line = f"{os.environ['SLIPWAY_STEP']} {what} {time.time()}\\n".encode()
    ledger = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(ledger, line)
    os.close(ledger)

note("begin")
print("at work", flush=True)
time.sleep(float(sys.argv[2]))
note("end")
print("done", flush=True)
"""


@dataclass
class Storm:
    """Runs of one pipeline in a world with a real service, and a sky that strikes at them."""

    world: World
    folder: Path
    seed: int
    going: int = 1
    """So many runs go on at any strike."""
    runs: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    service: Process | None = None

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        sys.stdout.write(f"storm: seed {self.seed}\n")
        table = self.folder / "people.csv"
        table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
        self.ledger = self.folder / "ledger.txt"
        self.workspace = open_local(self.world.settings)
        spec = PipelineSpec(
            "storm",
            (
                self.command("a", 0.1),
                self.command("b", 0.4, "a"),
                PipelineStep("prepare", StepKind.PREPARE, ("a",), {"data": str(table)}, allow_reuse=False),
                PipelineStep(
                    "train", StepKind.AUTOML, ("prepare",), {"target": "y", "max_trials": 2}, allow_reuse=False
                ),
                PipelineStep("register", StepKind.REGISTER, ("train",), {"model": "m"}),
                self.command("last", 0.1, "b", "register"),
            ),
        )
        self.pipeline = self.workspace.pipelines.publish(spec)
        self.start()

    def command(self, name: str, seconds: float, *needs: str) -> PipelineStep:
        words = (str(self.folder / "ledger.txt"), str(seconds))
        return own_steps.command(self.world, LEDGER, *words, name=name, needs=needs, allow_reuse=False)

    def start(self) -> None:
        self.service = self.world.start_service()

    def strike(self, kind: str) -> None:
        """Kill, in the midst of the operation, one process of the kind, or all there are."""
        time.sleep(self.draw.uniform(0.0, 0.7))
        at_work = wait_until(self.busy, 60)
        match kind:
            case "step":
                job_id, process = self.draw.choice(sorted(at_work.items()))
                self.deaths[job_id] += 1
                _kill(process)
            case "service":
                assert self.service is not None
                assert processes.alive(self.service)
                _kill(self.service)
            case _:
                self.kill_all()
        self.struck[kind] += 1
        assert any(not self.workspace.jobs.get(run_id).state.final for run_id in self.runs), "mid-operation"
        if kind != "step":
            self.start()

    def busy(self) -> dict[str, Process]:
        """Who is at work; the last run may have ended a moment ago."""
        self.keep_going()
        return self.at_work()

    def keep_going(self) -> None:
        """As many runs go on as must at a strike."""
        going = sum(not self.workspace.jobs.get(run_id).state.final for run_id in self.runs)
        for _ in range(self.going - going):
            self.runs.append(self.workspace.pipelines.trigger(self.pipeline.id, "storm").id)

    def at_work(self) -> dict[str, Process]:
        """The living workers of steps that run, and of trainings that steps wait for, by job."""
        found = {}
        for run_id in self.runs:
            for step in self.workspace.pipelines.get_run(run_id).steps:
                if step.state is not StepState.RUNNING or self.deaths[awaited(step)] >= DEATHS_MAX:
                    continue
                worker = self.world.store.jobs.worker(awaited(step))
                if worker is not None and worker.pid > 0 and processes.alive(worker):
                    found[awaited(step)] = worker
        return found

    def kill_all(self) -> None:
        """As a machine that loses its power."""
        while everybody := living.alive_in(self.world.settings.home):
            for process in everybody:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(everybody, timeout=10)

    def calm(self) -> None:
        """Wait for every run, and look at all that is left."""
        wait_until(lambda: all(self.workspace.jobs.get(run_id).state.final for run_id in self.runs), 120)
        for run_id in self.runs:
            self.check_run(run_id)
        models = [model for model in self.world.store.models.list() if model.name == "m"]
        assert sorted(model.version for model in models) == list(range(1, len(self.runs) + 1))
        assert [asset.version for asset in self.world.store.data.list() if asset.name == "people"] == [1]
        listed = self.workspace.pipelines.list_runs(limit=1000)
        assert sorted(run.number for run in listed) == list(range(1, len(self.runs) + 1))
        assert {run.steps_done for run in listed} == {len(self.pipeline.spec.steps)}

    def check_run(self, run_id: str) -> None:
        run = self.workspace.pipelines.get_run(run_id)
        assert (run.state, run.message) == (JobState.SUCCEEDED, ""), (self.seed, run)
        assert {step.state for step in run.steps} == {StepState.SUCCEEDED}, (self.seed, run)
        steps = [job for job in self.world.store.jobs.list(JobKind.STEP, 0) if job.parent_id == run_id]
        assert Counter(job.spec.step for job in steps if isinstance(job.spec, StepSpec)) == {
            step.name: 1 for step in run.steps
        }
        trainings = [job for job in self.world.store.jobs.list(JobKind.AUTOML, 0) if job.parent_id in _ids(steps)]
        assert [job.id for job in trainings] == [step.started_job_id for step in run.steps if step.started_job_id]
        notes = self.notes()
        for step in run.steps:
            if step.kind is not StepKind.COMMAND:
                continue
            ended_at = step.ended_at or 0.0
            said = notes[step.job_id]
            assert [what for what, _ in said].count("end") >= 1, (self.seed, step)
            assert all(at <= ended_at for what, at in said if what == "begin"), "a step that was done began again"
            assert "done" in [line.text for line in self.workspace.pipelines.step_log(run_id, step.name)]

    def notes(self) -> dict[str, list[tuple[str, float]]]:
        found: dict[str, list[tuple[str, float]]] = {}
        for line in self.ledger.read_text().splitlines():
            job_id, what, at = line.split()
            found.setdefault(job_id, []).append((what, float(at)))
        return found


def _ids(jobs: list) -> set[str]:
    return {job.id for job in jobs}


def _kill(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(process), 10)
