"""Endpoints: deployments, traffic and keys; and requests to them, sent as any client sends them."""

import http.client
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from core.domain.endpoint import (
    DEPLOYMENT_HEADER,
    Deployment,
    DeploymentSpec,
    Endpoint,
    EndpointKeys,
    EndpointSpec,
    EndpointState,
    ScoreReply,
    check_answered_for,
    check_traffic,
)
from core.domain.errors import Conflict, PortInUse, ServiceUnavailable, SpecInvalid
from core.domain.job import LogLine
from core.domain.keys import KEY_BYTES, check_header
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.rules import check_limit
from core.durable import storage_error
from core.local import endpoint_file, origins
from core.local.alerting import retire
from core.local.context import Context
from core.local.machine.logs import LEVELS, server_log
from core.local.machine.ports import HOST, port_of
from core.local.queue import gate_job
from core.local.store import transactions
from core.packaging.export import export
from core.workspace.endpoints import Endpoints

INVOKE_TIMEOUT_S = 60.0


class LocalEndpoints(Endpoints):
    """Writes what is wanted to the store; the service makes it so. Requests go to the scoring servers themselves."""

    reasons = dict.fromkeys(("endpoints.autoscale", "endpoints.set_autoscale"), "This machine has no instances to add")

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, spec: EndpointSpec) -> Endpoint:
        if any(
            known.name == spec.name and known.state is not EndpointState.DELETING
            for known in self._context.store.endpoints.list()
        ):
            raise Conflict(f"There is an endpoint '{spec.name}' already", hint="Choose another name, or use it")
        self._context.store.endpoints.add(spec, self._port(port_of(spec.address)), _new_keys(), self._context.clock())
        return self._context.store.endpoints.get(spec.name)

    def update(self, name: str, changes: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None) -> Endpoint:
        self._context.store.endpoints.change_limits(name, changes, expected or {})
        return self._context.store.endpoints.get(name)

    def list(self) -> tuple[Endpoint, ...]:
        return self._context.store.endpoints.list()

    def get(self, name: str) -> Endpoint:
        return self._context.store.endpoints.get(name)

    def deploy(self, spec: DeploymentSpec) -> Deployment:
        if spec.instances or spec.size:
            raise SpecInvalid(
                "There are no machines to choose here: this one serves", hint="Leave instances and size out"
            )
        model = self._context.store.models.get(spec.model, spec.model_version)
        spec = replace(spec, model_version=model.version, name=spec.name or f"v{model.version}")
        # Whether there is such an endpoint is asked in the transaction: one may come or go until then.
        create = (EndpointSpec(spec.endpoint), self._port(0), _new_keys())
        return transactions.deploy(
            self._context.store, spec, gate_job(self._context, spec), self._context.clock(), create=create
        )

    def delete_deployment(self, endpoint: str, name: str) -> None:
        self._context.store.deployments.drop(endpoint, name)

    def delete(self, name: str) -> None:
        with self._context.store.write() as tx:
            tx.endpoints.mark_deleting(name)
            retire(tx, name, self._context.clock())

    def set_traffic(
        self,
        endpoint: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        by: str = "",
        expected: Mapping[str, int] | None = None,
    ) -> Endpoint:
        check_traffic(traffic, mirror)
        check_answered_for(force, by)
        self._context.store.endpoints.set_traffic(
            endpoint, traffic, mirror, self._context.clock(), by if force else "", expected
        )
        return self._context.store.endpoints.get(endpoint)

    def keys(self, name: str) -> EndpointKeys:
        return self._context.store.endpoints.keys(name)

    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        if which not in ("primary", "secondary"):
            raise SpecInvalid(f"A key is 'primary' or 'secondary', got '{which}'")
        return self._context.store.endpoints.set_key(name, which, _new_key())

    def target(self, name: str, origin: Origin) -> Target:
        uri = self._context.store.endpoints.get(name).scoring_uri
        return Target(uri.removesuffix("/score"), origins.key_of(self._context.store, name, origin))

    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        key = origins.key_of(self._context.store, name, origin)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        if deployment:
            check_header(deployment, "The deployment's name")
            headers[DEPLOYMENT_HEADER] = deployment
        return self._request(name, "POST", "/score", body, headers)

    def swagger(self, name: str, version: str = "2") -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {self._context.store.endpoints.keys(name).primary}"}
        reply = self._request(name, "GET", f"/swagger.json?version={version}", b"", headers)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise ServiceUnavailable(
                f"Endpoint '{name}' returned no document (status {reply.status})", hint=str(reply.body)
            )
        return reply.body

    def package(self, name: str, folder: Path, *, deployment: str = "") -> Path:
        endpoint = self._context.store.endpoints.get(name)
        if not endpoint.deployments:
            raise Conflict(f"Endpoint '{name}' has no deployment", hint="Deploy a model to it first")
        chosen = self._context.store.deployments.get(name, deployment) if deployment else _most_used(endpoint)
        spec = self._context.store.deployments.spec(name, chosen.name)
        model = self._context.store.models.get(chosen.model, chosen.model_version)
        described = {
            "endpoint": name,
            "name": chosen.name,
            "limits": msgspec.to_builtins(endpoint.limits),
            "deployment": msgspec.to_builtins(endpoint_file.deployment(spec, "")),
        }
        try:
            export(self._context.paths.model(model.name, model.job_id, model.trial), folder.absolute(), described)
        except OSError as e:
            raise storage_error(e, f"package endpoint '{name}'") from e
        return folder

    def logs(self, name: str, limit: int = 1000, *, level: str = "", request_id: str = "") -> tuple[LogLine, ...]:
        self._context.store.endpoints.get(name)
        if level and level not in LEVELS:
            raise SpecInvalid(f"A level is one of {', '.join(LEVELS)}, got '{level}'")
        return server_log(
            self._context.paths.endpoint_log(name), check_limit(limit), level=level, request_id=request_id
        )

    def _request(self, name: str, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> ScoreReply:
        port = port_of(self._context.store.endpoints.get(name).scoring_uri)
        connection = http.client.HTTPConnection(HOST, port, timeout=INVOKE_TIMEOUT_S)
        start_s = time.perf_counter()
        try:
            connection.request(method, path, body=body or None, headers=dict(headers))
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as e:
            raise ServiceUnavailable(
                f"Endpoint '{name}' does not answer on port {port}", hint="`endpoint get` shows its state and the cause"
            ) from e
        finally:
            connection.close()
        elapsed_ms = (time.perf_counter() - start_s) * 1000
        return ScoreReply(response.status, _parsed(raw), {k.lower(): v for k, v in response.getheaders()}, elapsed_ms)

    def _port(self, wanted: int) -> int:
        """`wanted` when it is free now, any free one for 0; the store keeps it for good. Raises PortInUse."""
        taken = {port_of(endpoint.scoring_uri) for endpoint in self._context.store.endpoints.list()}
        while True:
            port = _free_port(wanted)
            if wanted or port not in taken:
                return port


def _most_used(endpoint: Endpoint) -> Deployment:
    """The deployment with most traffic, else the newest."""
    return max(endpoint.deployments, key=lambda d: (endpoint.traffic.get(d.name, 0), d.created_at))


def _free_port(wanted: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as e:
            raise PortInUse(f"Port {wanted} cannot be used: {e.strerror}", hint="Choose another, or 0 for any") from e
        port: int = probe.getsockname()[1]
        return port


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def _new_keys() -> EndpointKeys:
    return EndpointKeys(_new_key(), _new_key())


def _parsed(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")
