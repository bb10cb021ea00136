"""What a comparison is made of: a subject that measures, peers that are measured, figures that come out.

A peer is one module in this folder with `NAME`, `SUBJECT`, `REQUIREMENTS` and what its subject asks for. An empty
`REQUIREMENTS` means this project's own environment.
"""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, Protocol

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parent / "results"
OURS = "slipway"


class PeerFailed(Exception):
    """A peer that could not be installed, started or measured; the message says why."""


@dataclass(frozen=True)
class Figure:
    """One number that a round gives for each peer."""

    name: str
    unit: str
    digits: int = 0


class Subject(Protocol):
    """What is compared.

    `prepare` makes what all peers share, `about` tells of it in a few words, `circumstances` in what must agree between
    two runs for their rounds to stand in one table; `measure` gives one round's figures of one peer, or raises
    PeerFailed.
    """

    TITLE: str
    FIGURES: Sequence[Figure]
    HEADLINE: str
    """The figure that the picture draws."""
    SHORT: Mapping[str, str]
    """The figures of the short table, with their headings there."""

    def prepare(self, work: Path, options: Any) -> Any: ...

    def about(self, shared: Any) -> str: ...

    def circumstances(self, shared: Any) -> Mapping[str, Any]: ...

    def measure(self, peer: ModuleType, python: Path, shared: Any) -> Mapping[str, float]: ...


@dataclass
class Row:
    """All rounds of one peer."""

    peer: str
    rounds: list[Mapping[str, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    version: str = ""
    fingerprint: str = ""
    """Of the code and requirements that were measured."""
    label: str = ""
    """For people; empty: the peer's name."""

    @property
    def heading(self) -> str:
        return f"{self.label or self.peer} {self.version}".strip()

    def values(self, figure: Figure) -> list[float]:
        return [measured[figure.name] for measured in self.rounds]


def peers_of(subject: str) -> list[ModuleType]:
    """The modules of this folder that are peers in `subject`, ours first."""
    modules = [import_module(f"perf.peers.{found.name}") for found in pkgutil.iter_modules([str(FOLDER)])]
    peers = [module for module in modules if getattr(module, "SUBJECT", "") == subject]
    return sorted(peers, key=lambda peer: (peer.NAME != OURS, peer.NAME))


def interleaved(peers: Sequence[str], rounds: int) -> list[tuple[int, str]]:
    """Who is measured in which round: every peer once, each round begun by another, so that drift hits all alike."""
    return [(start, peers[(start + turn) % len(peers)]) for start in range(rounds) for turn in range(len(peers))]


def table(figures: Sequence[Figure], rows: Sequence[Row]) -> str:
    """One Markdown table: figures down, peers across, median (min to max), and each median as a multiple of ours."""
    measured = [row for row in rows if row.rounds]
    lines = ["| figure | " + " | ".join(row.heading for row in measured) + " |", "|---" * (len(measured) + 1) + "|"]
    for figure in figures:
        ours = _ours(measured, figure)
        cells = (_cell(figure, row.values(figure), ours if row.peer != OURS else 0.0) for row in measured)
        lines.append(f"| {figure.name}, {figure.unit} | " + " | ".join(cells) + " |")
    absent = [f"{row.heading}: {problem}" for row in rows for problem in row.problems]
    return "\n".join([*lines, "", *(f"- {line}" for line in absent)]).rstrip() + "\n"


def short_table(figures: Sequence[Figure], headings: Mapping[str, str], headline: str, rows: Sequence[Row]) -> str:
    """One Markdown table: a line a peer, medians of some figures, and how many times ours is ahead in the headline.

    A peer without a round has a line too, with the reason.
    """
    shown = [figure for figure in figures if figure.name in headings]
    (first,) = [figure for figure in figures if figure.name == headline]
    lines = ["| server | " + " | ".join(headings[figure.name] for figure in shown) + " | Slipway is ahead by |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    ours = _ours([row for row in rows if row.rounds], first)
    for row in rows:
        if not row.rounds:
            lines.append(f"| {row.heading} | not measured: {' '.join(row.problems)} |" + " |" * len(shown))
            continue
        cells = [f"{median(row.values(figure)):,.{figure.digits}f}" for figure in shown]
        ahead = "" if row.peer == OURS or not ours else f"{ours / median(row.values(first)):,.0f}x"
        lines.append("| " + " | ".join([row.heading, *cells, ahead]) + " |")
    return "\n".join(lines) + "\n"


def _ours(measured: Sequence[Row], figure: Figure) -> float:
    return next((median(row.values(figure)) for row in measured if row.peer == OURS), 0.0)


def _cell(figure: Figure, values: Sequence[float], ours: float) -> str:
    low, middle, high = (f"{value:,.{figure.digits}f}" for value in (min(values), median(values), max(values)))
    times = f", {median(values) / ours:.3g}x ours" if ours else ""
    return f"{middle} ({low} to {high}){times}"
