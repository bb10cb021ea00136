"""Every endpoint's scoring server: started, adopted, told of changes, looked at, restarted, stopped."""

import http.client
import logging
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.contract.endpoint_file import DeploymentFile, EndpointFile, ServerStatus, digest
from core.domain.endpoint import Deployment, DeploymentState, Endpoint, EndpointState
from core.domain.errors import ServiceUnavailable, SlipwayError, StorageFull
from core.local import endpoint_file, origins
from core.local.machine import logs, ports, processes
from core.local.machine.processes import Process, alive
from core.local.paths import Paths
from core.local.service.backoff import Backoff
from core.local.service.rolling import Rolling
from core.local.store import Store
from core.settings import Settings

log = logging.getLogger(__name__)

SERVER = processes.python_module("core.serving")
STABLE_S = 10.0
"""A server that has lived this long before it dies is restarted at once; a younger one later each time."""
QUICK_DEATHS_MAX = 5
"""From so many deaths in a row on the endpoint counts as failed; it is still tried, every 30 s."""
DRAIN_S = 10.0
"""A server that was asked to stop may finish the requests in flight for so long."""
HEALTH_TIMEOUT_S = 1.0


class Supervisor:
    """The service's hand on the scoring servers. What it knows beyond the store can be lost with it."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        command: Sequence[str] = SERVER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._settings, self._command, self._clock = store, settings, tuple(command), clock
        self._paths = Paths(settings.home)
        self._deaths, self._patience = Backoff(clock=clock), Backoff(clock=clock)
        self._endings = processes.Endings(DRAIN_S, clock)
        self._rolling = Rolling(self._endings, settings.start_timeout_s, clock)
        self._noted: set[str] = set()
        """Endpoints whose server the store surely knows, if there is one."""
        self._astray: dict[str, tuple[Process, bool]] = {}
        """Each endpoint's last server, and whether it follows another file than ours."""
        self._written: dict[str, int] = {}
        self._started_at: dict[str, float] = {}
        self._behind_since: dict[str, float] = {}
        """Since when a server has owed us the latest version."""

    def tick(self) -> None:
        """One look at every endpoint."""
        for endpoint in self._store.endpoints.list():
            self._step(endpoint)

    def stop(self) -> None:
        """End all servers in order; they start again with the service."""
        endpoints = self._store.endpoints.list()
        servers = [self._server(endpoint) for endpoint in endpoints]
        processes.end_groups([server for server in servers if server], DRAIN_S)
        for endpoint in endpoints:
            self._observe(endpoint, EndpointState.STOPPED, "", None)

    def _step(self, endpoint: Endpoint) -> None:
        """One endpoint's failure is its own: the others are looked after."""
        if self._patience.waits(endpoint.name):
            return
        try:
            self._look(endpoint)
        except (StorageFull, ServiceUnavailable, OSError) as e:
            log.warning("endpoint %s: %s; trying again", endpoint.name, e)
            self._patience.failed(endpoint.name)
        except SlipwayError as e:
            self._failed(endpoint, e.message)
        except Exception as e:
            log.exception("endpoint %s: a bug", endpoint.name)
            self._failed(endpoint, f"{type(e).__name__}: {e} (a bug in Slipway; the traceback is in service.log)")
        else:
            self._patience.clear(endpoint.name)

    def _failed(self, endpoint: Endpoint, error: str) -> None:
        self._patience.failed(endpoint.name)
        try:
            self._observe(endpoint, EndpointState.FAILED, error, self._store.endpoints.server(endpoint.name))
        except (StorageFull, ServiceUnavailable) as e:
            log.warning("endpoint %s: %s; trying again", endpoint.name, e)

    def _look(self, endpoint: Endpoint) -> None:
        server = self._server(endpoint)
        logs.rotate(self._paths.endpoint_log(endpoint.name))
        if endpoint.state is EndpointState.DELETING:
            self._delete(endpoint, server)
        elif server is not None and self._is_astray(endpoint.name, server):
            if self._endings.gone(server):
                self._observe(endpoint, EndpointState.STARTING, "", None)
        elif server is not None and alive(server):
            self._look_at_server(endpoint, server, self._tell(endpoint.name))
        elif server is not None and self._rolling.ended(endpoint.name):
            self._endings.gone(server)
            self._observe(endpoint, EndpointState.STARTING, "", None)
        elif server is not None:
            self._bury(endpoint, server)
        elif not self._deaths.waits(endpoint.name):
            self._tell(endpoint.name)
            self._start(endpoint)

    def _server(self, endpoint: Endpoint) -> Process | None:
        """The server, dead or alive; looked for by its command where whoever started it could not note it."""
        name = endpoint.name
        known = self._store.endpoints.server(name)
        if known is None and name not in self._noted:
            known = processes.find(self._command_of(name))
            if known is not None:
                log.info("endpoint %s: found its server, %d", name, known.pid)
                self._observe(endpoint, endpoint.state, endpoint.error, known)
        self._noted.add(name)
        return known

    def _command_of(self, name: str) -> tuple[str, ...]:
        return (*self._command, "--endpoint-file", str(self._paths.endpoint_file(name)))

    def _is_astray(self, name: str, server: Process) -> bool:
        """Whether a server reads another file than ours: it was started before the workspace's folder was moved."""
        known = self._astray.get(name)
        if known is None or known[0] != server:
            file, words = self._paths.endpoint_file(name).resolve(), processes.command_line(server)
            known = self._astray[name] = (server, bool(words) and file not in [Path(word).resolve() for word in words])
        return known[1]

    def _tell(self, name: str) -> int:
        """Write the endpoint file where it is to be another; the version that is wanted."""
        # The version is read first: what comes between makes the next one, and is written again.
        version = self._store.endpoints.version(name)
        if self._written.get(name) != version:
            self._paths.telemetry(name).mkdir(parents=True, exist_ok=True, mode=0o700)
            if endpoint_file.write(self._paths.endpoint_file(name), self._wanted(name, version)):
                self._behind_since[name] = self._clock()
            self._written[name] = version
        return version

    def _wanted(self, name: str, version: int) -> EndpointFile:
        """What the server is to be. It is told digests of the keys, never the keys."""
        endpoint, keys = self._store.endpoints.get(name), self._store.endpoints.keys(name)
        # Our own senders' keys open the endpoint as the others do.
        own = {digest(key): origin.value for origin, key in origins.keys_of(self._store, name).items()}
        return EndpointFile(
            version=version,
            endpoint=name,
            host=ports.HOST,
            port=ports.port_of(endpoint.scoring_uri),
            key_digests=(digest(keys.primary), digest(keys.secondary), *own),
            origins=own,
            traffic=dict(endpoint.traffic),
            mirror=dict(endpoint.mirror),
            limits=endpoint.limits,
            telemetry_dir=str(self._paths.telemetry(name)),
            segment_s=self._settings.segment_s,
            status_file=str(self._paths.status_file(name)),
            deployments={d.name: self._wanted_deployment(name, d) for d in endpoint.deployments},
        )

    def _wanted_deployment(self, name: str, deployment: Deployment) -> DeploymentFile:
        model = self._store.models.get(deployment.model, deployment.model_version)
        folder = self._paths.model(model.name, model.job_id, model.trial)
        return endpoint_file.deployment(self._store.deployments.spec(name, deployment.name), str(folder))

    def _start(self, endpoint: Endpoint) -> None:
        name = endpoint.name
        ports.check_free(ports.port_of(endpoint.scoring_uri), f"endpoint '{name}'")
        environ = processes.environment(self._settings, threads=1)
        self._noted.discard(name)
        server = processes.spawn(self._command_of(name), log=self._paths.endpoint_log(name), environ=environ)
        self._started_at[name] = self._behind_since[name] = self._clock()
        hopeless = self._deaths.failures(name) >= QUICK_DEATHS_MAX
        self._observe(endpoint, EndpointState.FAILED if hopeless else EndpointState.STARTING, endpoint.error, server)
        self._noted.add(name)
        log.info("endpoint %s: server %d on port %d", name, server.pid, ports.port_of(endpoint.scoring_uri))

    def _bury(self, endpoint: Endpoint, server: Process) -> None:
        """A server died: end what it left, say why, and count towards the next start."""
        name = endpoint.name
        processes.signal_group(server, signal.SIGKILL)
        if self._uptime_s(name) >= STABLE_S:
            self._deaths.clear(name)
        deaths = self._deaths.failed(name)
        code = processes.exit_code(server)
        cause = logs.last_words(self._paths.endpoint_log(name)) or "its log does not say why"
        log.warning("endpoint %s: server %d died (exit %s): %s", name, server.pid, code, cause)
        state = EndpointState.FAILED if deaths >= QUICK_DEATHS_MAX else EndpointState.STARTING
        self._store.endpoints.observe(name, state, error=f"The server died: {cause}", restarts=endpoint.restarts + 1)

    def _look_at_server(self, endpoint: Endpoint, server: Process, version: int) -> None:
        name = endpoint.name
        status = endpoint_file.read_status(self._paths.status_file(name), [server.pid])
        # One that we started has what is installed: an older format of it is no news, and would be again.
        adopted = name not in self._started_at
        if status is not None and adopted and self._rolling.ends(name, server, status):
            self._observe(endpoint, EndpointState.STARTING, "", server)
            return
        if status is None or status.version < version or not self._answers(endpoint):
            self._wait(endpoint, server, status)
            return
        self._behind_since.pop(name, None)
        if not endpoint.settled:
            self._store.endpoints.observe_version(name, status.version)
        if self._uptime_s(name) >= STABLE_S:
            self._deaths.clear(name)
        failed = self._look_at_deployments(endpoint, status)
        whole = len(failed) == len(endpoint.deployments)
        state = EndpointState.READY if not failed else EndpointState.FAILED if whole else EndpointState.DEGRADED
        self._observe(endpoint, state, "; ".join(failed), server)

    def _look_at_deployments(self, endpoint: Endpoint, status: ServerStatus) -> list[str]:
        """Keep what changed; the causes of those that failed."""
        failed = []
        for deployment in endpoint.deployments:
            seen = status.deployments.get(deployment.name)
            if seen is None:
                continue
            state = DeploymentState(seen.state)
            if (state, seen.error) != (deployment.state, deployment.error):
                self._store.deployments.observe(endpoint.name, deployment.name, state, seen.error)
            if state is DeploymentState.FAILED:
                failed.append(f"Deployment '{deployment.name}' does not load: {seen.error}")
        return failed

    def _wait(self, endpoint: Endpoint, server: Process, status: ServerStatus | None) -> None:
        """The server owes us an answer: a new one is ended when it takes too long, a proven one serves on."""
        since = self._behind_since.setdefault(endpoint.name, self._clock())
        if self._clock() - since < self._settings.start_timeout_s:
            return
        if status is None:
            log.warning("endpoint %s: server %d did not come up, ending it", endpoint.name, server.pid)
            self._endings.gone(server)
        else:
            self._observe(endpoint, EndpointState.DEGRADED, "The server has not applied the latest change yet", server)

    def _answers(self, endpoint: Endpoint) -> bool:
        """Whether GET / is answered; asked only on the way to ready. 503 means: up, but no deployment is."""
        if endpoint.state in (EndpointState.READY, EndpointState.DEGRADED):
            return True
        connection = http.client.HTTPConnection(
            ports.HOST, ports.port_of(endpoint.scoring_uri), timeout=HEALTH_TIMEOUT_S
        )
        try:
            connection.request("GET", "/")
            return connection.getresponse().status in (200, 503)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _delete(self, endpoint: Endpoint, server: Process | None) -> None:
        if not self._endings.gone(server):
            return
        name = endpoint.name
        folder = self._paths.endpoint(name)
        if folder.exists():
            shutil.rmtree(folder)
        self._store.endpoints.drop(name)
        self._deaths.clear(name)
        self._rolling.ended(name)
        for memory in (self._astray, self._written, self._started_at, self._behind_since):
            memory.pop(name, None)
        log.info("endpoint %s: deleted", name)

    def _observe(self, endpoint: Endpoint, state: EndpointState, error: str, server: Process | None) -> None:
        """Write what was seen, where it is news."""
        known = (endpoint.state, endpoint.error, self._store.endpoints.server(endpoint.name))
        if (state, error, server) != known:
            self._store.endpoints.observe(endpoint.name, state, error=error, process=server, restarts=endpoint.restarts)

    def _uptime_s(self, name: str) -> float:
        """Since this service started the server; an adopted one counts as old."""
        return self._clock() - self._started_at.get(name, float("-inf"))
