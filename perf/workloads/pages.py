"""How long a page takes to be drawn again, over a workspace that holds the Bank Marketing lifecycle.

The page runs as it does behind the browser, through `app.py` and its navigation, without the server between them. No
service runs: the store says that this process is one, and what would start another does nothing.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from perf.workloads import specs
from perf.workloads.kept import open_home, write_requests
from perf.workloads.moved import by_noun, local_workspace, model_folder
from perf.workloads.places import checkout, copy_of, remove
from perf.workloads.stores import opened, verbs
from perf.workloads.workload import Inputs, Prepared, Workload

BACKEND = "perf"
BARE = "streamlit.runtime.scriptrunner_utils.script_run_context"
"""It warns of every run that has no server, which is what is wanted here."""
REQUESTS, RATE_PER_S = 20_000, 10.0
LOG = """\
{"at":%f,"level":"info","event":"listening on 127.0.0.1:8701, 1 worker"}
{"at":%f,"level":"info","event":"deployment v3: bank-marketing:3 loaded in 0.09 s"}
"""
TIMEOUT_S = 60.0
PAGES: Mapping[str, str] = {
    "home": "Home",
    "explore": "Explore",
    "leaderboard": "Leaderboard",
    "deploy": "Deploy",
    "monitor": "Monitor",
    "pipelines": "Pipelines",
    "quality": "Quality",
}
GROWS_WITH: Mapping[str, str] = {
    "home": "jobs, endpoints and models shown",
    "explore": "columns",
    "leaderboard": "trials",
    "deploy": "columns, deployments",
    "monitor": "requests in the window",
    "pipelines": "runs shown, steps",
    "quality": "checks of a report, reports",
}


def quiet_workspace(settings: Any, **told: bool) -> Any:
    """The local workspace, but for starting a service: what `BACKENDS` names here.

    `told` is what an app says when it opens one (`confined`); earlier ones said nothing.
    """
    opened = local_workspace(settings, **told)
    service = by_noun(opened).service
    if opened is by_noun(opened):
        service.start = service.status
    else:
        opened.service_start = service.status
    return opened


def _fill(home: Path, inputs: Inputs) -> None:
    """Everything of the story in `tests/bank_story.py` that a store can hold, as if it had just happened."""
    from bank_story import REF, fill
    from fakes import FakeWorkspace

    from core.local.paths import Paths

    workspace, now = open_home(home, time.time), time.time()
    workspace.data.register(REF.name, str(inputs.table))
    story, paths = fill(FakeWorkspace(workspace.settings), now), Paths(home)
    model = story.models[0]
    folder = shutil.copytree(inputs.single, model_folder(paths, model))
    if hasattr(model, "folder"):  # a model told where it lies, until a workspace could be moved
        model = replace(model, folder=str(folder))
    with opened(home) as store:
        for version in range(1, model.version):
            store.models.add(replace(model, job_id=f"earlier-{version}"))
        store.models.add(model)
        _fill_endpoint(store, story)
        _fill_jobs(store, story)
        _fill_pipelines(store, story)
    name = story.endpoints[0].name
    write_requests(paths.telemetry(name), REQUESTS, now, RATE_PER_S, "v3")
    paths.endpoint_log(name).write_text(LOG % (now - 280, now - 279), "utf-8")


def _fill_endpoint(store: Any, story: Any) -> None:
    """The endpoint, ready, with one deployment whose gate has passed and that has all traffic."""
    from core.domain.endpoint import DeploymentSpec, DeploymentState, EndpointKeys, EndpointSpec, EndpointState
    from core.domain.job import JobKind, JobState

    endpoint = story.endpoints[0]
    deployment = endpoint.deployments[0]
    store.endpoints.add(
        EndpointSpec(endpoint.name),
        urlsplit(endpoint.scoring_uri).port,
        EndpointKeys("one", "two"),
        endpoint.created_at,
    )
    gate = next(job for job in story.jobs if job.kind is JobKind.GATE)
    spec = DeploymentSpec(endpoint.name, deployment.model, deployment.model_version, deployment.name)
    verbs().deploy(store, spec, replace(gate, state=JobState.QUEUED), deployment.created_at)
    store.jobs.start_attempt(gate.id, gate.started_at)
    verbs().end_gate(store, gate.id, story.gates[0], gate.ended_at)
    store.deployments.observe(endpoint.name, deployment.name, DeploymentState.READY)
    store.endpoints.observe(endpoint.name, EndpointState.READY)
    store.endpoints.observe_version(endpoint.name, store.endpoints.version(endpoint.name))
    for report in story.loads:
        store.proofs.add_load_report(report)


def _fill_jobs(store: Any, story: Any) -> None:
    from core.domain.job import JobKind, JobState

    for job in (job for job in reversed(story.jobs) if job.kind is JobKind.AUTOML):
        store.jobs.add(replace(job, state=JobState.QUEUED))
        for trial in story.job_trials[job.id]:
            store.trials.put(job.id, trial)
        _run(store, job)


def _fill_pipelines(store: Any, story: Any) -> None:
    from core.domain.job import Job, JobKind, JobState

    published = story.published[0]
    verbs().publish(store, published.id, published.spec, published.created_at)
    for run in reversed(story.runs):
        spec = specs.run(published.id, published.name)
        job = Job(run.id, JobKind.PIPELINE, run.state, run.experiment_name, "local", spec, run.created_at)
        job = replace(job, started_at=run.created_at, ended_at=run.ended_at)
        verbs().start_run(store, replace(job, state=JobState.QUEUED), run.steps)
        _run(store, job)


def _run(store: Any, job: Any) -> None:
    """Bring a stored job to where the story has it."""
    from core.domain.job import JobState

    if job.state is not JobState.QUEUED:
        store.jobs.start_attempt(job.id, job.started_at)
    if job.state.final:
        store.jobs.end(job.id, job.state, job.ended_at, result=job.result)


def _say_that_it_runs(home: Path) -> None:
    """Make the store name this process as its service, so that pages draw what they draw on a good day."""
    from core.local.machine.processes import this_process

    me = this_process()
    facts = {"service_url": "http://127.0.0.1:9", "service_started": time.time(), "service_pid": me.pid}
    with opened(home) as store:
        for name, value in {**facts, "service_since_boot_s": me.started}.items():
            store.facts.set(name, str(value))


def visit(home: Path, file: str, query: Mapping[str, str]) -> "_Visit":
    """One visitor of a page over the workspace in `home`; each call draws the page once more. `leave` ends it."""
    from streamlit.testing.v1 import AppTest

    from core import workspace

    logging.getLogger(BARE).disabled = True
    _say_that_it_runs(home)
    workspace.BACKENDS[BACKEND] = (f"{__name__}:quiet_workspace", "")  # type: ignore[index]
    app = AppTest.from_file(str(checkout() / "app.py"), default_timeout=TIMEOUT_S)
    once = _Visit(app, home)
    once()
    app.switch_page(f"pages/{file}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return once


def check(file: str, drawn: Any) -> None:
    """The page was drawn without an error."""
    assert [error.value for error in (*drawn.exception, *drawn.error)] == []
    assert [heading.value for heading in drawn.title] == [PAGES[file]]


def _page(file: str) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        home = copy_of(inputs, "pages", partial(_fill, inputs=inputs))

        def done() -> None:
            leave()
            remove(home)

        return Prepared(visit(home, file, {}), partial(check, file), done)

    return prepare


class _Visit:
    """One rerun after the other of one visitor's page, in a workspace of its own."""

    def __init__(self, app: Any, home: Path) -> None:
        self._app = app
        self._environment = {"SLIPWAY_HOME": str(home), "SLIPWAY_WORKSPACE": BACKEND}

    def __call__(self) -> Any:
        os.environ.update(self._environment)
        with _as_measured():
            return self._app.run()


