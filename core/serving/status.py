"""The status file: what the endpoint's workers have taken up, for whoever supervises them."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.serving.spells import Spell

log = logging.getLogger(__name__)


class Report(msgspec.Struct):
    """What one worker said last."""

    version: int
    deployments: dict[str, dict[str, str]]


class Status:
    """Merges the reports of all workers and writes them atomically, 0600.

    The version is the oldest among the workers; a deployment is ready when no worker failed to load it.
    """

    def __init__(self, path: Path, port: int) -> None:
        self._path, self._port = path, port
        self._reports: dict[int, Report] = {}
        self._spell = Spell("the status file")

    def heard(self, worker: int, line: bytes) -> None:
        """Take in a line that a worker wrote; what is no report changes nothing."""
        try:
            self._reports[worker] = msgspec.json.decode(line, type=Report)
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
        content = msgspec.json.encode({"pid": os.getpid(), "port": self._port, **_merged(self._reports)})
        path = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        path.replace(self._path)


def _merged(reports: Mapping[int, Report]) -> dict[str, Any]:
    deployments: dict[str, dict[str, str]] = {}
    for report in reports.values():
        for name, said in report.deployments.items():
            if deployments.get(name, {}).get("state") != "failed":
                deployments[name] = said
    return {"version": min((r.version for r in reports.values()), default=0), "deployments": deployments}
