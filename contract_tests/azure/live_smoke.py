"""The whole lifecycle on a real subscription, by hand: `python -m contract_tests.azure.live_smoke --record FILE`.

It is the one thing that can tell whether the emulation tells the truth. It makes a cluster, trains for 15 minutes, and
runs one endpoint for about an hour, which costs a few dollars; the teardown at its end removes all that Slipway has
made. The README names the variables that it reads. Everything that went over the wire is recorded without secrets, in
the form that `python -m contract_tests.azure.compare` holds against the emulation.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contract_tests.azure.recorder import recording
from core.azure.target import read_target
from core.domain.errors import SlipwayError
from core.settings import read_settings

Say = Callable[[str], None]
ENDPOINT = "bank-marketing"
MODEL = "bank-marketing"
PIPELINE = "Smoke"
SCHEDULE = "smoke-daily"


class Failed(Exception):
    """A step did not do what it should."""


class Smoke:
    """The lifecycle, one command line after the other; each is told with its time."""

    def __init__(self, environ: Mapping[str, str], timeout_s: float, say: Say) -> None:
        self._environ, self._timeout_s, self._say = environ, timeout_s, say

    def run(self, *words: str, may_fail: bool = False) -> Any:
        """The document that a command prints. Raises Failed."""
        began = time.monotonic()
        line = [sys.executable, "-m", "core", *words, "--workspace", "azure", "--json"]
        ran = subprocess.run(line, capture_output=True, text=True, env=dict(self._environ), check=False)
        told = " ".join(words)
        if ran.returncode and not may_fail:
            raise Failed(f"{told}: exit code {ran.returncode}\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
        self._say(f"{time.monotonic() - began:7.1f} s  {told}")
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    def lifecycle(self, data: str, target: str) -> None:
        """From the doctor to a schedule, as the command line has it."""
        self.run("doctor", may_fail=True)
        found = self.run("quickstart", "--data", data, "--target", target, "--timeout", f"{self._timeout_s:g}")
        job = found["job"]["id"]
        _expect(found["score"]["status"] == 200, "the endpoint answers two rows")
        self.run("job", "trials", job)
        self.run("endpoint", "get", ENDPOINT)
        self.run("endpoint", "keys", ENDPOINT)
        self.run("endpoint", "rotate-key", ENDPOINT, "secondary")
        self.run("endpoint", "logs", ENDPOINT)
        self.run("endpoint", "swagger", ENDPOINT)
        self.run("endpoint", "telemetry", ENDPOINT, may_fail=True)
        self.run("pipeline", "create", "--from-job", job, "--name", PIPELINE, "--publish")
        run = self.run("pipeline", "trigger", PIPELINE, "--wait")
        _expect(run["state"] == "succeeded", "the pipeline's run succeeds")
        self.run("schedule", "create", SCHEDULE, "--pipeline", PIPELINE, "--every", "day")
        self.run("schedule", "disable", SCHEDULE)
        self.run("schedule", "delete", SCHEDULE)

    def teardown(self) -> None:
        """Remove all that Slipway has made."""
        self.run("azure", "teardown", "--yes")


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(f"It does not hold that {what}")


def main(argv: list[str]) -> int:
    """0: everything worked; 1: a step failed, and the teardown was tried all the same; 2: wrong use."""
    options = argparse.ArgumentParser(prog="live_smoke", description=__doc__)
    options.add_argument("--record", metavar="FILE", type=Path, required=True, help="where the recording goes")
    options.add_argument("--data", default="bankmarketing_train", help="the table (default: %(default)s)")
    options.add_argument("--target", default="y", help="the column to predict (default: %(default)s)")
    options.add_argument("--timeout", type=float, default=900.0, help="seconds of training (default: %(default)s)")
    options.add_argument("--keep", action="store_true", help="remove nothing at the end")
    chosen = options.parse_args(argv)
    try:
        target = read_target(read_settings(os.environ))
    except SlipwayError as e:
        print(f"{e.message}\n{e.hint}", file=sys.stderr)
        return 2
    return _recorded(
        chosen,
        names={
            target.subscription: "00000000-0000-0000-0000-000000000",
            f"/resourceGroups/{target.resource_group}/": "/resourceGroups/00000/",
            f"/workspaces/{target.workspace}": "/workspaces/00000",
            os.environ.get("AZURE_TENANT_ID", ""): "00000000-0000-0000-0000-000000000",
            os.environ.get("AZURE_CLIENT_ID", ""): "00000000-0000-0000-0000-000000000",
        },
    )


def _recorded(chosen: argparse.Namespace, names: Mapping[str, str]) -> int:
    code = 0
    with recording(chosen.record, names) as given:
        smoke = Smoke({**os.environ, **given}, chosen.timeout, print)
        try:
            smoke.lifecycle(chosen.data, chosen.target)
        except Failed as e:
            print(e, file=sys.stderr)
            code = 1
        finally:
            if not chosen.keep:
                smoke.teardown()
    print(f"Recorded in {chosen.record}. Compare: python -m contract_tests.azure.compare {chosen.record}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
