"""Compare Slipway with other tools: each in an environment of its own, rounds interleaved, one table.

    python -m perf.peers.run [SUBJECT] [--rounds 3] [--only NAME ...] [--data PATH] [--fresh] [--publish]

Writes `perf/results/SUBJECT.md` and `.json`, and prints the table. The JSON is written after each measurement, and a
run that was cut off goes on from there, as long as data, model, options and machine are the same; `--fresh` begins
anew. `--publish` puts table and picture into the documentation. Quote ratios, never figures from another run.
"""

import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import cast

from core.settings import CHECKOUT
from core.sources import BANK_MARKETING
from perf.docs import write_between
from perf.peers.comparison import FOLDER, RESULTS, PeerFailed, Row, Subject, interleaved, peers_of, short_table, table
from perf.peers.environments import fingerprint, python_of
from perf.peers.kept import Kept
from perf.peers.picture import picture
from perf.peers.scoring import machine

SUBJECTS = ("scoring",)
MARKER = "peers"


def main(words: Sequence[str]) -> int:
    """Run the comparison that the words name; 1 when no peer could be measured."""
    options = _options(words)
    subject = cast(Subject, import_module(f"perf.peers.{options.subject}"))
    peers = {peer.NAME: peer for peer in peers_of(options.subject) if not options.only or peer.NAME in options.only}
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        shared = subject.prepare(Path(work), options)
        kept = Kept.open(RESULTS / f"{options.subject}.json", subject.circumstances(shared), fresh=options.fresh)
        pythons = _installed(peers, kept)
        for number, name in interleaved(list(pythons), options.rounds):
            if not kept.has(name, number):
                _measure(subject, peers[name], pythons[name], shared, kept, number)
        rows = kept.rows()
        about = _circumstances(subject.about(shared), rows)
    report = f"# {subject.TITLE}\n\n{about}\n\n{table(subject.FIGURES, rows)}"
    (RESULTS / f"{options.subject}.md").write_text(report, "utf-8")
    if options.publish:
        publish(subject, rows, about, CHECKOUT)
    print(report)
    return 0 if any(row.rounds for row in rows) else 1


def publish(subject: Subject, rows: Sequence[Row], about: str, checkout: Path) -> None:
    """The picture and a short table for the README, the whole table for docs/performance.md. Raises MarkersMissing."""
    image = checkout / "docs" / "images" / "peers-scoring.svg"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_text(picture(rows, subject.HEADLINE), "utf-8")
    short = short_table(subject.FIGURES, subject.SHORT, subject.HEADLINE, rows)
    shown = "![Requests per second of each server, on a logarithmic scale](docs/images/peers-scoring.svg)"
    write_between(checkout / "README.md", MARKER, f"{shown}\n\n{short}\n{about}\n")
    write_between(checkout / "docs" / "performance.md", MARKER, f"{about}\n\n{table(subject.FIGURES, rows)}")


def _measure(subject: Subject, peer: ModuleType, python: Path, shared: object, kept: Kept, number: int) -> None:
    _say(f"round {number + 1}: measuring {peer.NAME}")
    try:
        kept.add(peer.NAME, number, subject.measure(peer, python, shared))
    except PeerFailed as e:
        kept.failed(peer.NAME, str(e))
        _say(f"{peer.NAME}: {e}")


def _installed(peers: Mapping[str, ModuleType], kept: Kept) -> dict[str, Path]:
    pythons = {}
    for name, peer in peers.items():
        _say(f"installing {name}")
        kept.enter(Row(name, version=_version(peer), fingerprint=_code(peer), label=peer.LABEL))
        try:
            pythons[name] = python_of(peer)
        except PeerFailed as e:
            kept.failed(name, str(e))
            _say(f"{name}: {e}")
    return pythons


def _version(peer: ModuleType) -> str:
    """Of the requirement that comes first, the peer itself; ours is a commit."""
    if peer.REQUIREMENTS:
        return str(peer.REQUIREMENTS[0].partition("==")[2])
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def _code(peer: ModuleType) -> str:
    """What was measured: the requirements and the peer's own scripts, or all of our code."""
    folders = [FOLDER / "scripts"] if peer.REQUIREMENTS else [CHECKOUT / "core"]
    files = [Path(str(peer.__file__)), *(file for folder in folders for file in sorted(folder.rglob("*.py")))]
    return sha256(fingerprint(peer).encode() + b"".join(file.read_bytes() for file in files)).hexdigest()


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.peers.run", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, default=SUBJECTS[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="peers to measure; default: all")
    parser.add_argument("--data", default=BANK_MARKETING, help="a table's name or path (default: %(default)s)")
    parser.add_argument("--target", default="y")
    parser.add_argument("--model", type=Path, help="a model folder of ours to serve; default: train one")
    parser.add_argument("--requests", type=int, default=100, help="of each `ab` run")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each `wrk` run")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run measured")
    parser.add_argument("--publish", action="store_true", help="write table and picture into the documentation")
    options = parser.parse_args(words)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _circumstances(about: str, rows: Sequence[Row]) -> str:
    """With the rounds that were measured, not those that were asked for."""
    counts = sorted({len(row.rounds) for row in rows if row.rounds})
    rounds = " to ".join(str(count) for count in dict.fromkeys([*counts[:1], *counts[-1:]])) or "no"
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    how = f"{rounds} rounds, interleaved; median (min to max). Client and server share the machine"
    return f"{when}; {about}; {machine()}; {how}."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
