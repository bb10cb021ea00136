"""How well the gate sees: trials with slowdowns of known size planted, on a calm and on a loaded machine.

    python -m perf.experiment [--trials 50] [--same 200] [--fresh]

Each trial is a process of its own that compares two checkouts, which differ by what is planted in the head alone.
Beside the gate's verdict stands what two usual ways would have said in the same trial. A run that was cut goes on where
it was. Writes `perf/results/gate-experiment.jsonl`, and the table to `docs/performance.md`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from perf.docs import write_between
from perf.gate.__main__ import make_inputs
from perf.gate.compare import Plan, compare
from perf.gate.copies import Copy, here
from perf.gate.pairing import Revision, frozen
from perf.gate.plant import plant
from perf.gate.side import CHECKOUT
from perf.workloads import ALL, Inputs

WORKLOADS = {"decode": "payload decode, 2 rows", "predict": "predict, 2 rows"}
"""Where slowdowns are planted, in turn: pure Python of 10 us, and array code of 300 us."""
SLOWDOWNS_PCT = (0.0, 3.0, 5.0, 10.0)
THRESHOLD_PCT, USUAL_PCT = 1.0, 5.0
BUDGET_S = 30.0
"""Of one benchmark; `make perf-gate-quick` has about as much for each."""
USUAL_BLOCKS, USUAL_BLOCK_S, USUAL_TRIALS = 120, 0.003, 50
"""The usual ways are tried in the first so many trials of a cell: their failures are no rare ones."""
SIDE_FILES = ("app.py", "core", "pages", "tests", "scripts", "requirements.lock", ".streamlit")
LOAD = """
import os
import select
import sys
import numpy as np
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
values = np.random.default_rng(0).random(1_000_000)
while not select.select([sys.stdin], [], [], 0)[0]:
    np.sort(values)
"""
"""8 MB sorted again and again, until whoever started it ends: it keeps one core and the shared cache busy."""


def main(words: Sequence[str]) -> int:
    """Run what is missing of the trials and write the table."""
    options = _options(words)
    kept = CHECKOUT / "perf" / "results" / "gate-experiment.jsonl"
    kept.parent.mkdir(exist_ok=True)
    if options.fresh:
        kept.unlink(missing_ok=True)
    done = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.exists() else []
    with tempfile.TemporaryDirectory(prefix="experiment-") as work:
        inputs = make_inputs(CHECKOUT, Path(sys.executable), Path(work) / "inputs")
        for cell in _missing(done, options):
            trial = _trial(Path(work), inputs, **cell)
            done.append(trial)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(trial) + "\n")
            print(json.dumps(trial), file=sys.stderr, flush=True)
    table = tell(done)
    write_between(CHECKOUT / "docs" / "performance.md", "gate", table)
    print(table)
    return 0


def one(words: Sequence[str]) -> int:
    """One trial in this process: print what the gate and the usual ways say."""
    inputs = Inputs(Path(words[2]))
    base, head = (Revision(Path(root), inputs) for root in words[:2])
    workload = next(w for w in ALL if w.name == words[3])
    plan = Plan(base, head, THRESHOLD_PCT, BUDGET_S, int(words[4]))
    started = time.monotonic()
    result = compare(plan, [workload], lambda text: None)[0]
    took_s = time.monotonic() - started
    usual = {}
    if int(words[4]) < USUAL_TRIALS:
        usual = _usual([here(revision.root, inputs)(workload) for revision in (base, head)])
    told = {"verdict": result.kind.value, "ratio": result.bounds.ratio, "restarts": result.restarts, "took_s": took_s}
    print(json.dumps({**told, **usual}))
    return 0


def _usual(copies: Sequence[Copy]) -> dict[str, float]:
    """Head to base by mean and by minimum when one runs after the other, as two stored runs are compared."""
    calls = max(1, round(USUAL_BLOCK_S / min(copies[0].block(1).call_s for _ in range(50))))
    with frozen():
        times = [[copy.block(calls).call_s for _ in range(USUAL_BLOCKS)] for copy in copies]
    return {"mean": float(np.mean(times[1]) / np.mean(times[0])), "min": min(times[1]) / min(times[0])}


def _missing(done: Sequence[Mapping[str, object]], options: Namespace) -> Iterator[dict[str, object]]:
    """The trials still to run, every cell in turn, so that a change of the machine's mood meets all of them."""
    had = {(t["loaded"], t["slowdown_pct"], t["number"]) for t in done}
    for number in range(max(options.trials, options.same)):
        for slowdown in SLOWDOWNS_PCT:
            for loaded in (False, True):
                wanted = options.trials if slowdown else options.same
                if number < wanted and (loaded, slowdown, number) not in had:
                    yield {"loaded": loaded, "slowdown_pct": slowdown, "number": number}


