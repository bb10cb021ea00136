"""Named places where a test may have this very process killed: `kill -9` at a known step instead of by luck.

Off unless `SLIPWAY_FAILPOINTS` names a folder; the service hands the variable on to its workers. In that folder a file
with a point's name arms it: whoever reaches the point next removes the file and kills itself with SIGKILL, with nothing
flushed and nobody told, as the kernel does when memory runs out. One file is one death, so the next attempt passes. A
number in the file asks for the n-th time that one process reaches the point: `arm(folder, Failpoint.BATCH_SWEPT, 2)`.
"""

import os
import signal
from collections import Counter
from enum import StrEnum
from pathlib import Path

VARIABLE = "SLIPWAY_FAILPOINTS"


class Failpoint(StrEnum):
    """Every point, by the job's kind and what has just happened."""

    JOB_DONE = "job.done"
    """Any job: its work is done, its row does not say so yet."""
    AUTOML_PACKAGED = "automl.packaged"
    """The model folder is complete, the job's result is not kept."""
    BATCH_PINNED = "batch.pinned"
    """The deployment that scores all rows is chosen and kept."""
    BATCH_CHUNK_WRITTEN = "batch.chunk-written"
    """A chunk's answers are written, but not counted."""
    BATCH_CHUNK_COUNTED = "batch.chunk-counted"
    BATCH_JOINED = "batch.joined"
    """The whole output is there, its counts are not kept."""
    BATCH_KEPT = "batch.kept"
    """Output and counts are there, the chunks too."""
    BATCH_SWEPT = "batch.swept"
    """One more file of a chunk is removed."""
    RUN_DECIDED = "run.decided"
    """The service knows what a run does next, nothing of it is kept."""
    RUN_CARRIED_OUT = "run.carried-out"
    """It is kept; no process of it has begun."""
    FIRE_DECIDED = "fire.decided"
    """A schedule's fire and its run are written, and not yet kept."""
    FIRE_KEPT = "fire.kept"
    """They are kept, and nobody has been told."""
    ALERT_JUDGED = "alert.judged"
    """What an alert stands at is written, with its messages, and not yet kept."""
    ALERT_KEPT = "alert.kept"
    """It is kept, and nobody has been told."""
    ALERT_TOLD = "alert.told"
    """A message of an alert was taken, which is not noted yet."""
    STEP_BEGUN = "step.begun"
    STEP_SUBMITTED = "step.submitted"
    """A step's training job is queued, its result does not name it yet."""
    STEP_DONE = "step.done"
    """A step's work is done, its job does not say so yet."""
    RUNS_FORGOTTEN = "runs.forgotten"
    """Old runs' rows are gone, the folders of their jobs are there."""
    OUTPUTS_MOVED = "outputs.moved"
    """A step's outputs are out of the way and not gone yet."""
    DATA_DELETED = "data.deleted"
    """A data version's row is gone, its files are there."""
    DATA_MOVED = "data.moved"
    """Its files are out of the way, nothing of it is noted."""
    MODEL_COPIED = "model.copied"
    """A registered model's folder is complete, its row is not there."""
    GATE_JUDGED = "gate.judged"
    """All checks are judged, the report is not stored."""
    LOADTEST_KEPT = "loadtest.kept"
    """The load report is stored, its job does not say so yet."""


_times: Counter[Failpoint] = Counter()


def reach(point: Failpoint) -> None:
    """Die here, where somebody has armed the point; otherwise nothing."""
    if folder := os.environ.get(VARIABLE):
        _times[point] += 1
        _die_if_armed(Path(folder) / point, _times[point])


def arm(folder: Path, point: Failpoint, time: int = 1) -> None:
    """Have the next process that reaches the point for the `time`-th time killed."""
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".{point}"
    staged.write_text(str(time))
    staged.replace(folder / point)


def _die_if_armed(armed: Path, time: int) -> None:
    try:
        if time < int(armed.read_text()):
            return
        armed.unlink()  # the death is ours alone: another who got here first has taken it
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
