"""A real quickstart in a folder of its own, as a subprocess; and the proof that nothing of it lives on."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from waiting import wait_until

from core.domain.errors import SlipwayError
from core.local.paths import Paths
from core.settings import CHECKOUT, Settings, read_settings
from core.workspace import Workspace, open_workspace

SHARED = CHECKOUT.parent / "shared"
STOP_TIMEOUT_S = 60.0


def environment(home: Path) -> dict[str, str]:
    """This process's environment with settings of a test's own: its folder, no network, the real tables if any."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    return {
        **inherited,
        "SLIPWAY_HOME": str(home),
        "SLIPWAY_OFFLINE": "1",
        "SLIPWAY_READ_DIR": str(home / "read"),
        "SLIPWAY_DATA_DIR": str(SHARED / "data" if (SHARED / "data").is_dir() else home / "no-tables"),
    }


def command(
    home: Path, *words: str, timeout_s: float = 240.0, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m core ...` to its end, with `environ` besides the usual settings."""
    line = [sys.executable, "-m", "core", *words]
    environ = environment(home) | dict(environ or {})
    return subprocess.run(
        line, cwd=CHECKOUT, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def run_quickstart(home: Path, *words: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The document of a quickstart; fails with what it said when it gave an error instead."""
    ran = command(home, "quickstart", "--json", *words, environ=environ)
    assert ran.stdout.count("\n") == 1, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    report: dict[str, Any] = json.loads(ran.stdout)
    assert "error" not in report, f"{report}\n{ran.stderr}"
    return report


def alive_in(home: Path) -> list[psutil.Process]:
    """Every process that works for the workspace in `home`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("SLIPWAY_HOME") == str(home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def close(home: Path) -> None:
    """Stop the service with all that it started. Fails, after killing it, when something lives on."""
    try:
        wait_until(lambda: _stopped(home), STOP_TIMEOUT_S)
    except AssertionError:
        left = alive_in(home)
        lines = [" ".join(process.cmdline()) for process in left]
        for process in left:
            process.kill()
        raise AssertionError(f"Left behind by the workspace: {lines}") from None


def _stopped(home: Path) -> bool:
    """Ask for it, again where it was too early: a service that is only coming up is not there to be stopped.

    By the door that the command `service stop` goes through: a process of its own costs more than most tests.
    """
    if alive_in(home):
        with suppress(SlipwayError):  # what does not end is found alive
            open_workspace(read_settings(environment(home))).service.stop()
        return not alive_in(home)
    return True


@dataclass(frozen=True)
class Live:
    """What a finished quickstart left running."""

    home: Path
    settings: Settings
    workspace: Workspace
    report: dict[str, Any]

    @property
    def endpoint(self) -> str:
        return str(self.report["endpoint"]["name"])

    @property
    def scoring_uri(self) -> str:
        return str(self.report["endpoint"]["scoring_uri"])

    @property
    def swagger_uri(self) -> str:
        return str(self.report["endpoint"]["swagger_uri"])

    @property
    def url(self) -> str:
        """The server's root, without a trailing slash."""
        return self.scoring_uri.removesuffix("/score")

    @property
    def key(self) -> str:
        return str(self.report["endpoint"]["primary_key"])

    @property
    def model_folder(self) -> Path:
        named = self.report["model"]
        model = self.workspace.models.get(named["name"], named["version"])
        return Paths(self.workspace.settings.home).model(model.name, model.job_id, model.trial)


def go_live(home: Path, *words: str, environ: Mapping[str, str] | None = None) -> Live:
    """Run the quickstart in `home` and give what it left running; `close(home)` ends it."""
    report = run_quickstart(home, *words, environ=environ)
    settings = read_settings(environment(home))
    return Live(home, settings, open_workspace(settings), report)
