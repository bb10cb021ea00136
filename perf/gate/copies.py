"""One prepared workload of one revision: in this process, or in one of its own with its own environment."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from perf.gate.side import CHECKOUT, Side
from perf.workloads import ALL, Inputs, Prepared, Workload
from perf.workloads.moved import names_of


class Block(NamedTuple):
    """So many calls in a row."""

    call_s: float
    """Seconds of one: by the wall clock, less what the system gave to others meanwhile where that can be told."""
    interrupted: bool
    """Whether the system took the processor away meanwhile: not what a call that waits does, which is its own time."""


class Copy(Protocol):
    """A workload that was set up, and whose first answer was right."""

    def block(self, calls: int) -> Block:
        """Time so many calls."""

    def close(self) -> None:
        """End what it started."""


Maker = Callable[[Workload], Copy]


@dataclass(frozen=True, slots=True)
class Here:
    """In this process, with its revision's modules in place."""

    side: Side
    prepared: Prepared

    def block(self, calls: int) -> Block:
        self.side.enter()
        return timed(self.prepared.call, calls)

    def close(self) -> None:
        self.side.enter()
        self.prepared.close()


def here(root: Path, inputs: Inputs) -> Maker:
    """Makes copies in this process that share one set of the revision's modules."""
    side = Side(root)

    def make(workload: Workload) -> Copy:
        with side.importing():
            return Here(side, right(workload.prepare(inputs)))

    return make


def right(prepared: Prepared) -> Prepared:
    """The workload, when its first answer is right; closed otherwise."""
    try:
        prepared.check(prepared.call())
    except BaseException:
        prepared.close()
        raise
    return prepared


def timed(call: Callable[[], Any], calls: int) -> Block:
    """Time so many calls in a row.

    Of a block that never waited of its own accord and lost the processor, the processor's own time is what it took.
    """
    turns, clock, own_clock = range(calls), time.perf_counter, time.thread_time
    waited, lost = switches()
    own_started, started = own_clock(), clock()
    for _ in turns:
        call()
    took, own = clock() - started, own_clock() - own_started
    waited_then, lost_then = switches()
    interrupted = lost_then > lost
    return Block((own if interrupted and waited_then == waited else took) / calls, interrupted)


def switches() -> tuple[int, int]:
    """How often the calling thread has given the processor up, and how often it lost it against its will.

    Other threads wake as they like: counted in, three of them that look ten times a second would make every block one
    that waits. macOS counts for the whole process alone.
    """
    used = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return used.ru_nvcsw, used.ru_nivcsw


class ChildFailed(Exception):
    """The other process could not do it; the text is its own."""


class Child:
    """In a process of its own, asked by lines of JSON."""

    def __init__(self, python: Path, root: Path, workload: Workload, inputs: Inputs) -> None:
        self._process = subprocess.Popen(
            [str(python), "-P", "-m", "perf.gate.copies"],
            cwd=root,
            env={**os.environ, "PYTHONPATH": paths(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._ask({"workload": workload.name, "inputs": str(inputs.folder)})
        except BaseException:
            self.close()
            raise

    def block(self, calls: int) -> Block:
        return Block(*self._ask({"calls": calls})["block"])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildFailed(f"It ended with code {self._process.wait()}")
        told: dict[str, Any] = json.loads(answer)
        if "error" in told:
            raise ChildFailed(told["error"])
        return told


def beside(python: Path, root: Path, inputs: Inputs) -> Maker:
    """Makes copies in processes of their own, run by the revision's own interpreter."""
    return lambda workload: Child(python, root, workload, inputs)


def paths(root: Path) -> str:
    """Where a process finds one revision's `core`, and our benchmarks."""
    return os.pathsep.join((str(root), str(root / "tests"), str(CHECKOUT)))


def serve(questions: IO[str], answers: IO[str]) -> None:
    """Answer a gate's questions until it closes them."""
    prepared: Prepared | None = None
    for line in questions:
        question = json.loads(line)
        try:
            if "workload" in question:
                workload = next(w for w in ALL if w.name == question["workload"])
                prepared, told = right(workload.prepare(Inputs(Path(question["inputs"])))), {}
            else:
                assert prepared is not None
                told = {"block": timed(prepared.call, question["calls"])}
        except Exception as e:  # noqa: BLE001 - whatever it is, the gate must hear of it
            told = {"error": f"{type(e).__name__}: {e}"}
        answers.write(json.dumps(told) + "\n")
        answers.flush()
    if prepared is not None:
        prepared.close()


if __name__ == "__main__":
    sys.modules.update(names_of(Path.cwd()))
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a workload prints must not be taken for an answer
    serve(sys.stdin, own)
