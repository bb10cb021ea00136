"""Compare AutoML engines: the same splits, budgets and threads, each engine in an environment of its own.

    python -m perf.peers.automl [--tables NAME ...] [--engines NAME[@SECONDS] ...] [--budget 60] [--seeds 3]

Each run is kept in `perf/results/automl` as soon as it has ended, and a comparison that was cut off goes on from there
(`--fresh` begins anew; a failed run, and runs of an engine whose version or code changed, are made again). At the end,
and with `--report` alone, `automl.md` and `automl.json` beside them tell who is ahead. Quote differences, never figures
of two comparisons.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from core.settings import CHECKOUT
from perf.docs import write_between
from perf.peers.automl import tables
from perf.peers.automl.comparing import Comparison
from perf.peers.automl.engines import contenders
from perf.peers.automl.kept import Kept
from perf.peers.comparison import RESULTS
from perf.peers.environments import ENVS

MARKER = "automl-peers"


def main(words: Sequence[str]) -> int:
    """Run the comparison that the words ask for; 1 when no engine could be measured."""
    options, parser = _options(words)
    try:
        chosen = contenders(options.engines, options.budget)
        loaded = [tables.load(word, options.drop_columns) for word in options.tables]
    except ValueError as e:
        parser.error(str(e))
    kept = Kept(options.results / "runs")
    if options.fresh:
        kept.forget()
    comparison = Comparison(chosen, loaded, options.seeds, options.folds, options.threads, kept, options.envs)
    if not options.report:
        comparison.run()
    written = comparison.write(options.results)
    if options.publish and (missing := comparison.missing):
        sys.stderr.write(f"Not published: {len(missing)} runs are missing, the first: {missing[0]}\n")
        return 1
    if options.publish:
        write_between(CHECKOUT / "docs" / "performance.md", options.publish, written.report)
    if options.publish == MARKER:
        write_between(CHECKOUT / "README.md", MARKER, written.short)
    print(written.report)
    return 0 if comparison.measured else 1


def _options(words: Sequence[str]) -> tuple[Namespace, ArgumentParser]:
    parser = ArgumentParser(prog="python -m perf.peers.automl", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--tables",
        nargs="+",
        metavar="NAME",
        default=list(tables.KNOWN),
        help=f"of {', '.join(tables.names())}, or PATH:TARGET (default: the first {len(tables.KNOWN)})",
    )
    parser.add_argument(
        "--engines",
        nargs="+",
        metavar="NAME",
        default=[],
        help="NAME, or NAME@SECONDS for another budget (default: all)",
    )
    parser.add_argument("--budget", type=float, default=60.0, metavar="SECONDS", help="of each run (default: 60)")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table (default: %(default)s)")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate with so many, once a seed (default: no)")
    parser.add_argument("--threads", type=int, default=2, help="of each engine (default: %(default)s)")
    parser.add_argument(
        "--drop-columns", nargs="+", metavar="COLUMN", default=[], help="leave these columns out where a table has them"
    )
    parser.add_argument(
        "--results", type=Path, default=RESULTS / "automl", metavar="FOLDER", help="where runs are kept"
    )
    parser.add_argument("--envs", type=Path, default=ENVS, metavar="FOLDER", help="where the engines are installed")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier comparison has run")
    parser.add_argument("--report", action="store_true", help="run nothing; report what is kept")
    parser.add_argument(
        "--publish",
        nargs="?",
        const=MARKER,
        metavar="PLACE",
        help="write the report into docs/performance.md, between the comments of that name (default: %(const)s; "
        "the README has the first table of those, too)",
    )
    options = parser.parse_args(words)
    if options.seeds < 1 or options.folds < 0 or options.folds == 1 or options.threads < 1 or options.budget <= 0:
        parser.error("--seeds, --threads and --budget must be above 0, --folds 0 or at least 2")
    return options, parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
