"""Every job brought forward: started when its compute has room, resumed when its worker died, ended when asked."""

import logging
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from core.domain.compute import Compute
from core.domain.errors import JobStateInvalid, ServiceUnavailable, SlipwayError, StorageFull
from core.domain.job import BUG_HINT, Job, JobKind, JobState
from core.durable import write_atomic
from core.local.context import PROOF_COMPUTE, compute_named
from core.local.machine import families, processes
from core.local.machine.processes import NOBODY, Process, alive
from core.local.paths import Paths
from core.local.service.backoff import Backoff
from core.local.service.step_limits import StepLimits
from core.local.store import Store
from core.local.worker.kinds import KINDS, STEPS, how_far
from core.settings import Settings

log = logging.getLogger(__name__)

WORKER = processes.python_module("core.local.worker")
CRASHES_MAX = 3
"""So many deaths of its worker in a row, none after more work was done, end a job: the fourth would be as they were."""
INTERRUPTIONS_MAX = 10
"""The same for deaths that nobody saw, since we died too: reboots mostly, but a job that takes all down must end."""
CANCEL_GRACE_S = 3.0
STEP_CANCEL_GRACE_S = 0.5
"""A step ends within a second; its worker needs less than this to end what it has started."""


class Crashes(msgspec.Struct):
    """How often in a row a job's worker has died without more work done, in which attempt last, and how far it was."""

    count: int = 0
    attempt: int = 0
    far: int = 0
    interrupted: int = 0


