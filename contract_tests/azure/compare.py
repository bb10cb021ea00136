"""`python -m contract_tests.azure.compare FILE ...`: recordings against a fresh emulation; 1 where they differ."""

import sys
import tempfile
from pathlib import Path

import emulating

from contract_tests.azure.known_differences import KNOWN
from contract_tests.azure.replay import Difference, Replay
from core.emulator.emulation import Options


def compared(recording: Path, home: Path) -> list[Difference]:
    """What is otherwise in an emulation in that folder, but for what is known."""
    options = Options(allow_code=True, scale=600.0, retry_after_ms=20, poll_s=0.05)
    with emulating.emulation(home, options, inspect=emulating.no_inspection) as running:
        running.emulation.workspace.service.start()
        try:
            found = Replay(running).differences(recording)
        finally:
            running.emulation.workspace.service.stop()
    return [each for each in found if not any(known.covers(str(each)) for known in KNOWN)]


def main(files: list[str]) -> int:
    """Print every difference."""
    code = 0
    for name in files:
        with tempfile.TemporaryDirectory() as home:
            found = compared(Path(name), Path(home))
        print(f"{Path(name).name}: {len(found) or 'no'} differences")  # noqa: T201
        for each in found:
            print(f"  {each}")  # noqa: T201
        code = code or int(bool(found))
    return code


if __name__ == "__main__":
    sys.path.insert(0, "tests")
    raise SystemExit(main(sys.argv[1:]))
