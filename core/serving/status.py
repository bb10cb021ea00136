"""The status file: what the endpoint's workers have taken up, for whoever supervises them."""

import logging
import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from core.contract.endpoint_file import FORMAT, DeploymentStatus, ServerStatus, WorkerReport
from core.serving.spells import Spell

log = logging.getLogger(__name__)


class Status:
    """Merges the reports of all workers and writes them atomically, 0600.

    Version and format are the oldest among the workers; a deployment is ready when no worker failed to load it.
    """

    def __init__(self, path: Path, port: int) -> None:
        self._path, self._port = path, port
        self._reports: dict[int, WorkerReport] = {}
        self._spell = Spell("the status file")

    def heard(self, worker: int, line: bytes) -> None:
        """Take in a line that a worker wrote; what is no report changes nothing."""
        try:
            self._reports[worker] = msgspec.json.decode(line, type=WorkerReport)
        except msgspec.DecodeError as e:
            log.error("worker %d said what is no report: %s", worker, e)
            return
        self._spell.attempt(self._write)

    def lost(self, worker: int) -> None:
        """A worker ended: what it said no longer holds."""
        if self._reports.pop(worker, None) is not None:
            self._spell.attempt(self._write)

    def retry(self) -> None:
        """Write again what could not be written the last time."""
        if self._spell.lasts:
            self._spell.attempt(self._write)

    def _write(self) -> None:
        content = msgspec.json.encode(_merged(self._reports.values(), self._port))
        path = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        path.replace(self._path)


def _merged(reports: Collection[WorkerReport], port: int) -> ServerStatus:
    deployments: dict[str, DeploymentStatus] = {}
    for report in reports:
        for name, said in report.deployments.items():
            if name not in deployments or deployments[name].state != "failed":
                deployments[name] = said
    return ServerStatus(
        pid=os.getpid(),
        port=port,
        version=min((r.version for r in reports), default=0),
        format=min((r.format for r in reports), default=FORMAT),
        deployments=deployments,
    )
