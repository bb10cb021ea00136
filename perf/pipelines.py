"""How pipelines bear many runs: `python -m perf.pipelines`.

A workspace with thousands of past runs and one of hundreds of steps: what lists and pages take, what the service spends
on runs that only wait, and what becomes of triggers that all come at once. Times are medians in milliseconds.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from core.domain.job import Job, JobKind, JobState  # noqa: E402
from core.domain.pipeline import PipelineEndpoint, PipelineSpec, PipelineStep, StepKind  # noqa: E402
from core.domain.run import PipelineRunResult, PipelineRunSpec, StepRun, StepState  # noqa: E402
from core.local.machine import ports  # noqa: E402
from core.local.paths import Paths, new_id  # noqa: E402
from core.local.service.door import Door  # noqa: E402
from core.local.service.runs import Runs  # noqa: E402
from core.local.store import Nouns, Store  # noqa: E402
from core.local.store.transactions import add_run  # noqa: E402
from core.local.workspace import open_local  # noqa: E402
from core.settings import Settings, read_settings  # noqa: E402
from core.workspace import Workspace  # noqa: E402

LIMIT_MS = 300.0
"""What is promised of every list and page."""
RUNS, STEPS, TRIGGERS, WAITING = 10_000, 200, 100, 400
PIPELINES = 5
ROUNDS = 7
KEY = "the-key-of-this-measurement"
STATES = (JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


@dataclass(frozen=True)
class Filled:
    """A workspace, and the runs in it that are looked at."""

    workspace: Workspace
    settings: Settings
    published: tuple[PipelineEndpoint, ...]
    wide_run: str
    """The id of the run of many steps."""


def chain(name: str, steps: int) -> PipelineSpec:
    """A pipeline in layers of ten steps, each of which needs one of the layer before."""
    made = [
        PipelineStep(f"s{n}", StepKind.PREPARE, (f"s{n - 10}",) if n >= 10 else (), {"data": "people"})
        for n in range(steps)
    ]
    return PipelineSpec(name, tuple(made))


def fill(home: Path, runs: int, steps: int) -> Filled:
    """So many runs that have ended, of some pipelines, and one of so many steps that goes on."""
    settings = read_settings({}, home=str(home), offline="1")
    workspace, store = open_local(settings), Store(Paths(home).store)
    small = tuple(workspace.pipelines.publish(chain(f"nightly-{n}", 3)) for n in range(PIPELINES))
    wide = workspace.pipelines.publish(chain("wide", steps))
    began = time.time() - 60.0 * runs
    with store.write() as tx:
        for n in range(runs):
            _past(tx, small[n % PIPELINES], STATES[n % len(STATES)], began + 60.0 * n)
        run_id = _past(tx, wide, JobState.RUNNING, time.time())
    store.close()
    return Filled(workspace, settings, (*small, wide), run_id)


def _past(tx: Nouns, pipeline: PipelineEndpoint, state: JobState, at: float) -> str:
    spec = PipelineRunSpec(pipeline.id, pipeline.name, pipeline.version)
    job = Job(new_id(lambda: at), JobKind.PIPELINE, JobState.QUEUED, "perf", "local", spec, at)
    done = StepState.SUCCEEDED if state is JobState.SUCCEEDED else StepState.FAILED
    steps = [
        StepRun(s.name, s.kind, done, 1, new_id(), started_at=at, ended_at=at + 2.0, why="ran: first run of this step")
        for s in pipeline.spec.steps
    ]
    if state is JobState.RUNNING:
        steps[-1] = StepRun(steps[-1].name, steps[-1].kind)
    add_run(tx, job, steps)
    tx.jobs.start_attempt(job.id, at)
    if state.final:
        result = PipelineRunResult() if state is JobState.SUCCEEDED else None
        tx.jobs.end(job.id, state, at + 5.0, message="" if result else "Step 's1' failed: it broke", result=result)
    return job.id


def median_ms(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of some calls, the first of which does not count."""
    act()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def lists(filled: Filled) -> dict[str, float]:
    """Every list and look of the interface."""
    pipelines, first = filled.workspace.pipelines, filled.published[0].name
    older = pipelines.list_runs(limit=200)[-1].id
    looks: dict[str, Callable[[], object]] = {
        "list: pipelines": pipelines.list,
        "list: newest 50 runs": pipelines.list_runs,
        "list: 50 runs of one pipeline": lambda: pipelines.list_runs(first),
        "list: 50 failed runs": lambda: pipelines.list_runs(state=JobState.FAILED),
        "list: 50 runs in a state that none is in": lambda: pipelines.list_runs(state=JobState.QUEUED),
        "list: the page after 200 runs": lambda: pipelines.list_runs(before=older),
        "look: a run of many steps": lambda: pipelines.get_run(filled.wide_run),
        "look: has anything changed": pipelines.revision,
    }
    return {name: median_ms(look) for name, look in looks.items()}


