"""Two revisions of `core` in one process, and paired blocks of their calls, with tiny revisions of their own."""

import sys
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from threading import Thread

import numpy as np
import pytest
from turns import in_turn, on_day

import core
from perf.gate.compare import Plan, Result, Trial, all_new, as_json, compare, exit_code
from perf.gate.copies import switches
from perf.gate.judge import Kind
from perf.gate.pairing import Block, Restart, Revision, Round, SideFailed, base_to_itself, head_to_base
from perf.gate.side import Side, restored
from perf.workloads import Inputs, Prepared, Workload

SEED = 5
TURNS = 4000
WAKES = 200


@pytest.fixture
def revision(tmp_path: Path):
    """Make a revision whose `core.thing.work` loops so often and gives its own name."""

    def make(name: str, turns: int = TURNS, more: str = "") -> Path:
        room = tmp_path / name / "core"
        room.mkdir(parents=True)
        (room / "__init__.py").touch()
        (room / "late.py").write_text(f"NAME = '{name}'\n")
        (room / "thing.py").write_text(
            f"def work():\n    from core.late import NAME\n    for _ in range({turns}): pass\n    return NAME\n{more}"
        )
        return tmp_path / name

    return make


def workload(expected: str = "", entry: str = "work") -> Workload:
    def prepare(inputs: Inputs) -> Prepared:
        from core import thing  # type: ignore[attr-defined]  # of the revision that is in place

        def check(name: str) -> None:
            assert not expected or name == expected

        return Prepared(getattr(thing, entry), check)

    return Workload("a loop", "turns", prepare)


def plan(base: Path, head: Path, budget_s: float = 60.0) -> Plan:
    """A quiet machine needs four seconds for a verdict."""
    return Plan(revised(base), revised(head), 1.0, budget_s, SEED)


def revised(root: Path) -> Revision:
    return Revision(root, Inputs(root))


def test_each_revision_keeps_modules_of_its_own_even_for_late_imports(revision):
    sides = [Side(revision("old")), Side(revision("new"))]
    calls = []
    with restored():
        for side in sides:
            with side.importing():
                calls.append(workload().prepare(Inputs(Path())).call)
        for _ in range(2):
            for side, call, name in zip(sides, calls, ("old", "new"), strict=True):
                side.enter()
                assert call() == name
    assert sys.modules["core"] is core, "what was in place before is there again"


@on_day(2, 3)
@pytest.mark.measures
def test_a_revision_that_takes_a_tenth_longer_is_slower_and_the_other_way_round_faster(revision):
    base, slow = revision("base"), revision("slow", round(TURNS * 1.1))
    (slower,) = compare(plan(base, slow), [workload()], lambda text: None)
    (faster,) = compare(plan(slow, base), [workload()], lambda text: None)
    assert (slower.kind, faster.kind) == (Kind.SLOWER, Kind.FASTER)
    assert slower.bounds.ratio == pytest.approx(1.1, abs=0.03)
    assert exit_code([slower, faster]) == 1


@on_day(2, 3)
@pytest.mark.measures
def test_equal_revisions_are_the_same_and_decided_long_before_the_time_is_over(revision):
    said: list[str] = []
    (told,) = compare(plan(revision("one"), revision("two")), [workload()], said.append)
    assert told.kind is Kind.SAME
    assert told.restarts < 30
    assert said == ["same       a loop"]
    assert exit_code([told]) == 0


def test_without_time_there_is_no_verdict_and_it_says_why(revision):
    (told,) = compare(plan(revision("one"), revision("two"), 0.001), [workload()], lambda text: None)
    assert told.kind is Kind.UNDECIDED
    assert "too little time" in told.reason
    assert exit_code([told]) == 3


def test_what_the_base_cannot_run_is_new(revision):
    head = revision("head", more="fresh = work\n")
    (told,) = compare(plan(revision("base"), head), [workload(entry="fresh")], lambda text: None)
    assert told.kind is Kind.NEW
    assert "fresh" in told.reason
    assert exit_code([told]) == 0