def _trial(work: Path, inputs: Inputs, loaded: bool, slowdown_pct: float, number: int) -> dict[str, object]:
    place = list(WORKLOADS)[number % len(WORKLOADS)]
    sides = [planted(work, {place: pct}) for pct in (0.0, slowdown_pct)]
    words = [*map(str, sides), str(inputs.folder), WORKLOADS[place], str(number)]
    with load_beside(loaded):
        told = subprocess.run(
            [sys.executable, "-m", "perf.experiment", "--one", *words],
            check=True,
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    return {"loaded": loaded, "slowdown_pct": slowdown_pct, "number": number, "place": place, **json.loads(told)}


def planted(work: Path, slowdowns_pct: Mapping[str, float]) -> Path:
    """A copy of this checkout with these slowdowns planted, made once; places that are not named are left alone."""
    name = "-".join(f"{place}-{pct:g}" for place, pct in slowdowns_pct.items())
    if not (root := work / name).exists():
        for file in SIDE_FILES:
            source = CHECKOUT / file
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            root.mkdir(exist_ok=True)
            copy(source, root / file)
        for place, pct in slowdowns_pct.items():
            plant(root, place, pct)
    return root


@contextmanager
def load_beside(wanted: bool) -> Iterator[None]:
    """Keep the last core busy meanwhile."""
    if not wanted:
        yield
        return
    load = subprocess.Popen([sys.executable, "-c", LOAD], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        load.communicate()


def tell(trials: Sequence[Mapping[str, object]]) -> str:
    """A row per slowdown and load: the share of trials, in percent, in which each way calls the head slower."""
    cells: dict[tuple[bool, float], list[Mapping[str, object]]] = defaultdict(list)
    for trial in trials:
        cells[bool(trial["loaded"]), float(str(trial["slowdown_pct"]))].append(trial)
    lines = ["| machine | planted | trials | gate: slower | gate: no verdict | s a trial | mean:5 % | min:5 % |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    lines += [_row(*cell, cells[cell]) for cell in sorted(cells)]
    return "\n".join(lines) + "\n"


def _row(loaded: bool, slowdown_pct: float, trials: Sequence[Mapping[str, object]]) -> str:
    verdicts = [trial["verdict"] for trial in trials]
    shares = [100 * verdicts.count(kind) / len(trials) for kind in ("slower", "undecided")]
    took = float(np.median([float(str(trial["took_s"])) for trial in trials]))
    limit = 1 + USUAL_PCT / 100
    had = [trial for trial in trials if "mean" in trial]
    usual = [100 * np.mean([float(str(trial[way])) > limit for trial in had]) for way in ("mean", "min")]
    figures = " | ".join(f"{share:.1f} %" for share in shares)
    others = " | ".join(f"{share:.0f} %" for share in usual)
    machine = "loaded" if loaded else "calm"
    return f"| {machine} | {slowdown_pct:g} % | {len(trials)} | {figures} | {took:.1f} | {others} |"


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.experiment", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=50, help="with each planted slowdown (default: %(default)s)")
    parser.add_argument("--same", type=int, default=200, help="with none (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has measured")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(one(sys.argv[2:]) if sys.argv[1:2] == ["--one"] else main(sys.argv[1:]))
