"""Old runs of pipelines, and what steps have left, removed by age and by size; never what a run that goes on needs."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.local.machine.failpoints import Failpoint, reach
from core.local.paths import Paths, new_id
from core.local.store import Store
from core.settings import Settings

log = logging.getLogger(__name__)

DAY_S = 24 * 3600.0
BATCH = 20
"""So many runs are forgotten in one transaction: others wait for it some 10 ms."""
PAUSE_S = 0.05
"""Between two of them, so that others come in."""
MEASURE_EVERY_S = 300.0


class Retention:
    """Keeps runs and their files within what the settings allow."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], bool] = lambda seconds: False,
    ) -> None:
        self._store, self._settings, self._clock, self._wait = store, settings, clock, wait
        self._paths = Paths(settings.home)
        self._measured_at = float("-inf")

    def once(self) -> None:
        """Remove what is too old, and every few minutes what is too much. `wait` says when to stop."""
        before = self._clock() - self._settings.runs_max_days * DAY_S
        self._sweep()
        while removed := self._store.old_runs.remove(before, BATCH):
            log.info("removed %d runs that are older than %g days", removed, self._settings.runs_max_days)
            reach(Failpoint.RUNS_FORGOTTEN)
            self._sweep()
            if self._wait(PAUSE_S):
                return
        if time.monotonic() - self._measured_at >= MEASURE_EVERY_S:
            self._measured_at = time.monotonic()
            self.trim()

    def _sweep(self) -> None:
        """The folders of jobs that are forgotten, also those that a killed process did not get to."""
        if gone := self._store.old_runs.folders():
            for job_id in gone:
                shutil.rmtree(self._paths.job(job_id), ignore_errors=True)
            self._store.old_runs.swept(tuple(job_id for job_id in gone if not self._paths.job(job_id).exists()))

    def trim(self) -> None:
        """Remove the oldest outputs of steps until the rest is no more than the setting allows."""
        found = sorted(_outputs(self._paths.home / "jobs"))
        left = sum(size for _, size in found) - self._settings.step_outputs_max_mb * 1e6
        for job_id, size in found:
            if left <= 0:
                return
            if size and self._put_away(job_id):
                left -= size
                log.info("removed the outputs of step job %s: all outputs are above the limit", job_id)
                if self._wait(PAUSE_S):
                    return

    def _put_away(self, job_id: str) -> bool:
        """Whether a step's outputs are gone: moved within the transaction, so that nobody meets half of them."""
        staged = self._paths.incoming / new_id(self._clock)
        with self._store.write() as tx:
            if not tx.old_runs.give_up_outputs(job_id):
                return False
            self._paths.incoming.mkdir(exist_ok=True, mode=0o700)
            self._paths.step_outputs(job_id).rename(staged)
        reach(Failpoint.OUTPUTS_MOVED)
        shutil.rmtree(staged, ignore_errors=True)
        return True


def _outputs(jobs: Path) -> Iterator[tuple[str, int]]:
    """Each job's outputs by their size in bytes; ids begin with their time of birth."""
    if not jobs.exists():
        return
    with os.scandir(jobs) as folders:
        for folder in folders:
            outputs = os.path.join(folder.path, "outputs")
            if os.path.isdir(outputs):
                yield folder.name, _size(outputs)


def _size(folder: str) -> int:
    total = 0
    for path, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(os.path.join(path, file)).st_size
            except OSError:
                continue  # it is being removed
    return total
