"""What the server is at this moment: the endpoint file and the deployments that it names, swapped as one value."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from core.contract.endpoint_file import FORMAT, DeploymentFile, DeploymentStatus, EndpointFile, WorkerReport
from core.contract.openapi import document
from core.domain.endpoint import DEPLOYMENT_HEADER, EndpointLimits
from core.domain.errors import SpecInvalid
from core.serving import endpoint_file
from core.serving.deployment import Deployment, Load, adapted, load_deployment
from core.serving.refusals import DeploymentUnknown, NotReady

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the endpoint. A request keeps the snapshot it began with, so a change drops none."""

    file: EndpointFile
    deployments: Mapping[str, Deployment]
    failures: Mapping[str, str]
    """Deployments that do not load, with what the traceback ends with, on one line."""
    loading: frozenset[str] = frozenset()
    """Deployments whose model is not loaded yet; one that has another model meanwhile answers with that."""
    leaving: Mapping[str, int] = field(default_factory=dict)
    """Traffic as it was before, for as long as nothing is loaded that has traffic now."""
    _documents: dict[str, bytes] = field(default_factory=dict)

    @property
    def traffic(self) -> Mapping[str, int]:
        """The traffic in force."""
        return self.leaving or self.file.traffic

    def choose(self, name: str, draw: Callable[[], float]) -> Deployment:
        """The deployment of that name; without one, by traffic, where `draw` gives a number in [0, 1).

        Traffic of a deployment that is not ready goes to the others. Raises DeploymentUnknown, NotReady.
        """
        if name:
            return self._named(name)
        live = [(self.deployments[n], share) for n, share in self.traffic.items() if n in self.deployments]
        total = sum(share for _, share in live)
        if total <= 0:
            raise NotReady("No deployment is ready and has traffic", hint="Give a deployment traffic")
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
        if name in self.loading:
            raise NotReady(f"Deployment '{name}' is being loaded", hint="Try again in a moment")
        raise DeploymentUnknown(
            f"There is no deployment '{name[:40]}'", hint=f"Leave out {DEPLOYMENT_HEADER} to be routed by traffic"
        )

    def _document(self, version: str) -> dict[str, Any]:
        if not self.deployments:
            raise NotReady("No deployment is ready, so there is no document yet")
        chief = max(self.deployments.values(), key=lambda d: (self.traffic.get(d.name, 0), d.file.model_version))
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

    def report(self) -> WorkerReport:
        """What the status file says of this version."""
        ready = {name: DeploymentStatus("ready") for name in self.deployments}
        failed = {name: DeploymentStatus("failed", error) for name, error in self.failures.items()}
        return WorkerReport(self.file.version, ready | failed, FORMAT)