def waits(filled: Filled, waiting: int) -> float:
    """One round of the service, ms of processor time, with so many runs that wait and as many going as may."""
    store = Store(Paths(filled.settings.home).store)
    pipeline = filled.published[0].name
    for _ in range(waiting):
        filled.workspace.pipelines.trigger(pipeline, "perf")
    runs = Runs(store, filled.settings)
    for _ in range(3):
        runs.tick()
    began, rounds = time.process_time(), 200
    for _ in range(rounds):
        runs.tick()
    spent = 1000 * (time.process_time() - began) / rounds
    assert len(store.runs.going()) == filled.settings.runs_max_concurrent
    store.close()
    return spent


@contextmanager
def opened_door(filled: Filled) -> Iterator[tuple[str, int]]:
    """The service's HTTP door over the workspace."""
    listener = ports.listen(0, "a measurement")
    with Door(filled.workspace, KEY, listener, lambda: None):
        yield ports.HOST, listener.getsockname()[1]


def at_once(filled: Filled, triggers: int) -> tuple[Counter[int], float]:
    """So many triggers posted by as many clients in one moment: their answers by status, and the seconds until the
    last."""
    path = f"/pipelines/{filled.published[0].id}"
    body = json.dumps({"ExperimentName": "at-once"})
    together = threading.Barrier(triggers)

    def post(address: tuple[str, int]) -> int:
        connection = http.client.HTTPConnection(*address, timeout=60)
        together.wait()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        assert answer.read(), "an answer says what it is"
        return answer.status

    with opened_door(filled) as address, ThreadPoolExecutor(triggers) as clients:
        began = time.perf_counter()
        statuses = Counter(clients.map(post, [address] * triggers))
        return statuses, time.perf_counter() - began


def pages(filled: Filled) -> dict[str, float]:
    """What the pages that show runs take to be drawn again."""
    from perf.workloads.pages import check, leave, visit

    queries: dict[str, tuple[str, dict[str, str]]] = {
        "page: Pipelines": ("pipelines", {}),
        "page: Pipelines, its runs": ("pipelines", {"view": "Runs"}),
        "page: a run of many steps": ("pipelines", {"run": filled.wide_run}),
        "page: Home": ("home", {}),
    }
    took = {}
    for name, (page, query) in queries.items():
        once = visit(filled.settings.home, page, query)
        try:
            took[name] = median_ms(lambda page=page, once=once: check(page, once()))
        finally:
            leave()
    return took


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and say whether what is promised holds: 0, or 1."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as folder:
        filled = fill(Path(folder) / "home", options.runs, options.steps)
        took = lists(filled) | pages(filled)
        statuses, last_s = at_once(filled, options.triggers)
        spent_ms = waits(filled, options.waiting)
    over = {name: ms for name, ms in took.items() if ms > LIMIT_MS}
    lines = [f"{options.runs:,} past runs, {options.steps} steps in one", "| what | ms |", "|---|---:|"]
    lines += [f"| {name} | {ms:.1f} |" for name, ms in took.items()]
    lines += [
        f"| one round of the service, {options.waiting} runs waiting (processor time) | {spent_ms:.2f} |",
        "",
        f"{options.triggers} triggers at once: {dict(statuses)} by status, the last after {last_s:.2f} s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    if over:
        sys.stderr.write(f"Above {LIMIT_MS:g} ms: {', '.join(over)}\n")
    return 1 if over or set(statuses) - {200, 429} else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m perf.pipelines", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--triggers", type=int, default=TRIGGERS)
    parser.add_argument("--waiting", type=int, default=WAITING)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