@pytest.mark.measures
@pytest.mark.parametrize("failing", in_turn([1, 2, 3], 3))
def test_a_base_that_fails_now_and_then_hides_no_slowdown(revision, failing: int):
    base, slow = revision("base"), revision("slow", round(TURNS * 1.3))
    told = disturbed(base, slow, {failing}, RuntimeError("the disk was full"))
    assert told.kind is Kind.SLOWER
    assert exit_code([told]) == 1


def test_a_base_that_is_disturbed_every_time_is_no_new_benchmark(revision):
    told = disturbed(revision("base"), revision("head"), set(range(100)), TimeoutError("it was not up in 30 s"))
    assert told.kind is Kind.UNDECIDED
    assert "it was not up in 30 s" in told.reason
    assert exit_code([told]) == 3


def disturbed(base: Path, head: Path, failing: set[int], failure: Exception) -> Result:
    """Compare, while the base's so many-th settings-up fail."""
    turns, plain = count(), workload()

    def prepare(inputs: Inputs) -> Prepared:
        if inputs.folder == base and next(turns) in failing:
            raise failure
        return plain.prepare(inputs)

    (told,) = compare(plan(base, head), [replace(plain, prepare=prepare)], lambda text: None)
    return told


def test_where_the_base_has_nothing_to_be_measured_on_all_is_new():
    (told,) = all_new([workload()], "no such learner")
    assert (told.kind, told.reason) == (Kind.NEW, "no such learner")


def test_what_the_head_cannot_run_or_answers_wrongly_is_said(revision):
    base, head = revision("base"), revision("head")
    with pytest.raises(SideFailed, match="head"):
        compare(plan(base, head), [workload(expected="base")], lambda text: None)


def test_pairs_in_which_a_block_was_interrupted_do_not_count_while_others_are_there():
    whole, cut = Block(1.0, False), Block(9.0, True)
    rounds = [Round(whole, Block(2.0, False), whole)] * 6 + [Round(whole, cut, whole)] * 6
    assert head_to_base(rounds) == pytest.approx([np.log(2)] * 6)
    assert base_to_itself(rounds) == [0.0] * 12
    assert len(head_to_base([Round(cut, cut, cut)] * 8)) == 8


def test_blocks_come_in_random_order_and_all_copies_do_the_same_number_of_calls(revision):
    rounds = Restart(revised(revision("a")), revised(revision("b")), Random(SEED)).rounds(workload())
    assert len(rounds) >= 5
    assert all(block.call_s > 0 for one in rounds for block in (one.base, one.head, one.base_again))


def test_a_machine_that_tells_the_base_from_itself_gives_no_verdict():
    random = np.random.default_rng(SEED)
    trial = Trial(workload(), 1.0, 4)
    for _ in range(6):
        trial.ratios.add(random.normal(0.1, 0.001, 20).tolist(), random)
        trial.itself.add(random.normal(0.1, 0.001, 20).tolist(), random)
        trial.base_s.append(1.0)
    told = trial.result(random, time_is_over=True)
    assert told.kind is Kind.UNDECIDED
    assert "differs from itself by +10" in told.reason


def test_bounds_of_a_result_are_null_in_json_where_they_are_infinite(revision):
    (told,) = compare(plan(revision("one"), revision("two"), 0.001), [workload()], lambda text: None)
    values = as_json(told)
    assert values["verdict"] == "undecided"
    assert values["ratio"]["low"] is None
    assert values["ratio"]["high"] is None


def test_what_other_threads_do_is_not_taken_for_a_wait_of_the_call():
    """Threads that woke ten times a second once made every block one that waits, whose own time then did not count."""

    def restless() -> None:
        for _ in range(WAKES):
            time.sleep(0.0005)

    thread = Thread(target=restless)
    waited, _ = switches()
    thread.start()
    thread.join()
    assert switches()[0] - waited < WAKES / 2
