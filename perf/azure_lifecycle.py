"""How much longer the lifecycle takes on the emulation of Azure ML than here: `python -m perf.azure_lifecycle`.

Both in one process, taking turns, with the same table and the same seconds of training; loading Azure's SDK is not
counted. Prints the seconds of each phase and the difference of the medians.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from core.azure import sdk
from core.azure.workspace import open_azure
from core.emulator.emulation import Options
from core.emulator.server import emulated
from core.local.workspace import open_local
from core.quickstart import QuickstartOptions, run
from core.settings import Settings, read_settings
from core.workspace import Workspace

TRAINING_S = 20.0
LEAST_S = 900.0
"""AutoML on Azure takes 15 minutes at least; the time scale makes them TRAINING_S."""
ROUNDS = 2


def settings(home: Path, workspace: str, extra: Mapping[str, str] | None = None) -> Settings:
    kept = {name: value for name, value in os.environ.items() if name == "SLIPWAY_DATA_DIR"}
    own = {"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_WORKSPACE": workspace}
    return read_settings({**kept, **own, **(extra or {})})


def lifecycle(workspace: Workspace) -> Mapping[str, float]:
    """The seconds of each phase of the quickstart."""
    report = run(
        workspace,
        QuickstartOptions(timeout_s=TRAINING_S),
        say=lambda text: None,
        clock=time.monotonic,
        sleep=time.sleep,
    )
    assert report.passed, "a lifecycle whose gate fails is none"
    return report.seconds


def on_this_machine(home: Path) -> Mapping[str, float]:
    workspace = open_local(settings(home, "local"))
    workspace.service.start()
    try:
        return lifecycle(workspace)
    finally:
        workspace.service.stop()


def on_the_emulation(home: Path) -> Mapping[str, float]:
    local = open_local(settings(home / "emulated", "local"))
    local.service.start()
    try:
        with emulated(local, Options(scale=LEAST_S / TRAINING_S)) as running:
            os.environ.update(running.variables)
            return lifecycle(open_azure(settings(home / "client", "azure", running.variables)))
    finally:
        local.service.stop()


def main() -> int:
    sdk.loading().wait()
    seconds: dict[str, list[Mapping[str, float]]] = {"local": [], "azure": []}
    for _ in range(ROUNDS):
        for name, once in (("local", on_this_machine), ("azure", on_the_emulation)):
            with tempfile.TemporaryDirectory() as home:
                seconds[name].append(once(Path(home)))
                print(name, {phase: round(value, 1) for phase, value in seconds[name][-1].items()}, flush=True)
    medians = {name: statistics.median(each["total"] for each in runs) for name, runs in seconds.items()}
    print(f"{medians}; on the emulation {medians['azure'] - medians['local']:+.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
