"""Jobs that Azure ML has no place for, done by this machine: gates, load tests, the batches of an online endpoint.

Each is a folder with its state, and a process of its own (`core.azure.runner`) that outlives whoever asked for it. No
service looks after them: whoever looks at a job finds its process alive, starts it again where it was killed, or says
that it is lost. No key is kept.
"""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil

from core.domain.errors import Conflict, JobNotFound
from core.domain.job import JOB_TYPES, Job, JobKind, JobSpec, JobState, LogLine, kind_of
from core.domain.plain import plain
from core.domain.proof import GateSpec
from core.durable import write_atomic
from core.settings import CHECKOUT, Settings, as_environment

COMPUTE = "this machine"
PREFIX = "here-"
"""How the id of such a job begins: Azure's own names are others."""
ATTEMPTS_MAX = 3
"""A process that was killed so often is not started again."""
SAME_START_S = 1.5
END_GRACE_S = 10.0
"""A process that was asked to end and has not is killed."""

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Our own: one that nobody asks after stays a zombie."""


class Process(msgspec.Struct, frozen=True):
    """A process by its number, and by when it began: numbers are given again."""

    pid: int
    began: float
    start: int = 1
    """Which process of its job it is."""


Launch = Callable[[str, Path], Process]


class Here:
    """The jobs of one workspace that this machine does, in `folder`."""

    def __init__(self, folder: Path, clock: Callable[[], float], launch: Launch) -> None:
        self._folder, self._clock, self._launch = folder, clock, launch

    def __contains__(self, job_id: str) -> bool:
        return job_id.startswith(PREFIX) and "/" not in job_id and self._state(job_id).exists()

    def folder(self, job_id: str) -> Path:
        """Where a job keeps what it needs and leaves."""
        return self._folder / job_id

    def add(
        self, spec: JobSpec, experiment: str, *, parent_id: str = "", prepare: Callable[[Path], None] | None = None
    ) -> Job:
        """Queue a job and start its process; `prepare` puts into its folder what it needs."""
        now = self._clock()
        job = Job(
            new_id(now), kind_of(spec), JobState.QUEUED, experiment, COMPUTE, spec, now, parent_id=parent_id or None
        )
        folder = self.folder(job.id)
        folder.mkdir(parents=True, mode=0o700)
        if prepare is not None:
            prepare(folder)
        self.write(job)
        self._start(job.id)
        return job

    def get(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound."""
        if job_id not in self:
            raise JobNotFound(f"There is no job '{job_id}' on this machine", hint="It knows its own jobs alone")
        job = self.read(job_id)
        if job.state.final:
            return job
        if (process := self._process(job_id)) is not None and alive(process):
            self._hurry(job, process)
            return job
        return self._deserted(job_id)

    def list(self, kind: JobKind | None = None, *, endpoint: str = "", experiment_name: str = "") -> tuple[Job, ...]:
        """All jobs, newest first."""
        ids = sorted((path.parent.name for path in self._folder.glob(f"{PREFIX}*/job.json")), reverse=True)
        jobs = (self.get(job_id) for job_id in ids)
        return tuple(
            job
            for job in jobs
            if kind in (None, job.kind)
            and endpoint in ("", getattr(job.spec, "endpoint", ""))
            and experiment_name in ("", job.experiment_name)
        )

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end: one that has not begun is canceled now. Raises JobNotFound."""
        job = self.get(job_id)
        if job.state.final:
            return job
        (self.folder(job_id) / "cancel").touch()
        with self.held(job_id) as ours:
            job = self.read(job_id)
            if ours and not job.state.final:
                job = self.end(job, JobState.CANCELED)
        if (process := self._process(job_id)) is not None:
            end(process, signal.SIGTERM)
        return job

    def of_gate(self, endpoint: str, deployment: str) -> Job | None:
        """The newest gate of a deployment that this machine has been asked for."""
        for job in self.list(JobKind.GATE, endpoint=endpoint):
            if isinstance(job.spec, GateSpec) and job.spec.deployment == deployment:
                return job
        return None

    def forget_endpoint(self, endpoint: str, deployment: str = "") -> None:
        """Cancel what goes on against an endpoint, or one deployment of it, that is about to go."""
        for job in self.list(endpoint=endpoint):
            if not job.state.final and deployment in ("", getattr(job.spec, "deployment", "")):
                self.cancel(job.id)

    def log(self, job_id: str, limit: int) -> tuple[LogLine, ...]:
        """The last lines of a job's log. Raises JobNotFound."""
        self.get(job_id)
        try:
            lines = (self.folder(job_id) / "log.jsonl").read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return ()
        return tuple(msgspec.json.decode(line, type=LogLine) for line in lines[-limit:] if line.endswith(b"\n"))

    def read(self, job_id: str) -> Job:
        """The job as it was last kept; its process may have died since."""
        job = _decoded(self._state(job_id).read_bytes())
        asked = not job.state.final and (self.folder(job_id) / "cancel").exists()
        return replace(job, cancel_requested=job.cancel_requested or asked)

    def write(self, job: Job) -> None:
        """Keep a job as it is now. Raises StorageFull."""
        write_atomic(self._state(job.id), msgspec.json.encode(plain(job)))

    def end(self, job: Job, state: JobState, message: str = "", hint: str = "", **left: Any) -> Job:
        """Give a job its final state."""
        ended = replace(job, state=state, ended_at=self._clock(), message=message, hint=hint, **left)
        self.write(ended)
        return ended

    @contextmanager
    def held(self, job_id: str) -> Iterator[bool]:
        """Inside, no other process does this job; False where one does it already."""
        descriptor = os.open(self.folder(job_id) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Inside, no other job of this kind of place goes on here; waits for it."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / "turn", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _start(self, job_id: str) -> None:
        process = self._launch(job_id, self.folder(job_id) / "process.log")
        before = self._process(job_id)
        process = msgspec.structs.replace(process, start=before.start + 1 if before else 1)
        write_atomic(self.folder(job_id) / "process.json", msgspec.json.encode(process))

    def _deserted(self, job_id: str) -> Job:
        """A job whose process is gone: canceled where that was asked for, else started again, or lost."""
        with self.held(job_id) as ours:
            job = self.read(job_id)
            if not ours or job.state.final:
                return job
            if (process := self._process(job_id)) is not None and alive(process):
                return job  # somebody else has started it again meanwhile
            if job.cancel_requested:
                return self.end(job, JobState.CANCELED)
            # One that dies before it begins, at an import for example, has made no attempt.
            deaths = max(job.attempt, process.start if process else 0)
            if deaths >= ATTEMPTS_MAX:
                said = f"The process of this job has died {deaths} times, and is not started again"
                return self.end(job, JobState.FAILED, said, "Its log may say why: python -m core job logs")
        self._start(job_id)
        return job

    def _hurry(self, job: Job, process: Process) -> None:
        """Kill a process that was asked to end long ago."""
        with suppress(FileNotFoundError):
            if self._clock() - (self.folder(job.id) / "cancel").stat().st_mtime > END_GRACE_S:
                end(process, signal.SIGKILL)

    def _state(self, job_id: str) -> Path:
        return self.folder(job_id) / "job.json"

    def _process(self, job_id: str) -> Process | None:
        try:
            return msgspec.json.decode((self.folder(job_id) / "process.json").read_bytes(), type=Process)
        except FileNotFoundError:
            return None


def launcher(settings: Settings, environ: Mapping[str, str]) -> Launch:
    """Starts the process of a job, with the environment of whoever asks: its credential is in it, and nowhere else."""

    def launch(job_id: str, log: Path) -> Process:
        with log.open("ab") as printed:
            child = subprocess.Popen(
                (sys.executable, "-m", "core.azure.runner", job_id),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=CHECKOUT,
                # PYTHONSAFEPATH: a `core` folder where the user happens to stand is not ours.
                env={**environ, **as_environment(settings), "PYTHONPATH": str(CHECKOUT), "PYTHONSAFEPATH": "1"},
                start_new_session=True,
                umask=0o077,
            )
        _children[child.pid] = child
        return Process(child.pid, psutil.Process(child.pid).create_time())

    return launch


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    if (child := _children.get(process.pid)) is not None and child.poll() is not None:
        _children.pop(process.pid, None)
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.began) < SAME_START_S
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(process: Process, number: int) -> None:
    """Send a signal to all in the group that a process leads."""
    if alive(process):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def new_id(now: float) -> str:
    """Milliseconds first, so that ids sort by time of birth."""
    return f"{PREFIX}{int(now * 1000):012x}-{secrets.token_hex(5)}"


def output_of(here: Here, job_id: str) -> Path:
    """The file that a batch job has left. Raises JobNotFound, Conflict."""
    job, path = here.get(job_id), here.folder(job_id) / "output.csv"
    if job.state is not JobState.SUCCEEDED or not path.exists():
        raise Conflict(f"Job '{job_id}' ({job.kind}, {job.state}) has no file", hint="A batch job that succeeded has")
    return path


def _decoded(raw: bytes) -> Job:
    body = msgspec.json.decode(raw)
    kind = JobKind(body["kind"])
    known = JOB_TYPES[kind]
    body["spec"] = msgspec.convert(body["spec"], known.spec, str_keys=True)
    body["result"] = msgspec.convert(body["result"], known.result) if body["result"] else None
    body["kind"], body["state"] = kind, JobState(body["state"])
    return Job(**body)
