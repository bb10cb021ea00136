"""One job of this machine to its end: `python -m core.azure.runner JOB`.

It may be killed at any moment: what it has done is on the disk, and the next attempt goes on from there or begins anew.
"""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from types import FrameType
from typing import Any

from core.azure.context import Context
from core.azure.work import JobLog, Work
from core.azure.workspace import open_azure
from core.domain.errors import SlipwayError
from core.domain.job import BUG_HINT, Job, JobKind, JobResult, JobState
from core.settings import read_settings

KINDS: Mapping[JobKind, str] = {
    JobKind.GATE: "core.azure.gating:run",
    JobKind.LOADTEST: "core.azure.driving:run",
    JobKind.BATCH: "core.azure.batching:run",
}
"""Kind of job -> `module:function`, loaded when needed: a load test needs no checks."""
Run = Callable[[Work, Any], JobResult]


class Canceled(BaseException):
    """Somebody has asked this job to end."""


def run_job(job_id: str, context: Context, kinds: Mapping[JobKind, str] = KINDS) -> int:
    """Do a job and give it its final state; the process's exit code. Nothing is done where another process does it."""
    here = context.here
    with here.held(job_id) as ours:
        job = here.read(job_id)
        if not ours or job.state.final:
            return 0
        work = Work(
            job, open_azure(context.settings), context, here, here.folder(job_id),
            JobLog(here.folder(job_id) / "log.jsonl", context.clock),
        )  # fmt: skip
        try:
            with here.turn():  # gates and load tests measure: one at a time
                return _end(work, kinds)
        except Canceled:
            here.end(here.read(job_id), JobState.CANCELED)
            work.log.info("The job was canceled")
            return 0


def _end(work: Work, kinds: Mapping[JobKind, str]) -> int:
    here = work.here
    job = replace(work.job, state=JobState.RUNNING, started_at=work.clock(), attempt=work.job.attempt + 1)
    here.write(job)
    work.log.info(f"Attempt {job.attempt} begins" if job.attempt > 1 else "The job begins")
    try:
        result = _loaded(kinds[job.kind])(replace(work, job=job), job.spec)
    except SlipwayError as e:
        return _failed(work, job, e.message, e.hint)
    except Exception as e:  # noqa: BLE001  # a bug is the job's end too, and its traceback is in the log
        work.log.error(traceback.format_exc())
        return _failed(work, job, f"{type(e).__name__}: {e}", BUG_HINT)
    here.end(job, JobState.SUCCEEDED, result=result)
    work.log.info("The job has succeeded")
    return 0


def _failed(work: Work, job: Job, message: str, hint: str) -> int:
    work.here.end(job, JobState.FAILED, message, hint)
    work.log.error(message)
    return 1


def _loaded(path: str) -> Run:
    module, _, name = path.partition(":")
    run: Run = getattr(import_module(module), name)
    return run


def _asked_to_end(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Canceled


def main(arguments: list[str]) -> int:
    """Run the job that the first argument names, in the workspace that the environment names."""
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m core.azure.runner JOB\n")
        return 2
    signal.signal(signal.SIGTERM, _asked_to_end)
    with suppress(Canceled):  # before anything was begun: whoever asked has ended the job
        return run_job(arguments[0], Context(read_settings(os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
