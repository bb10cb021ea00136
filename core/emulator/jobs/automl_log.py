"""The log of an AutoML job and of its children, where Azure keeps the logs of runs: `user_logs/std_log.txt`."""

from collections.abc import Iterable

from core.domain.errors import SlipwayError
from core.domain.job import LogLine
from core.emulator import blobs
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import outputs
from core.emulator.jobs.runs import Run

LOG = "user_logs/std_log.txt"
ALL_LINES = 100_000


def refresh(emulation: Emulation, run: Run) -> None:
    """Bring the log to what the training has said by now; a run that has no training keeps what it has."""
    if run.kind not in ("automl", "trial") or "job" not in run.local:
        return
    jobs = emulation.workspace.jobs
    try:
        if run.kind == "automl":
            lines = _stamped(emulation, jobs.logs(run.local["job"], ALL_LINES))
        else:
            lines = list(jobs.trial(run.local["job"], run.local["trial"]).log)
    except SlipwayError:
        return
    _keep(emulation, run, lines)


def told(emulation: Emulation, run: Run, level: str, message: str) -> None:
    """The log of a job that could not begin says why."""
    _keep(emulation, run, _stamped(emulation, [LogLine(emulation.clock.real(), level, message)]))


def _stamped(emulation: Emulation, lines: Iterable[LogLine]) -> list[str]:
    return [f"{iso(emulation.clock.shown(line.at))} {line.level.upper()} {line.text}" for line in lines]


def _keep(emulation: Emulation, run: Run, lines: list[str]) -> None:
    """What is new goes behind what is there, so that whoever reads along misses nothing."""
    name = f"{outputs.prefix(run.id)}/{LOG}"
    content = "".join(f"{line}\n" for line in lines).encode()
    with emulation.state.lock:
        kept = blobs.find(emulation, outputs.CONTAINER, name)
        if new := content[kept.size if kept else 0 :]:
            blobs.append(emulation, outputs.CONTAINER, name, new)
