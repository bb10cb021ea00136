"""The service from outside: is it there, start it, stop it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from core.domain.errors import (
    PortInUse,
    ServiceRunning,
    ServiceUnavailable,
    SlipwayError,
    SpecInvalid,
    StorageDenied,
    StorageFull,
)
from core.domain.job import JobState
from core.domain.monitoring import ServiceStatus
from core.domain.version import VERSION
from core.local.machine import processes
from core.local.machine.asking import answers
from core.local.machine.processes import Process
from core.local.paths import Paths
from core.local.store import Store
from core.local.store.schedules import ERROR, LOOKED_AT
from core.settings import Settings, as_environment

SERVICE = processes.python_module("core.local.service")
HEALTH_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 30.0
"""Longer than the service gives its workers and servers together."""
LOOK_EVERY_S = 0.02
REFUSALS = (PortInUse, SpecInvalid, StorageDenied, StorageFull)
CAUSES: dict[str, type[SlipwayError]] = {kind.__name__: kind for kind in REFUSALS}
"""What a service that could not start says in the last line of its log, as `Name: sentence`."""


def status(settings: Settings) -> ServiceStatus:
    """Whether the service runs, and what it does. Never starts it, and creates nothing."""
    paths = Paths(settings.home)
    if not paths.store.exists():
        return ServiceStatus(False, None, "", None, VERSION, str(settings.home))
    store = Store(paths.store)
    try:
        process = service_process(store)
        running = process is not None and processes.alive(process)
        return ServiceStatus(
            running=running,
            pid=process.pid if process and running else None,
            url=store.facts.get("service_url") if running else "",
            started_at=float(store.facts.get("service_started")) if running else None,
            version=VERSION,
            home=str(settings.home),
            jobs_running=len(store.jobs.in_states(JobState.RUNNING)),
            jobs_queued=len(store.jobs.in_states(JobState.QUEUED)),
            endpoints=len(store.endpoints.list()),
            scheduler_looked_at=float(looked_at) if (looked_at := store.facts.get(LOOKED_AT)) else None,
            scheduler_error=store.facts.get(ERROR),
        )
    finally:
        store.close()


def become(settings: Settings) -> NoReturn:
    """Make this process the service, which refuses to be a second one."""
    os.execve(SERVICE[0], SERVICE, os.environ | as_environment(settings))  # noqa: S606 - ourselves


def start_detached(settings: Settings) -> ServiceStatus:
    """The service, started unless it runs, when it answers.

    One that is not up in time is ended again. Raises PortInUse, StorageFull or SpecInvalid where the service says so,
    else ServiceUnavailable with its last word.
    """
    now, paths = status(settings), Paths(settings.home)
    if now.running and _healthy(paths):
        return now
    Store(paths.store).close()  # refuses a folder in which nothing can be kept
    said = paths.service_log.stat().st_size if paths.service_log.exists() else 0
    child = processes.spawn(SERVICE, log=paths.service_log, environ=processes.environment(settings))
    deadline = time.monotonic() + settings.start_timeout_s
    while time.monotonic() < deadline:
        now = status(settings)
        if now.running and _healthy(paths):
            if now.pid != child.pid:  # somebody else's was first; ours would come up as soon as that one is stopped
                processes.end_groups([child], STOP_TIMEOUT_S)
            return now
        if not processes.alive(child) and not now.running:
            _refuse(paths.service_log, said)
        time.sleep(LOOK_EVERY_S)
    # It would come up later and live on, though nobody has been told of it, and `stop` could not find it meanwhile.
    processes.end_groups([child], STOP_TIMEOUT_S)
    raise ServiceUnavailable(
        f"The service did not answer within {settings.start_timeout_s:g} s", hint=f"See {paths.service_log}"
    )


def stop(settings: Settings) -> ServiceStatus:
    """Stop the service, its workers and its scoring servers; running jobs resume at the next start.

    Raises ServiceUnavailable when it does not end.
    """
    now = status(settings)
    if now.pid is None or (process := service_process(Store(Paths(settings.home).store))) is None:
        return now
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while processes.alive(process):
        if time.monotonic() > deadline:
            raise ServiceUnavailable(
                f"The service ({process.pid}) did not stop within {STOP_TIMEOUT_S:g} s", hint=f"kill -9 {process.pid}"
            )
        time.sleep(LOOK_EVERY_S)
    return status(settings)


def service_process(store: Store) -> Process | None:
    """The process that ran the service last, dead or alive."""
    pid, started = store.facts.get("service_pid"), store.facts.get("service_since_boot_s")
    return Process(int(pid), float(started)) if pid and started else None


def _healthy(paths: Paths) -> bool:
    """Whether the service answers at the address of this machine that it has noted, under its own certificate."""
    store = Store(paths.store)
    try:
        url = store.facts.get("service_local_url") or store.facts.get("service_url")
        return answers(url, "/health", HEALTH_TIMEOUT_S, store.facts.get("service_certificate"))
    finally:
        store.close()


def _refuse(service_log: Path, since: int) -> None:
    """Raise what the service that could not start has said."""
    said = processes.last_line(service_log, since)
    name, _, sentence = said.partition(": ")
    if name == ServiceRunning.__name__:
        return  # somebody else started one in the same moment; it is about to say so in the store
    if name in CAUSES:
        raise CAUSES[name](sentence)
    raise ServiceUnavailable(f"The service did not start: {said or 'it gave no reason'}", hint=f"See {service_log}")
