"""One series as a small SVG: the medians of its runs, with bars from the lowest to the highest value."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise

from perf.figures import figure
from perf.history import Point, Series

WIDTH, HEIGHT = 340, 108
LEFT, RIGHT, TOP, BOTTOM = 66, 10, 10, 20
OUTLIER = 1.6
"""A bar that reaches higher than so many times the highest median ends there: one hiccup would flatten the rest."""
Place, Turn = Callable[[float], float], Callable[[int], float]
LABEL = 'font-size="10.5" fill="var(--soft)" font-family="system-ui, sans-serif"'


def draw(series: Series) -> str:
    """The picture, as text for an HTML page whose style defines its colours."""
    points = series.points
    low, high = _range(points)

    def x(at: int) -> float:
        """Runs are set evenly, the newest at the right."""
        inner = WIDTH - LEFT - RIGHT
        return WIDTH - RIGHT - 8 - (len(points) - 1 - at) * min(48.0, (inner - 16) / max(1, len(points) - 1))

    def y(value: float) -> float:
        return TOP + (high - min(max(value, low), high)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    marks = "".join(
        (
            *_axis(series.unit, low, high, y),
            *_lines(points, x, y),
            *_points(points, series.unit, x, y),
            *_ends(points, x),
        )
    )
    name = escape(f"{series.name} over {len(points)} runs")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{marks}</svg>'


def _range(points: Sequence[Point]) -> tuple[float, float]:
    """From below the lowest value to above the highest that is no outlier."""
    low = min(p.low for p in points)
    high = min(max(p.high for p in points), OUTLIER * max(p.median for p in points))
    room = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    return max(0.0, low - room) if low >= 0 else low - room, high + room


def _axis(unit: str, low: float, high: float, y: Place) -> Iterator[str]:
    for share in (0.1, 0.5, 0.9):
        value = low + share * (high - low)
        at = y(value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="var(--edge)"/>'
        text = escape(figure(value, unit).replace(" requests/s", "/s"))
        yield f'<text x="{LEFT - 7}" y="{at + 3.5:.1f}" text-anchor="end" {LABEL}>{text}</text>'


def _lines(points: Sequence[Point], x: Turn, y: Place) -> Iterator[str]:
    for at, (one, other) in enumerate(pairwise(points)):
        if one.run.machine == other.run.machine:
            ends = f'x1="{x(at):.1f}" y1="{y(one.median):.1f}" x2="{x(at + 1):.1f}" y2="{y(other.median):.1f}"'
            yield f'<line {ends} stroke="var(--line)" stroke-width="1.5"/>'


def _points(points: Sequence[Point], unit: str, x: Turn, y: Place) -> Iterator[str]:
    for at, point in enumerate(points):
        span = f"{figure(point.low, unit)} to {figure(point.high, unit)}"
        run = point.run
        told = escape(
            f"{run.at[:16].replace('T', ' ')}  {run.commit}\n{figure(point.median, unit)} ({span})\n{run.machine}"
        )
        bar = f'x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{y(point.low):.1f}" y2="{y(point.high):.1f}"'
        yield f'<g><title>{told}</title><line {bar} stroke="var(--range)" stroke-width="5" stroke-linecap="round"/>'
        yield f'<circle cx="{x(at):.1f}" cy="{y(point.median):.1f}" r="3.2" fill="var(--line)"/></g>'


def _ends(points: Sequence[Point], x: Turn) -> Iterator[str]:
    """The commits of the newest run and, where there is room, of the oldest."""
    base = HEIGHT - 5
    yield f'<text x="{WIDTH - RIGHT}" y="{base}" text-anchor="end" {LABEL}>{_commit(points[-1])}</text>'
    if len(points) > 1 and x(0) < WIDTH - 140:
        yield f'<text x="{max(LEFT, x(0) - 8):.1f}" y="{base}" {LABEL}>{_commit(points[0])}</text>'


def _commit(point: Point) -> str:
    return escape(point.run.commit[:7] or point.run.at[:10])
