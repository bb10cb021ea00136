"""What was found, for people and for programs."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from perf.growth.fit import LIMIT, Growth

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def markdown(found: Sequence[Growth]) -> str:
    """A row for each axis, and what all of them say."""
    lines = [
        "| what grows | sizes | time a call | exponent (95 % bounds) | between the two largest |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_row, found), "", verdict(found), "", _circumstances()]) + "\n"


def verdict(found: Sequence[Growth]) -> str:
    """One sentence."""
    steep = [f"{growth.name} ({growth.exponent:.2f})" for growth in found if not growth.within]
    if steep:
        return f"**Grows faster than linearly: {', '.join(steep)}.**"
    return f"Nothing on a hot path grows faster than linearly: no exponent is above {LIMIT:g}."


def as_json(found: Sequence[Growth]) -> list[dict[str, Any]]:
    """Every time, in seconds a call."""
    return [
        {
            "name": growth.name,
            "unit": growth.unit,
            "hot": growth.hot,
            "exponent": growth.exponent,
            "low": growth.low,
            "high": growth.high,
            "last": growth.last,
            "within": growth.within,
            "seconds": {str(size): list(times) for size, times in growth.times.items()},
        }
        for growth in found
    ]


def _row(growth: Growth) -> str:
    sizes = ", ".join(f"{size:,}" for size in growth.medians)
    times = ", ".join(_duration(seconds) for seconds in growth.medians.values())
    name = growth.name if growth.hot else f"{growth.name} (not hot)"
    fitted = f"{growth.exponent:.2f} ({growth.low:.2f} to {growth.high:.2f})"
    return f"| {name} | {sizes} {growth.unit} | {times} | {fitted} | {growth.last:.2f} |"


def _duration(seconds: float) -> str:
    scale, unit = next(((s, u) for s, u in UNITS if seconds >= s), UNITS[-1])
    return f"{seconds / scale:.3g} {unit}"


def _circumstances() -> str:
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"{when}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; medians."
