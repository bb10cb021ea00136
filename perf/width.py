"""How long the gate takes, and how much memory, by the number of a table's columns: `python -m perf.width [--publish]`.

Each width is a process of its own, with a real model folder behind the real server.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from core import gate
from core.checks import Profile
from core.domain.data import ColumnKind
from core.domain.endpoint import GateBudget
from core.domain.signature import Column, Signature
from core.settings import CHECKOUT
from perf.docs import write_between
from perf.packaged import packaged
from perf.servers import serving

WIDTHS = (20, 100, 400, 1_500)
PAGE = CHECKOUT / "docs" / "contract-tests.md"
NAME = "gate by width"
HEAD = (
    "| columns | gate, s | its processor time, s | its memory, MB | the server's, MB | p99, ms | wrong types tried |\n"
    "|---|---|---|---|---|---|---|\n"
)
SEED = 3


def signature(width: int) -> Signature:
    """Numbers, integers, categories and flags in turn, some of them nullable."""
    return Signature(tuple(_column(at) for at in range(width)), "answer", ("no", "yes"), "yes")


def _column(at: int) -> Column:
    name, nullable = f"column {at}", at % 5 == 0
    match at % 4:
        case 0:
            return Column(name, ColumnKind.NUMBER, nullable, typical=0.5, low=-3.0, high=3.0)
        case 1:
            return Column(name, ColumnKind.INTEGER, nullable, typical=5, low=0.0, high=100.0)
        case 2:
            levels = ("blue", "green", "red")
            return Column(name, ColumnKind.STRING, nullable, levels=levels, closed=True, typical="red")
        case _:
            return Column(name, ColumnKind.BOOLEAN, nullable, typical=True)


def measure(width: int) -> dict[str, Any]:
    """One gate, as a deployment's would be."""
    with TemporaryDirectory() as folder:
        model = packaged(Path(folder), signature(width))
        (Path(folder) / "server").mkdir()
        with serving(model, Path(folder) / "server") as served:
            began, used = time.perf_counter(), time.process_time()
            parity = model / "parity.npz"
            results = gate.run(served.target, parity=parity, budget=GateBudget(), seed=SEED, profile=Profile.SLIPWAY)
            took = time.perf_counter() - began, time.process_time() - used
            server = psutil.Process(served.process.pid)
            server_mb = max(each.memory_info().rss for each in (server, *server.children())) / 2**20
    told = {result.name: result.evidence for result in results}
    return {
        "columns": width,
        "gate_s": took[0],
        "cpu_s": took[1],
        "gate_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "server_mb": server_mb,
        "p99_ms": float(told["performance"].partition("p99 ")[2].partition(" ms")[0]),
        "tried": told["wrong_types_are_refused"].partition(" values")[0],
        "refused": [f"{result.name}: {result.evidence}" for result in results if result.passed is False],
    }


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    return (
        f"| {found['columns']:,} | {found['gate_s']:.0f} | {found['cpu_s']:.0f} | {found['gate_mb']:.0f} "
        f"| {found['server_mb']:.0f} | {found['p99_ms']:.1f} | {found['tried']} |\n"
    )


def main(arguments: list[str]) -> int:
    """Print the table; 1 when a gate refused the correct endpoint."""
    parser = argparse.ArgumentParser(prog="python -m perf.width", description=__doc__)
    parser.add_argument("--publish", action="store_true", help=f"write the table into {PAGE.name}")
    parser.add_argument("--of", type=int, help="measure this width alone, and give JSON")
    given = parser.parse_args(arguments)
    if given.of:
        print(json.dumps(measure(given.of)))
        return 0
    text, refused = HEAD, []
    for width in WIDTHS:
        command = [sys.executable, "-m", "perf.width", "--of", str(width)]
        ran = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True)
        found = json.loads(ran.stdout)
        text, refused = text + row(found), refused + found["refused"]
        print(row(found), end="", flush=True)
    if given.publish:
        write_between(PAGE, NAME, text)
    print("\n".join(refused))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
