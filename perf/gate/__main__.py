"""Does HEAD make anything slower? Both revisions run the same benchmarks in turn, on this machine, in this run.

    python -m perf.gate [--base REV] [--head REV] [--anchor REV] [--quick] [--only NAME ...] [--json FILE]

Then the head is compared with an anchor, the last release: steps that are each too small to be seen add up.

Exit 0: nothing is slower (or there is no history to compare with); 1: something is; 2: wrong use; 3: nothing is
slower, but something is undecided or the machine too noisy.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from perf.gate import report
from perf.gate.compare import Plan, Result, all_new, as_json, compare, exit_code
from perf.gate.copies import paths
from perf.gate.pairing import Revision, SideFailed
from perf.gate.report import Comparison
from perf.gate.revisions import (
    NoHistory,
    Revisions,
    RevisionUnknown,
    anchor,
    check_out,
    choose,
    git,
    own_environment,
)
from perf.gate.side import CHECKOUT
from perf.workloads import ALL, Inputs, Workload

BUDGET_S, QUICK_BUDGET_S = 580.0, 160.0
"""Of the comparison with the base, but for its last benchmark's end."""
ANCHOR_SHARE = 0.35
"""So much longer for the anchor, whose wider threshold is decided in fewer restarts: 14 and 4 minutes in all."""
MEASURING_MIN_S = 30.0
"""However long setting up took."""


def main(words: Sequence[str]) -> int:
    """Compare two revisions and say what came of it."""
    options = _options(words)
    try:
        workloads = _wanted(options)
        revisions = choose(options.repository, options.base, options.head, os.environ)
        return _run(options, revisions, workloads)
    except NoHistory as e:
        _say(f"No comparison: {e}")
        return 0
    except RevisionUnknown as e:
        _say(f"{e}")
        return 2
    except SideFailed as e:
        _say(f"The {e.side} cannot run a benchmark: {type(e.__cause__).__name__}: {e.__cause__}")
        return 2
    except subprocess.CalledProcessError as e:
        _say(f"The head cannot be measured: `{' '.join(map(str, e.cmd))}` ended with {e.returncode}: {_last_line(e)}")
        return 2


def _run(options: Namespace, revisions: Revisions, workloads: Sequence[Workload]) -> int:
    started = time.monotonic()
    if git(options.repository, "status", "--porcelain", "--untracked-files=no"):
        _say("What is not committed is not measured.")
    _say(f"Base {revisions.base[:12]} ({revisions.why}), head {revisions.head[:12]}")
    with tempfile.TemporaryDirectory(prefix="gate-") as work:
        results = _compared(options, revisions, workloads, Path(work), started + options.budget)
        found = [Comparison(revisions, results, options.threshold, time.monotonic() - started)]
        try:
            found.append(_anchored(options, anchor(revisions, options.anchor, os.environ), workloads, Path(work)))
        except NoHistory as e:
            _say(f"No comparison with an anchor: {e}")
    told = "\n".join(report.markdown(comparison) for comparison in found)
    print(told)
    _write(options, found, told)
    return exit_code([result for comparison in found for result in comparison.results])


def _anchored(options: Namespace, revisions: Revisions, workloads: Sequence[Workload], work: Path) -> Comparison:
    """The head beside the anchor, in this interpreter: what is compared is our code, on the head's packages."""
    _say(f"Anchor {revisions.base[:12]} ({revisions.why})")
    started = time.monotonic()
    head = _measured_on(work / "head" / "checkout", work / "head")
    try:
        base = _ready(revisions.repository, revisions.base, work / "anchor", apart=False, own=False)
    except subprocess.CalledProcessError as e:
        results = all_new(workloads, f"the anchor cannot make what it is measured on: {_last_line(e)}")
    else:
        until = started + ANCHOR_SHARE * options.budget
        left_s = max(until - time.monotonic(), min(MEASURING_MIN_S, ANCHOR_SHARE * options.budget))
        results = compare(Plan(base, head, options.anchor_threshold, left_s, options.seed), workloads, _say)
    return Comparison(revisions, results, options.anchor_threshold, time.monotonic() - started, "anchor")


def _measured_on(root: Path, folder: Path) -> Revision:
    """A revision that was checked out and has its inputs, run by this interpreter."""
    return Revision(root, Inputs(folder / "inputs"))