class Jobs:
    """The service's hand on its workers. Every state is in the store or the job's folder; nothing is lost with us."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        command: Sequence[str] = WORKER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._settings, self._command, self._clock = store, settings, tuple(command), clock
        self._paths = Paths(settings.home)
        self._backoff = Backoff()
        self._endings = processes.Endings(CANCEL_GRACE_S)
        self._step_endings = processes.Endings(STEP_CANCEL_GRACE_S, kill=families.end_tree)
        self._limits = StepLimits(store, clock)
        self._seen: dict[str, int] = {}
        """The workers, by job, that we have started or met alive."""

    def tick(self) -> None:
        """One look at every job that is not final."""
        running = self._store.jobs.of_workers(JobState.RUNNING)
        self._seen = {job.id: self._seen[job.id] for job in running if job.id in self._seen}
        self._limits.keep({job.id for job in running})
        for job in running:
            self._step(job, self._watch)
        for job in self._with_room(running, self._store.jobs.of_workers(JobState.QUEUED)):
            self._step(job, self._start)

    def stop(self) -> None:
        """End all workers in order; their jobs stay `running` and go on at the next start."""
        running = self._store.jobs.of_workers(JobState.RUNNING)
        processes.end_groups([worker for job in running if (worker := self._worker(job))], CANCEL_GRACE_S)
        for job in running:
            _end_strays(job)
            self._store.jobs.set_worker(job.id, NOBODY)

    def _step(self, job: Job, act: Callable[[Job], None]) -> None:
        """One job's failure is its own: the others go on."""
        if self._backoff.waits(job.id):
            return
        try:
            act(job)
        except (StorageFull, ServiceUnavailable, OSError) as e:
            # These pass by themselves (a full disk, a busy store), so the job waits for better times.
            log.warning("job %s: %s; trying again", job.id, e)
            self._backoff.failed(job.id)
        except SlipwayError as e:
            self._fail(job, e.message, e.hint)
        except Exception as e:
            log.exception("job %s: a bug", job.id)
            self._fail(job, f"{type(e).__name__}: {e}", BUG_HINT)
        else:
            self._backoff.clear(job.id)

    def _with_room(self, running: Sequence[Job], queued: Sequence[Job]) -> Iterator[Job]:
        computes = {compute.name: compute for compute in self._store.computes.list()}
        busy = Counter(map(_place, running))
        for job in queued:
            place = _place(job)
            if busy[place] < self._room(computes.get(place), place):
                busy[place] += 1
                yield job

    def _room(self, compute: Compute | None, place: str) -> int:
        if place == STEPS:
            return self._settings.steps_max_concurrent
        return 1 if place == PROOF_COMPUTE or compute is None else compute.max_concurrent

    def _start(self, job: Job) -> None:
        job = self._store.jobs.start_attempt(job.id, self._clock())
        self._paths.job(job.id).mkdir(parents=True, exist_ok=True, mode=0o700)
        compute = compute_named(self._store, self._settings, job.compute)
        environ = processes.environment(self._settings, compute.threads)
        if job.kind is JobKind.STEP:
            environ[families.MARK] = job.id
        command = (*self._command, job.id)
        worker = processes.spawn(command, log=self._paths.worker_log(job.id), environ=environ)
        self._store.jobs.set_worker(job.id, worker)
        self._seen[job.id] = worker.pid
        log.info("job %s (%s): attempt %d, worker %d", job.id, job.kind, job.attempt, worker.pid)

    def _watch(self, job: Job) -> None:
        worker = self._worker(job)
        if job.cancel_requested:
            self._cancel(job, worker)
            return
        if worker and alive(worker):
            self._seen[job.id] = worker.pid
            if why := self._limits.broken(job, worker):
                families.end_tree(worker)
                _end_strays(job)
                self._fail(job, why, "Raise the step's limit, or let it take less")
            return
        if worker:
            processes.signal_group(worker, signal.SIGKILL)  # what a dead worker has left
        _end_strays(job)
        if self._store.jobs.get(job.id).state.final:
            return  # its last act, after our listing
        if worker and worker != NOBODY:
            self._count_crash(job, worker)
        if not self._store.jobs.get(job.id).state.final:
            self._start(job)

    def _worker(self, job: Job) -> Process | None:
        """The job's worker, dead or alive; looked for by its command where we died before we could note its number."""
        known = self._store.jobs.worker(job.id)
        if known is None and (found := processes.find((*self._command, job.id))) is not None:
            self._store.jobs.set_worker(job.id, found)
            return found
        return known

    def _count_crash(self, job: Job, worker: Process) -> None:
        path = self._paths.job(job.id) / "crashes.json"
        before = msgspec.json.decode(path.read_bytes(), type=Crashes) if path.exists() else Crashes()
        if before.attempt == job.attempt:
            return  # counted, but the next attempt could not be noted then
        far = how_far(self._store, self._paths, job)
        now = Crashes(attempt=job.attempt, far=max(far, before.far))
        if far <= before.far:
            now.count, now.interrupted = before.count, before.interrupted
        if self._seen.get(job.id) == worker.pid:
            now.count += 1
        else:
            now.interrupted += 1
        code = processes.exit_code(worker)
        log.warning("job %s: worker %d died (exit %s), %d in a row", job.id, worker.pid, code, now.count)
        if now.count >= CRASHES_MAX or now.interrupted >= INTERRUPTIONS_MAX:
            count = max(now.count, now.interrupted)
            whose = "the machine" if job.kind is JobKind.STEP else "its compute"
            said = processes.last_line(self._paths.worker_log(job.id)) or "it gave no reason"
            self._fail(
                job,
                f"Its worker process ended unexpectedly {count} times in a row{_how(code)}: {said}",
                f"Give {whose} more memory where it ran out of it, or look at the job's worker.log",
            )
            return
        write_atomic(path, msgspec.json.encode(now))

    def _cancel(self, job: Job, worker: Process | None) -> None:
        endings = self._step_endings if job.kind is JobKind.STEP else self._endings
        if endings.gone(worker) and _end_strays(job):
            self._end(job, JobState.CANCELED, "Canceled", "")

    def _fail(self, job: Job, message: str, hint: str) -> None:
        log.error("job %s failed: %s", job.id, message)
        try:
            self._end(job, JobState.FAILED, message, hint)
        except (StorageFull, ServiceUnavailable) as e:
            log.warning("job %s: %s; trying again", job.id, e)
            self._backoff.failed(job.id)

    def _end(self, job: Job, state: JobState, message: str, hint: str) -> None:
        for child in self._store.jobs.children(job.id):  # one may have come after the cancel was asked for
            self._store.jobs.cancel(child.id, self._clock())
        try:
            self._store.jobs.end(job.id, state, self._clock(), message=message, hint=hint)
        except JobStateInvalid:
            log.info("job %s had ended by itself", job.id)


def _end_strays(job: Job) -> bool:
    """Kill whatever a step has started that has outlived its worker; whether nothing of it runs."""
    return job.kind is not JobKind.STEP or families.end_marked(job.id)


def _place(job: Job) -> str:
    """Whose room a job takes."""
    return KINDS[job.kind].place or job.compute


def _how(code: int | None) -> str:
    if code is None:
        return ""
    return f" (signal {-code})" if code < 0 else f" (exit code {code})"
