"""Metrics of runs: every value that was logged, with its time and step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.emulator.emulation import Emulation


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric."""

    value: float
    at_ms: int
    step: int = 0


def add(emulation: Emulation, run_id: str, name: str, points: Sequence[Point]) -> None:
    """Log values behind those that are there."""
    with emulation.state.lock:
        kept = emulation.state.get(_key(run_id, name), {"name": name, "points": []})
        kept["points"] += [[_text(point.value), point.at_ms, point.step] for point in points]
        emulation.state.put(_key(run_id, name), kept)


def put(emulation: Emulation, run_id: str, values: Mapping[str, float], at_s: float) -> None:
    """One value each, in place of what was there."""
    for name, value in values.items():
        points = [[_text(value), int(at_s * 1000), 0]]
        if emulation.state.get(_key(run_id, name), {}).get("points") != points:
            emulation.state.put(_key(run_id, name), {"name": name, "points": points})


def history(emulation: Emulation, run_id: str, name: str) -> tuple[Point, ...]:
    """All values of one metric, in the order in which they were logged."""
    kept = emulation.state.get(_key(run_id, name))
    return () if kept is None else _points(kept)


def all_of(emulation: Emulation, run_id: str) -> dict[str, tuple[Point, ...]]:
    """Metric -> its values, of one run."""
    return {kept["name"]: _points(kept) for _, kept in emulation.state.below(f"metric/{run_id}/")}


def latest(emulation: Emulation, run_id: str) -> dict[str, Point]:
    """Metric -> the value of its highest step, and of those the one that was logged last."""
    return {
        name: max(enumerate(points), key=lambda each: (each[1].step, each[1].at_ms, each[0]))[1]
        for name, points in all_of(emulation, run_id).items()
    }


def _points(kept: Mapping[str, Sequence[Sequence[float]]]) -> tuple[Point, ...]:
    return tuple(Point(float(value), int(at_ms), int(step)) for value, at_ms, step in kept["points"])


def _text(value: float) -> float | str:
    """JSON has no NaN and no infinity: those are kept as texts."""
    return value if abs(value) < float("inf") else str(value)


def _key(run_id: str, name: str) -> str:
    return f"metric/{run_id}/{name.encode().hex()}"
