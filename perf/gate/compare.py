"""The comparison itself: restart after restart, until every benchmark is decided or the time is over."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random

import numpy as np

from perf.gate.copies import ChildFailed
from perf.gate.judge import RESTARTS_MIN, Bounds, Kind, Ratios, verdict
from perf.gate.pairing import Restart, Revision, Round, SideFailed, base_to_itself, head_to_base, pinned
from perf.workloads import Workload

Say = Callable[[str], None]
NEW_TRIES, FAILURES_MAX = 2, 10
"""A base that fails so often, always alike and without having run once, has no such benchmark. One that has run it, or
fails in different ways, was disturbed: it is tried again, so often, and what it gave meanwhile is judged."""
DISTURBANCES = frozenset({"TimeoutError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError"})
"""What a busy machine does to a benchmark that is there."""
BETWEEN_PROCESSES_MIN = 8
"""Restarts of whatever lives in processes: they differ by up to 24 % from each other, so few of them decide nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one benchmark."""

    name: str
    grows_with: str
    kind: Kind
    bounds: Bounds
    itself: Bounds
    """The base against itself: what the machine does to a ratio that is one."""
    base_s: float
    """The median time of one call of the base, s."""
    restarts: int
    pairs: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compare, and how long it may take."""

    base: Revision
    head: Revision
    threshold_pct: float
    budget_s: float
    seed: int

    @property
    def in_processes(self) -> bool:
        """Whether the revisions cannot live in one process."""
        return self.base.python is not None or self.head.python is not None


@dataclass
class Trial:
    """One benchmark under way."""

    workload: Workload
    threshold_pct: float
    restarts_min: int
    ratios: Ratios = field(default_factory=Ratios)
    itself: Ratios = field(default_factory=Ratios)
    base_s: list[float] = field(default_factory=list)
    last_s: float = 0.0
    """How long its last restart took."""
    failed: list[str] = field(default_factory=list)
    """Each failure of the base, `Type: text`: it has no such benchmark, or something came between."""
    decided: Result | None = None

    def add(self, rounds: Sequence[Round], draw: np.random.Generator) -> None:
        self.ratios.add(head_to_base(rounds), draw)
        self.itself.add(base_to_itself(rounds), draw)
        self.base_s += [r.base.call_s for r in rounds]

    def result(self, draw: np.random.Generator, *, time_is_over: bool) -> Result:
        bounds, itself = self.ratios.bounds(draw), self.itself.bounds(draw)
        enough = len(self.ratios.restarts) >= self.restarts_min
        kind = verdict(bounds, self.threshold_pct, time_is_over=time_is_over) if enough else Kind.UNDECIDED
        kind, reason = (Kind.NEW, self._failures()) if self.new else self._excused(kind, itself, time_is_over)
        return Result(
            self.workload.name,
            self.workload.grows_with,
            kind,
            bounds,
            itself,
            float(np.median(self.base_s)) if self.base_s else 0.0,
            len(self.ratios.restarts),
            self.ratios.pairs,
            reason,
        )

    def _excused(self, kind: Kind, itself: Bounds, time_is_over: bool) -> tuple[Kind, str]:
        """No verdict rests on a machine that tells the base from itself."""
        if verdict(itself, self.threshold_pct, time_is_over=False) in (Kind.SLOWER, Kind.FASTER):
            return Kind.UNDECIDED, f"the base differs from itself by {100 * (itself.ratio - 1):+.1f} %"
        if kind is Kind.UNDECIDED and time_is_over:
            told = f"too noisy, or too little time: {len(self.ratios.restarts)} restarts"
            return kind, f"{told}; {self._failures()}" if self.failed else told
        return kind, ""

    def _failures(self) -> str:
        return f"the base cannot run it: {self.failed[-1]} (in {len(self.failed)} restarts)"

    @property
    def new(self) -> bool:
        """Whether the base has no such benchmark: it never ran it, and failed alike every time that it was tried."""
        kinds = {failure.partition(":")[0] for failure in self.failed}
        alike = len(self.failed) >= NEW_TRIES and len(kinds) == 1 and not kinds & DISTURBANCES
        return alike and not self.base_s

    @property
    def hopeless(self) -> bool:
        """Whether the base fails so often that its time is better spent on others."""
        return len(self.failed) >= FAILURES_MAX


def compare(
    plan: Plan, workloads: Iterable[Workload], say: Say, clock: Callable[[], float] = time.monotonic
) -> list[Result]:
    """A result per workload. Raises SideFailed when the head cannot run one of them."""
    random, draw = Random(plan.seed), np.random.default_rng(plan.seed)
    trials = [Trial(w, plan.threshold_pct, _restarts_min(plan, w)) for w in workloads]
    going, turn, until = list(trials), 0, clock() + plan.budget_s
    while going:
        restart = Restart(plan.base, plan.head, random)
        for trial in going:
            if clock() + trial.last_s < until:
                _measure(trial, restart, plan, turn, draw, clock)
        going = [t for t in going if not (_decided(t, draw, say) or t.hopeless) and clock() + t.last_s < until]
        turn += 1
    return [trial.decided or trial.result(draw, time_is_over=True) for trial in trials]


def all_new(workloads: Iterable[Workload], why: str) -> list[Result]:
    """The results where the base has nothing to be measured on."""
    unknown = Bounds(1.0, 0.0, math.inf)
    return [Result(w.name, w.grows_with, Kind.NEW, unknown, unknown, 0.0, 0, 0, why) for w in workloads]


def _restarts_min(plan: Plan, workload: Workload) -> int:
    return BETWEEN_PROCESSES_MIN if plan.in_processes or workload.own_process else RESTARTS_MIN


def _measure(
    trial: Trial, restart: Restart, plan: Plan, turn: int, draw: np.random.Generator, clock: Callable[[], float]
) -> None:
    started = clock()
    placed = pinned(turn) if plan.in_processes or trial.workload.own_process else nullcontext()
    try:
        with placed:
            trial.add(restart.rounds(trial.workload), draw)
    except SideFailed as e:
        if e.side == "head":
            raise
        trial.failed.append(_worded(e.__cause__))
    trial.last_s = clock() - started


def _worded(failure: BaseException | None) -> str:
    """`Type: text`, which a copy in a process of its own has said already."""
    return str(failure) if isinstance(failure, ChildFailed) else f"{type(failure).__name__}: {failure}"


def _decided(trial: Trial, draw: np.random.Generator, say: Say) -> bool:
    result = trial.result(draw, time_is_over=False)
    if result.kind is Kind.UNDECIDED:
        return False
    trial.decided = result
    say(f"{result.kind:9}  {result.name}")
    return True


def exit_code(results: Sequence[Result]) -> int:
    """1 when one is slower, 3 when none is but one is undecided, else 0."""
    kinds = {result.kind for result in results}
    return 1 if Kind.SLOWER in kinds else 3 if Kind.UNDECIDED in kinds else 0


def as_json(result: Result) -> Mapping[str, object]:
    """The result as JSON values; infinite bounds, of too few restarts, are null."""
    return {
        "name": result.name,
        "grows_with": result.grows_with,
        "verdict": result.kind.value,
        "ratio": _bounds_json(result.bounds),
        "base_against_itself": _bounds_json(result.itself),
        "base_s": result.base_s,
        "restarts": result.restarts,
        "pairs": result.pairs,
        "reason": result.reason,
    }


def _bounds_json(bounds: Bounds) -> dict[str, float | None]:
    bare = {"median": bounds.ratio, "low": bounds.low, "high": bounds.high}
    return {name: value if np.isfinite(value) and value > 0 else None for name, value in bare.items()}
