"""The endpoints and deployments that Azure has, and what is asked of one of them."""

import time
from collections.abc import Callable
from typing import Any

from core.azure import container_log, sdk
from core.azure.context import ARM_SCOPE, Context
from core.azure.errors import plain
from core.azure.known import explained
from core.azure.serving import Served, azure_name, served
from core.domain.endpoint import DeploymentState
from core.domain.errors import EndpointNotFound, ServiceUnavailable, SlipwayError

LOOK_S = 5.0
LOOK_FIRST_S = 0.25
PATIENCE_S = 3600.0
"""Azure itself gives a deployment up before."""
LOG_LINES = 5000
ARM = "https://management.azure.com"


class Deployments:
    """Deployments of the workspace, read from Azure each time."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def endpoint(self, name: str) -> Any:
        """The SDK's endpoint. Raises EndpointNotFound."""
        with self._context.asking("endpoint", name) as client:
            return client.online_endpoints.get(name)

    def of(self, endpoint: str) -> tuple[Served, ...]:
        """All deployments of an endpoint, oldest first. Raises EndpointNotFound."""
        with self._context.asking("endpoint", endpoint) as client:
            found = [served(each) for each in client.online_deployments.list(endpoint)]
        return tuple(sorted(found, key=lambda each: each.created_at))

    def get(self, endpoint: str, name: str) -> Served:
        """One deployment. Raises EndpointNotFound that names those which are there."""
        known = self.of(endpoint)
        wanted = known_name(name, tuple(each.name for each in known))
        for each in known:
            if each.name == wanted:
                return each
        raise missing(endpoint, name, tuple(each.name for each in known))

    def ended(self, endpoint: str, name: str, sleep: Callable[[float], None] = time.sleep) -> Served:
        """A deployment once Azure has made it, or has failed to. Raises EndpointNotFound, ServiceUnavailable."""
        wait_s, waited_s = LOOK_FIRST_S, 0.0
        while (found := self.get(endpoint, name)).state is DeploymentState.STARTING:
            if waited_s > PATIENCE_S:
                raise ServiceUnavailable(
                    f"Deployment '{endpoint}/{name}' is not ready after {PATIENCE_S / 60:.0f} min",
                    hint="Look at its log: python -m core endpoint logs",
                )
            sleep(wait_s)
            wait_s, waited_s = min(LOOK_S, wait_s * 1.5), waited_s + wait_s
        return found

    def log(self, deployment: Served, limit: int = LOG_LINES) -> str:
        """The text of its container's log: of the server, or, where there is none yet, of what fetches the model."""
        with self._context.asking("endpoint", deployment.endpoint) as client:
            for container in (None, "storage-initializer"):
                text = client.online_deployments.get_logs(
                    name=deployment.name, endpoint_name=deployment.endpoint, lines=limit, container_type=container
                )
                if text.strip():
                    return str(text)
        return ""

    def cause(self, deployment: Served) -> str:
        """Why it has failed, in one line; empty where its log says nothing."""
        try:
            log = self.log(deployment)
            cause = container_log.cause(log) or self._refusal(deployment)
        except SlipwayError as e:
            return plain(e.message)
        way_out = explained(f"{cause}\n{log}")
        return f"{cause}. {way_out.way_out}" if cause and way_out else cause

    def _refusal(self, deployment: Served) -> str:
        """What the operation that was to make it has ended with; empty where Azure keeps it no more."""
        if not deployment.operation.startswith(f"{ARM}/"):
            return ""
        reply = self._context.http("GET", deployment.operation, scope=ARM_SCOPE)
        said = reply.json().get("error") if reply.status_code == 200 else None
        return plain(str(said.get("message") or "")) if isinstance(said, dict) else ""


def known_name(name: str, known: tuple[str, ...]) -> str:
    """The deployment that is meant: `v1` is called `d-v1` on Azure."""
    return name if name in known or not name else azure_name(name)


def missing(endpoint: str, name: str, known: tuple[str, ...]) -> EndpointNotFound:
    return EndpointNotFound(
        f"Endpoint '{endpoint}' has no deployment '{name}'",
        hint=f"It has {', '.join(known)}" if known else "Nothing is deployed to it",
    )


def entities() -> Any:
    """The SDK's classes."""
    return sdk.module("azure.ai.ml.entities")
