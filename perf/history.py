"""Earlier runs of `make perf`: one JSON file of pytest-benchmark a run, read into series over all runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).parent / "results" / "history"


@dataclass(frozen=True, slots=True)
class Run:
    """When, of which commit and where benchmarks were run."""

    file: str
    at: str
    """ISO 8601, as the file says it."""
    commit: str
    """With `+` behind it when something was not committed; empty where there is no git."""
    machine: str


@dataclass(frozen=True, slots=True)
class Point:
    """What one run saw of one benchmark, in the series' unit."""

    run: Run
    median: float
    low: float
    high: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Series:
    """One figure of one benchmark over all runs, the oldest first."""

    name: str
    group: str
    unit: str
    """`s`, `ms`, `MB` or `requests/s`, and behind a space what of it, such as `MB at rest`."""
    grows_with: str
    points: list[Point] = field(default_factory=list)

    @property
    def more_is_better(self) -> bool:
        return self.unit.startswith("requests/s")


@dataclass(frozen=True, slots=True)
class History:
    """Every run that could be read, and what is wrong with the files that could not."""

    runs: Sequence[Run]
    series: Sequence[Series]
    broken: Mapping[str, str]


def read(folder: Path) -> History:
    """The runs in a folder, by time; no folder has none."""
    runs: list[tuple[Run, Mapping[str, Any]]] = []
    broken: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_bytes())
            runs.append((_run(file.name, content), content))
            for benchmark in content["benchmarks"]:
                list(seen(benchmark))
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            broken[file.name] = f"it has no {e}" if isinstance(e, KeyError) else f"{e}"
            runs = [(run, content) for run, content in runs if run.file != file.name]
    runs.sort(key=lambda pair: pair[0].at)
    return History([run for run, _ in runs], _series(runs), broken)


def seen(benchmark: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[float]]]:
    """A benchmark's figures, each with its unit: median, lowest, highest, rounds. Raises KeyError, ValueError."""
    extra = benchmark["extra_info"]
    if values := extra.get("values"):
        for unit, found in values.items():
            yield str(unit), (float(median(found)), float(min(found)), float(max(found)), len(found))
        return
    stats = benchmark["stats"]
    yield "s", (float(stats["median"]), float(stats["min"]), float(stats["max"]), int(stats["rounds"]))


def _run(file: str, content: Mapping[str, Any]) -> Run:
    commit, machine = content.get("commit_info") or {}, content["machine_info"]
    cpu = machine.get("cpu") or {}
    parts = (cpu.get("brand_raw") or machine.get("machine", ""), f"{cpu.get('count', '?')} cores")
    dirty = "+" if commit.get("dirty") else ""
    where = ", ".join((*map(str, parts), f"Python {machine['python_version']}"))
    return Run(file, str(content["datetime"]), f"{str(commit.get('id') or '')[:12]}{dirty}", where)


def _series(runs: Sequence[tuple[Run, Mapping[str, Any]]]) -> list[Series]:
    found: dict[tuple[str, str], Series] = {}
    for run, content in runs:
        for benchmark in content["benchmarks"]:
            extra = benchmark["extra_info"]
            name, group = str(extra.get("name", benchmark["name"])), str(benchmark.get("group") or "others")
            for unit, (middle, low, high, rounds) in seen(benchmark):
                series = found.setdefault((name, unit), Series(name, group, unit, str(extra.get("grows_with", ""))))
                series.points.append(Point(run, middle, low, high, int(rounds)))
    return list(found.values())
