"""Every test of `make test`, or of `make full` with --full: what mostly waits for live processes, what asks the
emulation of Azure, and the rest, all three at once with the linters.

What measures belongs to the first part, comes last in it, and begins when the others have ended. At the end stand
the slowest ten tests of all and every skip by its reason. The tests' own folders are in memory where there is room:
half of what tests of files wait for is a disk that syncs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

SLOWEST = 10
ASIDE = ("rest", "azure")
LINT = ("make", "--no-print-directory", "lint")
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOM_BYTES = 2 * 1024**3
"""Many times what all tests of `make test` leave behind."""


@dataclass(frozen=True)
class Depth:
    """Which tests are run, and what that takes."""

    marks: str
    """What pytest's option -m says."""
    others_s: int
    """What measures waits so long for the other parts to end."""
    room_bytes: int
    """So much is free in memory where the tests' folders are to be there."""


TEST = Depth("not full and not chaos", 900, ROOM_BYTES)
FULL = Depth("not chaos", 6 * 3600, 4 * ROOM_BYTES)


@dataclass(frozen=True)
class Outcome:
    """One test, as its half has reported it."""

    name: str
    seconds: float
    kind: str
    """passed, failed or skipped."""
    reason: str = ""


def main(arguments: list[str]) -> int:
    """Run the parts and the linters; 0 when all are green. `arguments` other than --full go to all parts.

    What the tests wrote is removed when all are green, else kept for whoever looks for the cause.
    """
    depth, arguments = depth_of(arguments)
    kept = Path(mkdtemp(prefix="slipway-tests-", dir=roomy(MEMORY, depth.room_bytes)))
    with TemporaryDirectory() as folder:
        reports = [Path(folder) / f"{half}.xml" for half in (*ASIDE, "live")]
        lines = [command(half, depth, folder, kept, arguments) for half in ASIDE]
        logs = [Path(folder) / f"{name}.log" for name in (*ASIDE, "lint")]
        aside = [_begun(line, log) for line, log in zip((*lines, LINT), logs, strict=True)]
        live = subprocess.run(command("live", depth, folder, kept, arguments), env=_environment(), check=False)
        codes = (*(each.wait() for each in aside), live.returncode)
        for log in logs:
            sys.stdout.write(log.read_text("utf-8", "replace"))
        outcomes = [outcome for report in reports if report.exists() for outcome in _outcomes(report)]
    _tell(outcomes)
    if not any(codes):
        shutil.rmtree(kept)
    else:
        sys.stdout.write(f"What the tests wrote is in {kept}\n")
    return max(abs(code) for code in codes)


def depth_of(arguments: list[str]) -> tuple[Depth, list[str]]:
    """Which tests the arguments ask for, and those arguments that are pytest's."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--full", action="store_true")
    ours, others = parser.parse_known_args(arguments)
    return FULL if ours.full else TEST, others


def _begun(line: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as said:
        return subprocess.Popen(line, stdout=said, stderr=subprocess.STDOUT, env=_environment())


def _environment() -> dict[str, str]:
    """Ours, but that modules are compiled once for all: hundreds of processes start in a run, each loads many."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def roomy(memory: Path, room_bytes: int) -> Path | None:
    """The folder that is kept in memory, if it is there with enough room; None is where the system puts such files."""
    try:
        return memory if shutil.disk_usage(memory).free >= room_bytes else None
    except OSError:
        return None


def command(half: str, depth: Depth, folder: str, kept: Path, arguments: list[str]) -> list[str]:
    """How pytest is called for one part."""
    line = [sys.executable, "-m", "pytest", "-m", depth.marks, f"--half={half}", "--durations=0"]
    line += ["--durations-min=60", f"--half-lock={folder}/lock", f"--half-others-s={depth.others_s}"]
    line += [f"--junitxml={folder}/{half}.xml", f"--basetemp={kept}/{half}"]
    return [*line, *arguments]


def _outcomes(report: Path) -> list[Outcome]:
    return [_outcome(case) for case in ElementTree.parse(report).iter("testcase")]  # noqa: S314 - pytest's own file


def _outcome(case: ElementTree.Element) -> Outcome:
    name = f"{case.get('classname', '')}::{case.get('name', '')}"
    seconds = float(case.get("time", 0))
    if (skipped := case.find("skipped")) is not None:
        return Outcome(name, seconds, "skipped", skipped.get("message", ""))
    bad = case.find("failure") is not None or case.find("error") is not None
    return Outcome(name, seconds, "failed" if bad else "passed")


def _tell(outcomes: list[Outcome]) -> None:
    lines = ["", f"The slowest {SLOWEST} tests, with what they set up (s):"]
    by_time = sorted(outcomes, key=lambda outcome: -outcome.seconds)
    lines += [f"{outcome.seconds:8.1f}  {outcome.name}" for outcome in by_time[:SLOWEST]]
    reasons = Counter(outcome.reason for outcome in outcomes if outcome.kind == "skipped")
    lines += ["", "Skips by reason:"] + [f"{count:8}  {reason}" for reason, count in reasons.most_common()]
    lines += [] if reasons else ["       0"]
    counts = Counter(outcome.kind for outcome in outcomes)
    lines += ["", f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
