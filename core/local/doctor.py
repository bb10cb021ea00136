"""What could be wrong with a workspace on this machine: its folder, the disk, memory, ports, tables, the service."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from core.domain.counting import counted
from core.domain.errors import PortInUse, SlipwayError
from core.domain.monitoring import Finding, FindingState, ServiceStatus
from core.local import forwarding
from core.local.context import Context
from core.local.machine import asking, ports

DISK_FAILED_GB, DISK_WARNED_GB = 1.0, 5.0
GB, MB = 1e9, 1e6
ASK_TIMEOUT_S = 1.0
OK, WARNING, FAILED = FindingState.OK, FindingState.WARNING, FindingState.FAILED


def findings(context: Context, status: Callable[[], ServiceStatus]) -> Iterator[Finding]:
    """One at a time."""
    yield _folder(context)
    yield _disk(context)
    yield _memory(context)
    yield _threads(context)
    yield from _tables(context)
    try:
        service = status()
    except SlipwayError as e:
        yield Finding("Service", FAILED, e.message, e.hint)
        return
    yield _service(context, service)
    yield _port(context, service)
    yield from forwarding.findings(context, service)
    yield from _records(context)
    yield from _alerts(context)


def _folder(context: Context) -> Finding:
    home, hint = context.paths.home, "Set SLIPWAY_HOME to another"
    if not home.exists():
        above = _there(home)
        if not os.access(above, os.W_OK | os.X_OK):
            return Finding("Folder", FAILED, f"{home} cannot be made: {above} cannot be written to", hint)
        return Finding("Folder", OK, f"{home} is not there yet and can be made")
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as e:
        return Finding("Folder", FAILED, f"{home} cannot be written to: {e.strerror}", hint)
    if home.stat().st_mode & 0o077:
        return Finding("Folder", WARNING, f"Others may read {home}, which holds keys", f"chmod 700 {home}")
    return Finding("Folder", OK, f"{home} can be written to, by its owner alone")


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _disk(context: Context) -> Finding:
    free_gb = shutil.disk_usage(_there(context.paths.home)).free / GB
    state = FAILED if free_gb < DISK_FAILED_GB else WARNING if free_gb < DISK_WARNED_GB else OK
    hint = "" if state is OK else "Make room, or set SLIPWAY_HOME to a folder on another disk"
    return Finding("Disk", state, f"{free_gb:,.1f} GB are free", hint)


def _memory(context: Context) -> Finding:
    there_mb, wanted_mb = psutil.virtual_memory().total / MB, context.settings.memory_mb
    said = f"A job may take {wanted_mb:,} MB of {there_mb:,.0f} MB"
    if wanted_mb > there_mb:
        return Finding("Memory", WARNING, said, f"Set SLIPWAY_MEMORY_MB to {int(there_mb * 0.75)} or less")
    return Finding("Memory", OK, said)


def _threads(context: Context) -> Finding:
    wanted, there = context.settings.threads, len(os.sched_getaffinity(0))
    if wanted > there:
        hint = f"Set SLIPWAY_THREADS to {there}"
        return Finding("Threads", WARNING, f"A job uses {wanted} threads on {there} cores, which makes it slower", hint)
    return Finding("Threads", OK, f"A job uses {wanted} threads of {there} cores")


def _tables(context: Context) -> Iterator[Finding]:
    for folder in (*context.settings.data_dir, *context.settings.read_dir):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
            yield Finding("Tables", FAILED, f"{folder} cannot be read", f"chmod u+rx {folder}")


def _service(context: Context, service: ServiceStatus) -> Finding:
    if not service.running:
        return Finding("Service", OK, "It is not running; whatever needs it starts it")
    if trouble := service.scheduler_trouble(context.clock()):
        return Finding(
            "Service", FAILED, trouble, "The service's log says more; restart it: python -m core service stop"
        )
    return Finding("Service", OK, f"It runs at {service.url}, version {service.version}")


def _port(context: Context, service: ServiceStatus) -> Finding:
    kept = context.store.facts.get("service_url") if context.paths.store.exists() else ""
    port = context.settings.service_port or (ports.port_of(kept.partition("//")[2]) if _ours(kept) else 0)
    if service.running or not port:
        return Finding("Port", OK, "The service has its own" if service.running else "The service will pick a free one")
    try:
        ports.check_free(port, "the service")
    except PortInUse as e:
        return Finding("Port", FAILED, e.message, "Stop that process, or set SLIPWAY_SERVICE_PORT to another port")
    return Finding("Port", OK, f"{port} is free for the service")


def _records(context: Context) -> Iterator[Finding]:
    """Endpoints whose monitoring misses requests: what is lost is counted by the server, and shown nowhere else."""
    for endpoint in context.store.endpoints.list() if context.paths.store.exists() else ():
        lost = asking.counts(endpoint.metrics_uri, ASK_TIMEOUT_S).get("slipway_telemetry_dropped_total", 0.0)
        if lost:
            said = f"'{endpoint.name}' has lost {counted(int(lost), 'record')} since its server started"
            hint = f"The disk was full or too slow; python -m core endpoint logs {endpoint.name} --level error"
            yield Finding("Records", WARNING, said, hint)


def _alerts(context: Context) -> Iterator[Finding]:
    """Alerts that watch nothing, for what is kept of them cannot be read."""
    _, unreadable = context.store.alerts.all() if context.paths.store.exists() else ((), ())
    for alert in unreadable:
        hint = f"python -m core alert delete {shlex.quote(alert.name)}, and set it anew"
        yield Finding("Alerts", FAILED, f"Alert '{alert.name}' watches nothing: {alert.why}", hint)


def _ours(url: str) -> bool:
    return ports.HOST in url
