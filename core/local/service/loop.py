"""The workspace service: the one process that compares what is wanted with what is, and acts.

Run as `python -m core.local.service`. It may die at any moment: workers and scoring servers live on, and the next start
adopts them. `SIGTERM` ends it with all that it started; running jobs then resume at the next start.
"""

import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import FrameType

from core.domain.errors import ServiceRunning, ServiceUnavailable, SlipwayError, StorageFull
from core.domain.keys import KEY_BYTES, key_in
from core.durable import write_atomic
from core.local import deleted
from core.local.context import Context
from core.local.machine import ports, processes
from core.local.machine.locks import held
from core.local.paths import Paths
from core.local.records.merging import Keep
from core.local.service.alert_watch import Watching
from core.local.service.announcing import Announcing
from core.local.service.backoff import Backoff
from core.local.service.binding import allowed_hosts, binding
from core.local.service.door import Door
from core.local.service.forwarder import Forwarder, wanted
from core.local.service.janitor import Compaction
from core.local.service.looking import Looking
from core.local.service.runs import Runs
from core.local.service.scheduler import Scheduler
from core.local.service.servers import SERVER, Supervisor
from core.local.service.telling import Telling
from core.local.service.workers import WORKER, Jobs
from core.local.store import Store
from core.local.workspace import open_local
from core.settings import Settings, read_settings

log = logging.getLogger(__name__)

ABANDONED_S = 3600.0
"""A half-written thing that nobody has touched for so long belongs to a process that was killed."""


class Service:
    """One workspace's reconciler. `worker` and `server` are the commands of its children."""

    def __init__(
        self,
        settings: Settings,
        *,
        worker: Sequence[str] = WORKER,
        server: Sequence[str] = SERVER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._commands = (worker, server)
        self._paths = Paths(settings.home)
        self._stopping, self._poked = threading.Event(), threading.Event()
        self._backoff = Backoff()
        self._lock: os.stat_result | None = None

    def run(self) -> None:
        """Serve until told to stop. Raises ServiceRunning for a second service, PortInUse, StorageFull."""
        with held(self._paths.service_lock) as ours:
            if not ours:
                raise ServiceRunning(
                    f"A service is already running for the workspace {self._settings.home}",
                    hint="`python -m core service status` shows it",
                )
            self._lock = self._paths.service_lock.stat()
            self._serve(Store(self._paths.store))

    def stop(self, *_: int | FrameType | None) -> None:
        """End `run` soon, from any thread or as a signal's handler."""
        self._stopping.set()
        self._poked.set()

    def poke(self) -> None:
        """Look now instead of at the next round."""
        self._poked.set()

    def _serve(self, store: Store) -> None:
        self._remove_abandoned()
        deleted.sweep(store, self._paths, self._clock)
        door = self._open_door(store)
        worker, server = self._commands
        jobs = Jobs(store, self._settings, command=worker, clock=self._clock)
        runs = Runs(store, self._settings, clock=self._clock)
        scheduler = Scheduler(Context(self._settings, self._clock))
        supervisor = Supervisor(store, self._settings, command=server)
        forwarder = Forwarder(self._settings)
        keep = Keep(self._settings.records_max_days, self._settings.records_max_mb)
        compaction = Compaction(
            store, self._paths, self._settings.segment_s, wanted(self._settings), keep, self._settings
        )
        telling = Telling(store, self._settings, clock=self._clock)
        watching = Watching(
            store, open_local(self._settings, self._clock), clock=self._clock, look_s=self._settings.alert_look_s
        )
        announcing = Announcing(store, self._settings, clock=self._clock)
        looking = Looking(store, self._paths, self._settings.records_max_days, clock=self._clock)
        with door, compaction, ExitStack() as beside:
            for each in (telling, watching, announcing, looking):
                beside.enter_context(each.background())
            while not self._stopping.is_set() and self._is_ours():
                door.check()
                self._look(scheduler.tick)
                self._look(jobs.tick)
                self._look(runs.tick)
                self._look(supervisor.tick)
                self._look(forwarder.tick)
                self._poked.wait(self._settings.reconcile_s)
                self._poked.clear()
        log.info("stopping")
        for act in (jobs.stop, supervisor.stop, forwarder.stop, lambda: store.facts.set("service_pid", "")):
            self._backoff.clear(act.__qualname__)
            self._look(act)

    def _is_ours(self) -> bool:
        """Whether the folder is the one that we began with: one that was removed may be another's by now."""
        try:
            now = self._paths.service_lock.stat()
        except FileNotFoundError:
            now = None
        if now is not None and self._lock is not None and os.path.samestat(now, self._lock):
            return True
        log.error("the workspace %s was removed or replaced; ending", self._settings.home)
        return False

    def _look(self, act: Callable[[], None]) -> None:
        """What the disk or a busy store denies us is left out this time; any other failure is a bug and ends us."""
        key = act.__qualname__
        if self._backoff.waits(key):
            return
        try:
            act()
        except (StorageFull, ServiceUnavailable, OSError) as e:
            log.warning("%s: %s; trying again", key, e)
            self._backoff.failed(key)
        else:
            self._backoff.clear(key)

    def _open_door(self, store: Store) -> Door:
        """Listen where the workspace's door has always been, then say in the store that we are here."""
        key, bound = self._key(), binding(self._settings)
        wanted = self._settings.service_port or int(store.facts.get("service_port") or 0)
        listener = ports.listen(wanted, "the service", bound.host)
        port = listener.getsockname()[1]
        me = processes.this_process()
        facts = {
            "service_port": str(port),
            "service_url": bound.url(port),
            "service_local_url": bound.local_url(port),
            "service_certificate": bound.certificate,
            "service_started": str(self._clock()),
            "service_since_boot_s": str(me.started),
            "service_pid": str(me.pid),
        }
        for name, value in facts.items():
            store.facts.set(name, value)
        log.info("serving %s at %s as process %d", self._settings.home, bound.url(port), me.pid)
        return Door(
            open_local(self._settings, self._clock, confined=True),
            key,
            listener,
            self.poke,
            keys=store.pipelines.all_keys,
            names=allowed_hosts(bound),
            tls=bound.tls,
        )

    def _key(self) -> str:
        path = self._paths.service_key
        if not path.exists():
            write_atomic(path, secrets.token_urlsafe(KEY_BYTES).encode())
        return key_in(path.read_bytes(), "of the service")

    def _remove_abandoned(self) -> None:
        if not self._paths.incoming.exists():
            return
        for entry in self._paths.incoming.iterdir():
            # Somebody without a service may be writing here at this moment: the command line registers data itself.
            if self._clock() - entry.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(entry)
                log.info("removed %s, which a killed process had left", entry.name)


def main(service: Callable[[Settings], Service] = Service) -> int:
    """Run the service of the workspace that the environment names; the exit code."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        running = service(read_settings(os.environ))
        signal.signal(signal.SIGTERM, running.stop)
        signal.signal(signal.SIGINT, running.stop)
        running.run()
    except SlipwayError as e:
        # `control` reads this line: the error's name tells it what to raise.
        sys.stderr.write(f"{type(e).__name__}: {e.message}{f'. {e.hint}' if e.hint else ''}\n")
        return 1
    return 0
