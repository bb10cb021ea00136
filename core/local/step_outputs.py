"""What the steps of a run leave to be read: their logs, and the files that they give."""

import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from core.definitions.graph import outputs_of
from core.domain.errors import Conflict, JobNotFound
from core.domain.job import Job, LogLine
from core.domain.pipeline import ValueType
from core.domain.run import PipelineRun, StepRun, StepSpec
from core.durable import make_folder, storage_error
from core.local.context import Context
from core.local.machine.logs import job_log


def read_log(context: Context, run: PipelineRun, step: str, limit: int) -> tuple[LogLine, ...]:
    """The last lines of all attempts at a step, each followed by the training or the gate that it started.

    Raises JobNotFound.
    """
    lines: list[LogLine] = []
    for job in reversed(_jobs(context, run.id, _step(run, step))):
        lines[:0] = job_log(context.paths.job_log(job.id), limit - len(lines))
        if len(lines) == limit:
            break
    return tuple(lines)


def open_file(context: Context, run: PipelineRun, step: str, output: str) -> BinaryIO:
    """A file that a step gave, a folder as a tar archive. Raises JobNotFound, Conflict."""
    found = _step(run, step)
    declared = outputs_of(run.spec.step(step)) if run.spec else {}
    if (kind := declared.get(output)) is None:
        raise JobNotFound(f"Step '{step}' has no output '{output}'", hint=f"It has: {', '.join(declared) or 'none'}")
    if kind is not ValueType.FILE:
        raise Conflict(f"Output '{output}' of step '{step}' is no file but {kind}", hint="It stands in the run itself")
    if output not in found.outputs:
        raise Conflict(f"Step '{step}' is {found.state} and has given no '{output}'")
    path = context.paths.step_file(str(found.outputs[output]))
    try:
        return _archive(context, path) if path.is_dir() else path.open("rb")
    except FileNotFoundError as e:
        raise Conflict(
            f"Output '{output}' of step '{step}' is no longer kept",
            hint="Run the pipeline again; SLIPWAY_STEP_OUTPUTS_MAX_MB and SLIPWAY_RUNS_MAX_DAYS say what is kept",
        ) from e


def _step(run: PipelineRun, name: str) -> StepRun:
    for step in run.steps:
        if step.name == name:
            return step
    names = ", ".join(step.name for step in run.steps)
    raise JobNotFound(f"Run '{run.id}' has no step '{name}'", hint=f"Its steps are: {names}")


def _jobs(context: Context, run_id: str, step: StepRun) -> list[Job]:
    """The attempts at a step, oldest first, each with what it has started; those of who made what it reuses."""
    children = context.store.jobs.children(run_id)
    attempts = [job for job in children if isinstance(job.spec, StepSpec) and job.spec.step == step.name]
    if step.job_id and step.job_id not in {job.id for job in attempts}:
        with suppress(JobNotFound):  # removed when its run grew too old
            attempts.insert(0, context.store.jobs.get(step.job_id))
    return [each for job in attempts for each in (job, *context.store.jobs.children(job.id))]


def _archive(context: Context, folder: Path) -> BinaryIO:
    """The folder's files in an archive that is gone once it is closed. Raises StorageFull."""
    try:
        make_folder(context.paths.incoming)
        made = TemporaryFile(dir=context.paths.incoming)  # noqa: SIM115 - the caller closes it
        with tarfile.open(fileobj=made, mode="w") as archive:
            archive.add(folder, arcname=folder.name)
        made.seek(0)
    except FileNotFoundError:
        raise
    except OSError as e:
        raise storage_error(e, f"pack {folder.name}") from e
    return cast(BinaryIO, made)
