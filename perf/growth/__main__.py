"""How time grows: `python -m perf.growth [--only scoring batch registration profile automl store] [--json FILE]`.

Exit 1 when anything hot grows faster than linearly.
"""

import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from perf.docs import write_between
from perf.growth import batch, reading, scoring, store, tables
from perf.growth.axis import Axis, measure
from perf.growth.fit import Growth
from perf.growth.report import as_json, markdown

ROOT = Path(__file__).parents[2]
SUBJECTS: Mapping[str, Sequence[Axis]] = {
    "scoring": scoring.AXES,
    "batch": batch.AXES,
    "registration": reading.AXES,
    "profile": tables.PROFILE,
    "automl": tables.AUTOML,
    "store": store.AXES,
}


def main(words: Sequence[str]) -> int:
    """Measure what the words name; 1 when a hot path grows faster than linearly."""
    options = _options(words)
    found = [_measured(axis) for subject in options.only for axis in SUBJECTS[subject]]
    table = markdown(found)
    print(table)
    if options.json:
        options.json.write_text(json.dumps(as_json(found), indent=1), "utf-8")
    if set(options.only) == set(SUBJECTS):
        _keep(table)
    return 0 if all(growth.within for growth in found) else 1


def _measured(axis: Axis) -> Growth:
    print(f"measuring {axis.name}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        return measure(axis, Path(folder), time.process_time)


def _keep(table: str) -> None:
    """A whole run only: half a table would replace a whole one."""
    results = ROOT / "perf" / "results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "growth.md").write_text(f"# How time grows\n\n{table}", "utf-8")
    write_between(ROOT / "docs" / "performance.md", "growth", table)


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.growth", description="How time grows with size.")
    parser.add_argument("--only", nargs="+", choices=tuple(SUBJECTS), default=list(SUBJECTS), metavar="SUBJECT")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every time that was taken, in seconds")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
