"""Blocks of calls in turn: the base, the head, and the base once more against itself."""

import gc
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from perf.gate.copies import Block, Copy, Maker, beside, here
from perf.gate.side import restored
from perf.workloads import Inputs, Workload

BLOCK_S = 0.0015
"""Short enough that few blocks are interrupted (a busy system takes the processor away every 3 ms or so)."""
RESTART_S = 0.6
"""What the timed blocks of one restart should take together; as long as setting it up took, where that is longer."""
ROUNDS_MIN, ROUNDS_MAX = 5, 120
WARM_S, WARM_CALLS = 0.06, 120
"""Until the interpreter has specialised its bytecode and caches are full: at most so long, at most so many calls."""
BASE, HEAD, BASE_AGAIN = range(3)


@dataclass(frozen=True, slots=True)
class Round:
    """The three blocks of one round."""

    base: Block
    head: Block
    base_again: Block


def head_to_base(rounds: Sequence[Round]) -> list[float]:
    """Log ratios of the times of the head and the base."""
    return _log_ratios([(r.head, r.base) for r in rounds])


def base_to_itself(rounds: Sequence[Round]) -> list[float]:
    """Log ratios that ought to be nought."""
    return _log_ratios([(r.base_again, r.base) for r in rounds])


def _log_ratios(pairs: Sequence[tuple[Block, Block]]) -> list[float]:
    """Of the pairs in which neither was interrupted, for a pause hits either side; of all where those are too few."""
    whole = [(a, b) for a, b in pairs if not (a.interrupted or b.interrupted)]
    chosen = whole if len(whole) >= min(len(pairs), ROUNDS_MIN) else pairs
    return [math.log(a.call_s / b.call_s) for a, b in chosen]


@dataclass(frozen=True, slots=True)
class Revision:
    """Where one revision's files are, what it is measured on, and the interpreter that runs it; None: this one."""

    root: Path
    inputs: Inputs
    python: Path | None = None


class SideFailed(Exception):
    """One revision cannot run a workload; the cause says why."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.side = side


class Restart:
    """Fresh copies of the base, the head and the base again, in which workloads are timed one after the other."""

    def __init__(self, base: Revision, head: Revision, random: Random) -> None:
        self._random = random
        self._makers = [_maker(revision) for revision in (base, head, base)]

    def rounds(self, workload: Workload) -> list[Round]:
        """Time one workload. Raises SideFailed when it cannot be set up or answers wrongly."""
        began = time.perf_counter()
        with restored(), ExitStack() as stack:
            copies = self._prepared(workload, stack)
            call_s = min([self._warm(copies, at) for at in range(len(copies))])
            calls = workload.calls or max(1, round(BLOCK_S / call_s))
            wanted = max(RESTART_S, time.perf_counter() - began) / (call_s * calls * len(copies))
            with frozen():
                return [self._round(copies, calls) for _ in range(min(ROUNDS_MAX, max(ROUNDS_MIN, round(wanted))))]

    def _block(self, copies: Sequence[Copy], at: int, calls: int) -> Block:
        try:
            return copies[at].block(calls)
        except Exception as e:
            raise SideFailed(_name(at)) from e

    def _prepared(self, workload: Workload, stack: ExitStack) -> list[Copy]:
        """The three copies, set up in random order: who comes first finds other memory than who comes last."""
        made: dict[int, Copy] = {}
        for at in self._random.sample(range(3), 3):
            try:
                made[at] = self._makers[at](workload)
            except Exception as e:
                raise SideFailed(_name(at)) from e
            stack.callback(made[at].close)
        return [made[at] for at in range(3)]

    def _round(self, copies: Sequence[Copy], calls: int) -> Round:
        took = {at: self._block(copies, at, calls) for at in self._random.sample(range(3), 3)}
        return Round(took[BASE], took[HEAD], took[BASE_AGAIN])

    def _warm(self, copies: Sequence[Copy], at: int) -> float:
        """Call it until it is as fast as it gets; the shortest call, in seconds."""
        until, shortest_s = time.perf_counter() + WARM_S, math.inf
        for _ in range(WARM_CALLS):
            shortest_s = min(shortest_s, self._block(copies, at, 1).call_s)
            if time.perf_counter() > until:
                break
        return shortest_s


def _name(at: int) -> str:
    return "head" if at == HEAD else "base"


def _maker(revision: Revision) -> Maker:
    if revision.python is None:
        return here(revision.root, revision.inputs)
    return beside(revision.python, revision.root, revision.inputs)


@contextmanager
def frozen() -> Iterator[None]:
    """No garbage collection meanwhile, and nothing that lives already is looked at by the next one."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def pinned(turn: int) -> Iterator[None]:
    """This process, and whatever it starts meanwhile, on one core, another one every turn."""
    if not hasattr(os, "sched_setaffinity"):  # macOS has none
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[turn % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
