"""Figures for people: three digits and a unit that fits."""

from collections.abc import Iterable

SCALES = {"s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")), "ms": ((1e3, "s"), (1.0, "ms"), (1e-3, "us"))}
Line = tuple[str, float, float, float, str]
"""Name, median, lowest, highest, unit."""


def label(name: str, unit: str) -> str:
    """A series' name: the benchmark's, and which of its figures this is."""
    what = unit.partition(" ")[2].strip("()")
    return f"{name}, {what}" if what else name


def figure(value: float, unit: str) -> str:
    """A value with its unit, e.g. 12.3 ms, 9,870 requests/s."""
    kind = unit.partition(" ")[0]
    for scale, name in SCALES.get(kind, ()):
        if abs(value) >= scale or name == "us":
            return f"{_digits(value / scale)} {name}"
    return f"{_digits(value)} {kind}"


def table(lines: Iterable[Line]) -> str:
    """A line each: name, median, lowest and highest, set in columns."""
    rows = [("", "median", "min", "max")]
    for name, middle, low, high, unit in lines:
        rows.append((label(name, unit), figure(middle, unit), figure(low, unit), figure(high, unit)))
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    told = (
        (row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)))
        for row in rows
    )
    return "\n".join("  ".join(cells).rstrip() for cells in told)


def _digits(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