class State:
    """Keeps `now` in step with the endpoint file, in two steps.

    What needs no model is in force at once: keys, traffic, limits, the settings of models that are here. Models are
    loaded after that, one by one, each in force as soon as it is there. Each step has a thread of its own, which waits
    for nothing that a request may ask for.
    """

    def __init__(self, path: Path, load: Load) -> None:
        """Read the file and load what it names. Raises SpecInvalid when it cannot be read."""
        self._path, self._load = path, load
        self._stamp = endpoint_file.stamp(path)
        self._taking_up, self._loading = _thread("take-up"), _thread("load")
        self.now = _known(endpoint_file.read(path), None)
        self._load_all()

    def refresh(self) -> bool:
        """Take up the file, models and all, when it has changed; True when `now` is another.

        A damaged file changes nothing.
        """
        if (file := self._changed()) is None:
            return False
        self.now = _known(file, self.now)
        self._load_all()
        return True

    async def watch(self, tell: Callable[[WorkerReport], None]) -> None:
        """Follow the file for ever, and `tell` the report of each version whose models are loaded."""
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        loader = asyncio.create_task(self._load_on(wake, tell))
        try:
            while not loader.done():
                await asyncio.sleep(endpoint_file.POLL_S)
                file = await loop.run_in_executor(self._taking_up, self._changed)
                if file is not None:
                    await self._take_up(file)
                    wake.set()
            loader.result()
        finally:
            loader.cancel()

    def close(self) -> None:
        """Let go of the threads; what is being loaded is not waited for."""
        self._taking_up.shutdown(wait=False)
        self._loading.shutdown(wait=False, cancel_futures=True)

    async def _take_up(self, file: EndpointFile) -> None:
        while True:
            before = self.now
            made = await asyncio.get_running_loop().run_in_executor(self._taking_up, _known, file, before)
            if before is self.now:  # else a model was loaded meanwhile
                self.now = made
                return

    async def _load_on(self, wake: asyncio.Event, tell: Callable[[WorkerReport], None]) -> None:
        """Load what is missing, whenever woken."""
        loop = asyncio.get_running_loop()
        while await wake.wait():
            wake.clear()
            while self.now.loading:
                name, wanted, limits = self._next()
                loaded = await loop.run_in_executor(self._loading, self._loaded, name, wanted, limits)
                self._put(name, wanted, loaded)
            tell(self.now.report())

    def _changed(self) -> EndpointFile | None:
        """The file, when it is another than before and can be read."""
        stamp = endpoint_file.stamp(self._path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            return endpoint_file.read(self._path)
        except SpecInvalid as e:
            log.error("%s; serving on with version %d", e.message, self.now.file.version)
            return None

    def _load_all(self) -> None:
        while self.now.loading:
            name, wanted, limits = self._next()
            self._put(name, wanted, self._loaded(name, wanted, limits))

    def _next(self) -> tuple[str, DeploymentFile, EndpointLimits]:
        file = self.now.file
        name = next(name for name in file.deployments if name in self.now.loading)
        return name, file.deployments[name], file.limits

    def _loaded(self, name: str, wanted: DeploymentFile, limits: EndpointLimits) -> Deployment | str:
        """The deployment, or why it does not load."""
        try:
            return load_deployment(name, wanted, limits, self._load)
        except Exception as e:
            cause = " ".join(traceback.format_exception_only(e)[-1].split())
            log.error("deployment %s does not load: %s", name, cause, exc_info=e)
            return cause

    def _put(self, name: str, wanted: DeploymentFile, loaded: Deployment | str) -> None:
        """Take in what was loaded, as far as it is still wanted."""
        now = self.now
        if name not in now.loading or now.file.deployments[name].folder != wanted.folder:
            return
        available = {other: deployment for other, deployment in now.deployments.items() if other != name}
        failures = {other: cause for other, cause in now.failures.items() if other != name}
        if isinstance(loaded, str):
            failures[name] = loaded
        else:
            available[name] = adapted(loaded, now.file.deployments[name], now.file.limits)
        self.now = _snapshot(now.file, available, failures, now.loading - {name}, now.leaving)


def _known(file: EndpointFile, before: Snapshot | None) -> Snapshot:
    """The endpoint with what is loaded already. What did not load before is tried again."""
    if before is None:
        return Snapshot(file, {}, {}, frozenset(file.deployments))
    here = before.deployments
    folders = {name: deployment.file.folder for name, deployment in here.items()}
    loading = {name for name, wanted in file.deployments.items() if folders.get(name) != wanted.folder}
    available = {
        name: adapted(old, old.file if name in loading else file.deployments.get(name, old.file), file.limits)
        for name, old in here.items()
    }
    failures = {name: cause for name, cause in before.failures.items() if name in file.deployments}
    return _snapshot(file, available, failures, frozenset(loading), before.traffic)


def _snapshot(
    file: EndpointFile,
    available: Mapping[str, Deployment],
    failures: Mapping[str, str],
    loading: frozenset[str],
    before: Mapping[str, int],
) -> Snapshot:
    """Where all traffic is for models that are being loaded, it stays as it was `before`, so that it is answered."""
    live = any(file.traffic.get(name, 0) > 0 for name in available if name in file.deployments)
    awaited = any(file.traffic.get(name, 0) > 0 for name in loading)
    leaving = {name: share for name, share in before.items() if name in available} if awaited and not live else {}
    deployments = {name: d for name, d in available.items() if name in file.deployments or name in leaving}
    return Snapshot(file, deployments, failures, loading, leaving)


def _thread(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=name)
