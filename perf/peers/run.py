"""Compare Slipway with other tools: each in an environment of its own, rounds interleaved, one table.

    python -m perf.peers.run [SUBJECT] [--rounds 3] [--only NAME ...] [--data PATH]

Writes `perf/results/SUBJECT.md` and `.json`, and prints the table. Quote ratios, never figures from another run.
"""

import json
import platform
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from os import cpu_count
from pathlib import Path
from types import ModuleType
from typing import cast

from core.sources import BANK_MARKETING
from perf.peers.comparison import RESULTS, PeerFailed, Row, Subject, interleaved, peers_of, table
from perf.peers.environments import python_of

SUBJECTS = ("scoring",)


def main(words: Sequence[str]) -> int:
    """Run the comparison that the words name; 1 when no peer could be measured."""
    options = _options(words)
    subject = cast(Subject, import_module(f"perf.peers.{options.subject}"))
    peers = {peer.NAME: peer for peer in peers_of(options.subject) if not options.only or peer.NAME in options.only}
    rows = {name: Row(name) for name in peers}
    pythons = _installed(peers, rows)
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        shared = subject.prepare(Path(work), options)
        for name in interleaved(list(pythons), options.rounds):
            _say(f"measuring {name}")
            try:
                rows[name].rounds.append(subject.measure(peers[name], pythons[name], shared))
            except PeerFailed as e:
                rows[name].problems.append(str(e))
                _say(f"{name}: {e}")
    figures = table(subject.FIGURES, list(rows.values()))
    report = f"# {subject.TITLE}\n\n{_circumstances(subject.about(shared), options.rounds)}\n\n{figures}"
    _write(options.subject, report, list(rows.values()), RESULTS)
    print(report)
    return 0 if any(row.rounds for row in rows.values()) else 1


def _installed(peers: Mapping[str, ModuleType], rows: Mapping[str, Row]) -> dict[str, Path]:
    pythons = {}
    for name, peer in peers.items():
        _say(f"installing {name}")
        try:
            pythons[name] = python_of(peer)
        except PeerFailed as e:
            rows[name].problems.append(str(e))
            _say(f"{name}: {e}")
    return pythons


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.peers.run", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, default=SUBJECTS[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="peers to measure; default: all")
    parser.add_argument("--data", default=BANK_MARKETING, help="a table's name or path (default: %(default)s)")
    parser.add_argument("--target", default="y")
    parser.add_argument("--model", type=Path, help="a model folder of ours to serve; default: train one")
    parser.add_argument("--requests", type=int, default=1000, help="of each `ab` run")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run with 10 clients")
    options = parser.parse_args(words)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _circumstances(about: str, rounds: int) -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    how = f"{rounds} rounds, interleaved; median (min to max). Client and server share the machine."
    return f"{when}; {about}; {machine}; {how}"


def _write(subject: str, report: str, rows: Sequence[Row], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{subject}.md").write_text(report, "utf-8")
    values = [{"peer": row.peer, "rounds": row.rounds, "problems": row.problems} for row in rows]
    (folder / f"{subject}.json").write_text(json.dumps(values, indent=1), "utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
