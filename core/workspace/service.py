"""The process that carries out what is asked for, where a workspace has one of its own; and its upkeep."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from core.domain.monitoring import BackupReport, Finding, ServiceStatus
from core.domain.resources import Resource
from core.workspace.collection import Collection


class Service(Collection):
    """The process that carries out what is asked for, where a workspace has one of its own; and its upkeep."""

    noun = "service"

    def start(self) -> ServiceStatus:
        """Start the service, detached, unless it runs; wait until it answers. Raises ServiceUnavailable, PortInUse."""
        self._cannot("start")

    def run(self) -> NoReturn:
        """Become the service, in this process and in the foreground, so that signals reach it; never comes back."""
        self._cannot("run")

    def stop(self) -> ServiceStatus:
        """Stop the service, if it runs, and what it started; a running job resumes at the next start."""
        self._cannot("stop")

    def status(self) -> ServiceStatus:
        """Whether the service runs, and what it does; starts nothing."""
        self._cannot("status")

    def key(self) -> str:
        """The key of the service's HTTP door. Raises ServiceUnavailable before its first start."""
        self._cannot("key")

    def backup(self, path: Path) -> BackupReport:
        """Write everything that the workspace keeps to one file."""
        self._cannot("backup")

    def restore(self, path: Path) -> BackupReport:
        """Replace an empty workspace by a backup. Raises Conflict when it is not empty."""
        self._cannot("restore")

    def doctor(self) -> Iterator[Finding]:
        """Look at everything that could be wrong, one finding at a time."""
        self._cannot("doctor")

    def resources(self) -> tuple[Resource, ...]:
        """What runs or fires until somebody ends it, with what it costs an hour; the dearest first."""
        self._cannot("resources")

    def teardown(self) -> tuple[Resource, ...]:
        """Remove what Slipway made and that runs, fires or costs, and give what that was; data, models and runs stay.

        It may be listed for a while, until it is gone.
        """
        self._cannot("teardown")
