"""Throughput of each peer as one SVG that needs nothing else: `python -m perf.peers.picture RESULTS.json OUT.svg`.

Bars on a logarithmic scale, since ours is two orders of magnitude from the rest; whiskers from the least round to the
best. Colours are chosen to be read on GitHub's light and dark pages alike, and follow the reader's preference.
"""

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from statistics import median

from perf.peers.comparison import OURS, Row
from perf.peers.scoring import HEADLINE

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 760, 250, 120, 44, 34, 18
STYLE = """
text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.quiet { fill: #59636e } .grid { stroke: #d1d9e0 } .other { fill: #8c959f } .ours { fill: #0969da }
.whisker { stroke: #1f2328; stroke-width: 1.5 } .bold { font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .other { fill: #656c76 }
.ours { fill: #4493f8 } .whisker { stroke: #f0f6fc } }
"""


def picture(rows: Sequence[Row], figure: str = HEADLINE, title: str = "Requests per second, 10 clients") -> str:
    """The SVG, the fastest first; peers that were not measured are named at the bottom."""
    measured = sorted((row for row in rows if row.rounds), key=lambda row: -_middle(row, figure))
    absent = [row.heading for row in rows if not row.rounds]
    values = [measured_round[figure] for row in measured for measured_round in row.rounds]
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))) if values else (0, 1)
    high = max(high, low + 1)
    bottom = TOP + STEP * len(measured)
    parts = [f'<text x="12" y="22" class="bold">{escape(title)} (2 rows each; logarithmic; more is better)</text>']
    parts += [_decade(power, _x(10.0**power, low, high), bottom) for power in range(low, high + 1)]
    parts += [_bar(row, figure, TOP + STEP * at, low, high) for at, row in enumerate(measured)]
    if absent:
        parts.append(f'<text x="12" y="{bottom + 42}" class="quiet">Not measured: {escape(", ".join(absent))}</text>')
    height = bottom + (56 if absent else 32)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return (
        f'{head} role="img" aria-label="{escape(title)}">\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(row: Row, figure: str, top: int, low: int, high: int) -> str:
    values = [measured[figure] for measured in row.rounds]
    least, middle, most = (_x(value, low, high) for value in (min(values), median(values), max(values)))
    kind, centre, text = ("ours" if row.peer == OURS else "other"), top + BAR / 2, f"{median(values):,.0f}"
    return "\n".join(
        [
            f'<text x="{LEFT - 8}" y="{centre + 4.5}" text-anchor="end">{escape(row.heading)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{middle - LEFT:.1f}" height="{BAR}" rx="2" class="{kind}"/>',
            f'<path d="M{least:.1f} {centre}H{most:.1f}M{least:.1f} {centre - 5}v10M{most:.1f} {centre - 5}v10" '
            'class="whisker" fill="none"/>',
            f'<text x="{max(middle, most) + 8:.1f}" y="{centre + 4.5}" class="bold">{text}</text>',
        ]
    )


def _decade(power: int, x: float, bottom: int) -> str:
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}" class="grid"/>'
    label = f"{10.0**power:,.0f}" if power >= 0 else f"{10.0**power:g}"
    return f'{line}<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" class="quiet">{label}</text>'


def _x(value: float, low: int, high: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / (high - low)


def _middle(row: Row, figure: str) -> float:
    return median(measured[figure] for measured in row.rounds)


def rows_of(path: Path) -> list[Row]:
    """The peers of a file of results."""
    peers = json.loads(path.read_text("utf-8"))["peers"]
    return [
        Row(name, list(e["rounds"].values()), e["problems"], e["version"], "", e["label"]) for name, e in peers.items()
    ]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(rows_of(Path(sys.argv[1]))), "utf-8")
