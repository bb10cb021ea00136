"""Who does the work of a run, by its kind: how far it has come, and how it is asked to end."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.emulator.emulation import Emulation
from core.emulator.endpoints import batch_work
from core.emulator.jobs import automl, command, pipeline, runs
from core.emulator.jobs.runs import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What can be done with the runs of one kind."""

    begin: Callable[[Emulation, Run], Run]
    """Start what has not been started; it may take a while."""
    advance: Callable[[Emulation, Run], Run]
    """Look how far it has come; quick."""
    finish: Callable[[Emulation, Run], Run]
    """Do what is left to do once it has ended; it may take a while."""
    cancel: Callable[[Emulation, Run], Run]


WORK: Mapping[str, Work] = {
    "automl": Work(
        lambda emulation, run: automl.begin(emulation, run, run.local["task"]),
        automl.advance,
        automl.finish,
        automl.cancel,
    ),
    "command": Work(command.begin, command.advance, command.finish, command.cancel),
    "pipeline": Work(
        pipeline.begin,
        lambda emulation, run: pipeline.advance(emulation, run, cancel),
        lambda emulation, run: run,
        lambda emulation, run: pipeline.cancel_all(emulation, run, cancel),
    ),
    batch_work.KIND: Work(batch_work.begin, batch_work.advance, batch_work.finish, batch_work.cancel),
}


def advanced(emulation: Emulation, run: Run) -> Run:
    """A run as it is now."""
    work = WORK.get(run.kind)
    return run if work is None or run.final else work.advance(emulation, run)


def cancel(emulation: Emulation, run: Run) -> Run:
    """Ask a run to end; a final one is left as it is."""
    work = WORK.get(run.kind)
    if run.final:
        return run
    if work is None:
        return runs.ended(emulation, run.id, "Canceled")
    return work.cancel(emulation, run)


def look_after(emulation: Emulation) -> None:
    """Begin, watch and end whatever has not ended; one that cannot be looked after has failed."""
    for run in runs.unfinished(emulation, *WORK):
        try:
            _step(emulation, run)
        except Exception as e:
            log.exception("Run %s", run.id)
            runs.ended(emulation, run.id, "Failed", {"code": "InternalServerError", "message": f"A bug: {e}"})


def _step(emulation: Emulation, run: Run) -> None:
    work = WORK[run.kind]
    waits = run.status == "Queued" and not run.local.keys() & {"process", "job"}
    if run.status in ("NotStarted", "Preparing") or waits:
        work.begin(emulation, run)
        return
    if work.advance(emulation, run).status == "Finalizing":
        work.finish(emulation, runs.get(emulation, run.id))
