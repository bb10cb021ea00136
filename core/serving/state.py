"""What the server is at this moment: the endpoint file and the deployments that it names, swapped as one value."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from core.contract.openapi import document
from core.domain.errors import SpecInvalid
from core.serving import endpoint_file
from core.serving.deployment import Deployment, Load, assemble, load_deployment
from core.serving.endpoint_file import EndpointFile
from core.serving.refusals import DeploymentUnknown, NotReady

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the endpoint. A request keeps the snapshot it began with, so a change drops none."""

    file: EndpointFile
    deployments: Mapping[str, Deployment]
    failures: Mapping[str, str]
    """Deployments that do not load, with what the traceback ends with, on one line."""
    _documents: dict[str, bytes] = field(default_factory=dict)

    def choose(self, name: str, draw: Callable[[], float]) -> Deployment:
        """The deployment of that name; without one, by traffic, where `draw` gives a number in [0, 1).

        Traffic of a deployment that is not ready goes to the others. Raises DeploymentUnknown, NotReady.
        """
        if name:
            return self._named(name)
        live = [(self.deployments[n], share) for n, share in self.file.traffic.items() if n in self.deployments]
        total = sum(share for _, share in live)
        if total <= 0:
            raise NotReady("No deployment is ready and has traffic", hint="Give traffic to a deployment")
        if len(live) == 1:
            return live[0][0]
        point = draw() * total
        for deployment, share in live:
            point -= share
            if point < 0:
                return deployment
        return next(deployment for deployment, share in reversed(live) if share > 0)

    def document(self, version: str) -> bytes:
        """The published document of the deployment with the most traffic. Raises NotFound, NotReady."""
        if (made := self._documents.get(version)) is None:
            made = msgspec.json.encode(self._document(version))
            self._documents[version] = made
        return made

    def _named(self, name: str) -> Deployment:
        if name in self.deployments:
            return self.deployments[name]
        if name in self.failures:
            raise NotReady(f"Deployment '{name}' does not load", hint="Another deployment may answer")
        raise DeploymentUnknown(
            f"There is no deployment '{name[:40]}'", hint="Leave out azureml-model-deployment to be routed by traffic"
        )

    def _document(self, version: str) -> dict[str, Any]:
        if not self.deployments:
            raise NotReady("No deployment is ready, so there is nothing to document yet")
        chief = max(self.deployments.values(), key=lambda d: (self.file.traffic.get(d.name, 0), d.file.model_version))
        return document(
            chief.predictor.signature,
            title=self.file.endpoint,
            version=version,
            model_version=str(chief.file.model_version),
            limits=self.file.limits,
            legacy_reply=chief.file.legacy_reply,
            primary_form=chief.file.primary_form,
            unseen_accept=chief.unseen_accept,
        )

    def report(self) -> dict[str, Any]:
        """What the status file says of this version."""
        ready = {name: {"state": "ready", "error": ""} for name in self.deployments}
        failed = {name: {"state": "failed", "error": error} for name, error in self.failures.items()}
        return {"version": self.file.version, "deployments": ready | failed}


class State:
    """Keeps `now` in step with the endpoint file."""

    def __init__(self, path: Path, load: Load) -> None:
        """Read the file and load what it names. Raises SpecInvalid when it cannot be read."""
        self._path, self._load = path, load
        self._stamp = endpoint_file.stamp(path)
        self.now = self._build(endpoint_file.read(path), {})

    def refresh(self) -> bool:
        """Take up the file when it has changed; True when `now` is another. A damaged file changes nothing."""
        stamp = endpoint_file.stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            file = endpoint_file.read(self._path)
        except SpecInvalid as e:
            log.error("%s; serving on with version %d", e.message, self.now.file.version)
            return False
        self.now = self._build(file, self.now.deployments)
        return True

    async def watch(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """Refresh for ever, and `tell` the report of each new version. Loads beside the event loop."""
        while True:
            await asyncio.sleep(endpoint_file.POLL_S)
            if await asyncio.to_thread(self.refresh):
                tell(self.now.report())

    def _build(self, file: EndpointFile, before: Mapping[str, Deployment]) -> Snapshot:
        deployments, failures = {}, {}
        for name, wanted in file.deployments.items():
            old = before.get(name)
            if old is not None and (old.file, old.limits) == (wanted, file.limits):
                deployments[name] = old
                continue
            try:
                if old is not None and old.file.folder == wanted.folder:
                    deployments[name] = assemble(name, wanted, file.limits, old.predictor)
                else:
                    deployments[name] = load_deployment(name, wanted, file.limits, self._load)
            except Exception as e:
                failures[name] = " ".join(traceback.format_exception_only(e)[-1].split())
                log.error("deployment %s does not load: %s", name, failures[name], exc_info=e)
        return Snapshot(file, deployments, failures)