class _CachesClock:
    """Monotonic time, s, in which all visits are a minute apart."""

    visits = 0

    def __call__(self) -> float:
        return time.monotonic() + 60 * self.visits


CACHES_CLOCK = _CachesClock()
"""One for all copies: a cache keeps the clock of who uses it first, and revisions share those that did not change."""


@contextmanager
def _as_measured() -> Iterator[None]:
    """`AppTest`, but for three things that make a run's time another one than a visitor's.

    - A run goes through `app.py`, as in a server whose first run has declared the navigation. `AppTest` makes Streamlit
      forget that before every run, since a test may be the first one; a folder `pages/` then sends each run to the
      page's file alone. Here it forgets on a class that nobody reads.
    - A run happens in the thread that asks for it. `AppTest` starts one, asks every millisecond whether it has ended,
      and takes the interpreter from it each time: two runs of a page that takes 13 ms differed by 45 % so.
    - A run finds that what caches keep for seconds has expired. Else a run in some pays for all of them: the Monitor
      page took 130 ms, or 170.
    """
    from streamlit.runtime.caching import cache_utils
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.testing.v1 import app_test, local_script_runner

    class Reset(PagesManager):
        pass

    class InThisThread(local_script_runner.LocalScriptRunner):
        def start(self) -> None:
            self._script_thread = threading.current_thread()
            try:
                self._run_script_thread()
            finally:
                self._script_thread = None

    def ended(runner: Any, timeout: float) -> None:
        assert runner.script_stopped()

    CACHES_CLOCK.visits += 1
    with ExitStack() as stack:
        for owner, name, value in (
            (PagesManager, "uses_pages_directory", False),
            (app_test, "PagesManager", Reset),
            (app_test, "LocalScriptRunner", InThisThread),
            (local_script_runner, "require_widgets_deltas", ended),
            (cache_utils, "TTLCACHE_TIMER", CACHES_CLOCK),
        ):
            stack.enter_context(patch.object(owner, name, value))
        yield


def leave() -> None:
    """Forget the workspace that was visited."""
    from core import workspace

    workspace.BACKENDS.pop(BACKEND, None)  # type: ignore[attr-defined]
    for name in ("SLIPWAY_HOME", "SLIPWAY_WORKSPACE"):
        os.environ.pop(name, None)


WORKLOADS = tuple(Workload(f"page rerun, {PAGES[file]}", GROWS_WITH[file], _page(file)) for file in PAGES)
