"""One job to its end: `python -m core.local.worker JOB`.

The service starts it, and starts it again when it dies. It may be killed at any moment, also to cancel the job: what is
done is on the disk, and the next attempt goes on from there.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from core.domain.errors import SlipwayError, StorageFull
from core.domain.job import BUG_HINT, Job, JobKind, JobResult, JobState
from core.durable import storage_error
from core.local.machine.failpoints import Failpoint, reach
from core.local.machine.locks import held
from core.local.machine.processes import this_process
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.kinds import KINDS, Doing
from core.local.worker.tools import Tools
from core.local.worker.work import JobLog, Work
from core.settings import Settings, read_settings
from core.workspace import Workspace

log = logging.getLogger(__name__)

Run = Callable[[Work, Any], JobResult | None]
"""Does a job by its spec and gives its result; None when it has ended its job itself, in one transaction with what it
leaves."""

TOOLS = Tools()
LOCK_WAIT_S = 5.0
"""A worker before us may have been killed a moment ago."""


def run_job(
    job_id: str,
    workspace: Workspace,
    *,
    tools: Tools = TOOLS,
    kinds: Mapping[JobKind, Doing] = KINDS,
    clock: Callable[[], float] = time.time,
) -> int:
    """Do a job of a workspace on this machine, whose state is `running`, and give it its final state.

    Gives the process's exit code.

    A failure that we can explain, and a bug too, are the job's end. Raises StorageFull when not even that can be kept.
    """
    paths = Paths(workspace.settings.home)
    with held(paths.job(job_id) / "lock", LOCK_WAIT_S) as ours:
        store = Store(paths.store)
        job = store.jobs.get(job_id)
        if not ours or job.state is not JobState.RUNNING:
            log.warning("nothing to do for job %s: %s", job_id, job.state if ours else "another worker has it")
            return 0
        store.jobs.set_worker(job_id, this_process())
        with JobLog(paths.job_log(job_id), clock) as job_log:
            work = Work(job, workspace, store, paths, clock, job_log, tools)
            return _end(work, lambda: _loaded(kinds[job.kind].run)(work, job.spec))


def _loaded(path: str) -> Run:
    module, _, name = path.partition(":")
    run: Run = getattr(import_module(module), name)
    return run


def _end(work: Work, run: Callable[[], JobResult | None]) -> int:
    job = work.job
    work.log.info(f"Attempt {job.attempt} begins" if job.attempt > 1 else "The job begins")
    try:
        result = run()
    except SlipwayError as e:
        return _failed(work, job, e.message, e.hint)
    except Exception as e:
        if isinstance(e, OSError) and isinstance(full := storage_error(e, f"go on with job {job.id}"), StorageFull):
            return _failed(work, job, full.message, full.hint)
        log.exception("a bug in job %s", job.id)
        return _failed(work, job, f"{type(e).__name__}: {e}", BUG_HINT)
    if result is not None:
        reach(Failpoint.JOB_DONE)
        work.store.jobs.end(job.id, JobState.SUCCEEDED, work.clock(), result=result)
    work.log.info("The job has succeeded")
    return 0


def _failed(work: Work, job: Job, message: str, hint: str) -> int:
    work.store.jobs.end(job.id, JobState.FAILED, work.clock(), message=message, hint=hint)
    work.log.error(message)
    return 1


def main(
    arguments: list[str],
    opened: Callable[[Settings], Workspace],
    *,
    tools: Tools = TOOLS,
    kinds: Mapping[JobKind, Doing] = KINDS,
) -> int:
    """Run the job that the first argument names in the workspace that the environment names, as `opened` opens it."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m core.local.worker JOB\n")
        return 2
    return run_job(arguments[0], opened(read_settings(os.environ)), tools=tools, kinds=kinds)