def _compared(
    options: Namespace, revisions: Revisions, workloads: Sequence[Workload], work: Path, until: float
) -> list[Result]:
    """Check both revisions out, make what each is measured on, and compare."""
    apart = options.processes or not revisions.same_requirements
    if apart:
        _say("Each revision runs in processes of its own")
    own = apart and not options.processes
    head = _ready(revisions.repository, revisions.head, work / "head", apart=apart, own=own)
    try:
        base = _ready(revisions.repository, revisions.base, work / "base", apart=apart, own=own)
    except subprocess.CalledProcessError as e:
        return all_new(workloads, f"the base cannot make what it is measured on: {_last_line(e)}")
    left_s = max(until - time.monotonic(), min(MEASURING_MIN_S, options.budget))
    return compare(Plan(base, head, options.threshold, left_s, options.seed), workloads, _say)


def _ready(repository: Path, commit: str, folder: Path, *, apart: bool, own: bool) -> Revision:
    """A revision checked out with its inputs; `apart`: run by an interpreter, `own`: by that of its own environment."""
    folder.mkdir()
    root = check_out(repository, commit, folder / "checkout")
    python = own_environment(root) if own else Path(sys.executable)
    return Revision(root, make_inputs(root, python, folder / "inputs"), python if apart else None)


def make_inputs(root: Path, python: Path, folder: Path) -> Inputs:
    """The table and the models that a revision is measured on, made by itself. Raises CalledProcessError."""
    words = [str(python), "-P", "-m", "perf.inputs", str(folder)]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": paths(root)}, cwd=root)
    return Inputs(folder)


def _last_line(error: subprocess.CalledProcessError) -> str:
    return (error.stderr or b"").decode("utf-8", "replace").strip().rpartition("\n")[2][:300] or str(error)


def _wanted(options: Namespace) -> list[Workload]:
    unknown = sorted(set(options.only) - {w.name for w in ALL})
    if unknown:
        raise RevisionUnknown(f"There is no benchmark {', '.join(unknown)}; they are: {'; '.join(w.name for w in ALL)}")
    if options.only:
        return [w for w in ALL if w.name in options.only]
    return [w for w in ALL if w.gate and (w.quick or not options.quick)]


def _write(options: Namespace, found: Sequence[Comparison], told: str) -> None:
    if options.json:
        first, *others = found
        every = [result for comparison in found for result in comparison.results]
        values = {
            "head": first.revisions.head,
            **_as_json(first),
            "seed": options.seed,
            "exit_code": exit_code(every),
            "anchor": _as_json(others[0]) if others else None,
        }
        options.json.write_text(json.dumps(values, indent=1), "utf-8")
    if options.markdown:
        options.markdown.write_text(told, "utf-8")


def _as_json(comparison: Comparison) -> Mapping[str, object]:
    return {
        "base": comparison.revisions.base,
        "why": comparison.revisions.why,
        "threshold_pct": comparison.threshold_pct,
        "benchmarks": [as_json(result) for result in comparison.results],
    }


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.gate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", default="", metavar="REV", help="default: $PERF_BASE, else chosen by the history")
    parser.add_argument("--head", default="", metavar="REV", help="default: HEAD")
    parser.add_argument("--threshold", type=_positive, default=1.0, metavar="PCT", help="default: %(default)s %%")
    parser.add_argument("--anchor", default="", metavar="REV", help="default: $PERF_ANCHOR, else the last release")
    parser.add_argument(
        "--anchor-threshold", type=_positive, default=5.0, metavar="PCT", help="default: %(default)s %%"
    )
    parser.add_argument("--quick", action="store_true", help="the hot paths alone, within four minutes")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these benchmarks alone")
    parser.add_argument(
        "--budget", type=_positive, metavar="S", help="seconds for the base; a third more for the anchor"
    )
    parser.add_argument("--seed", type=int, default=7, help="of the order of blocks and the bootstrap")
    parser.add_argument("--processes", action="store_true", help="keep the revisions in processes of their own")
    parser.add_argument("--repository", type=Path, default=CHECKOUT, help="default: this checkout")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table as it is printed")
    options = parser.parse_args(words)
    options.budget = options.budget or (QUICK_BUDGET_S if options.quick else BUDGET_S)
    return options


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
