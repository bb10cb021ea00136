"""What a run does next, through random definitions, orders of events and crashes, without a clock or a process."""

import itertools
import os
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.definitions.advance import (
    Action,
    Basis,
    Begin,
    Cancel,
    End,
    Ended,
    Fail,
    Follow,
    Retry,
    Reuse,
    Seen,
    Skip,
    Succeed,
    advance,
    apply,
    awaited,
    inputs_of,
    waits_for_time,
)
from core.domain.job import JobState
from core.domain.pipeline import PipelineStep, StepKind
from core.domain.proof import GateResult
from core.domain.run import PipelineRunResult, StepResult, StepRun, StepState
from core.domain.training import BestTrial, TrainingResult

SEED = int(os.environ.get("SLIPWAY_ADVANCE_SEED", "1"))
CRASHES = 1_000
DONE = Ended(JobState.SUCCEEDED, result=StepResult({"value": 1}))
BROKEN = Ended(JobState.FAILED, "it broke", "mend it")


def step(name: str, *needs: str, **more: Any) -> PipelineStep:
    return PipelineStep(name, StepKind.COMMAND, needs, {"command": [name]}, **more)


def waiting(*plan: PipelineStep) -> tuple[StepRun, ...]:
    return tuple(StepRun(each.name, each.kind) for each in plan)


def after(steps: tuple[StepRun, ...], actions: tuple[Action, ...], now: float = 1.0) -> tuple[StepRun, ...]:
    for action in actions:
        steps = apply(steps, action, now, f"job-{action.step}-{action.attempt}" if isinstance(action, Begin) else "")
    return steps


def states(steps: tuple[StepRun, ...]) -> dict[str, StepState]:
    return {each.name: each.state for each in steps}


def test_what_nothing_stands_in_the_way_of_begins_at_once_up_to_the_limit() -> None:
    plan = (step("a"), step("b"), step("c"), step("d", "a"))
    begun = advance(plan, waiting(*plan), Seen(), 1.0, max_concurrent=2)
    assert begun == (Begin("a", 1, Basis()), Begin("b", 1, Basis()))
    steps = after(waiting(*plan), begun)
    assert advance(plan, steps, Seen(), 1.0, 2) == ()
    (done,) = advance(plan, steps, Seen({"job-a-1": DONE}), 2.0, 2)
    assert done == Succeed("a", {"value": 1})
    assert advance(plan, after(steps, (done,)), Seen(), 2.0, 2) == (Begin("c", 1, Basis()),)


def test_a_step_waits_for_the_sources_of_its_inputs_and_of_its_condition() -> None:
    plan = (step("a"), step("b"), step("c", inputs={"x": "a.value"}, when="b.value"))
    steps = after(waiting(*plan), advance(plan, waiting(*plan), Seen(), 1.0))
    steps = after(steps, advance(plan, steps, Seen({"job-a-1": DONE}), 1.0))
    assert advance(plan, steps, Seen(), 1.0) == ()
    steps = after(steps, advance(plan, steps, Seen({"job-b-1": DONE}), 1.0))
    assert advance(plan, steps, Seen(), 1.0) == (Begin("c", 1, Basis()),)
    assert inputs_of(plan[2], {each.name: each for each in steps}) == {"x": 1}


def test_a_condition_that_is_false_skips_the_step_and_what_depends_on_it_and_the_run_succeeds() -> None:
    plan = (step("a"), step("b", when="a.better"), step("c", "b"), step("d", "a"))
    steps = after(waiting(*plan), advance(plan, waiting(*plan), Seen(), 1.0))
    no = Ended(JobState.SUCCEEDED, result=StepResult({"better": False}))
    steps = after(steps, advance(plan, steps, Seen({"job-a-1": no}), 1.0))
    actions = advance(plan, steps, Seen(), 1.0)
    assert actions == (Skip("b", "skipped: 'a.better' is false"), Begin("d", 1, Basis()))
    steps = after(steps, actions)
    assert advance(plan, steps, Seen(), 1.0) == (Skip("c", "skipped: step 'b' was skipped"),)
    steps = after(steps, (Skip("c", ""), Succeed("d", {})))
    (end,) = advance(plan, steps, Seen(), 1.0)
    assert end == End(JobState.SUCCEEDED, result=PipelineRunResult({"a": {"better": False}, "d": {}}))


def test_a_failure_is_tried_again_after_a_wait_that_doubles_and_then_fails_the_run_by_name() -> None:
    plan = (step("a", retries=2, backoff_s=10.0), step("b", "a"), step("c"))
    steps = after(waiting(*plan), advance(plan, waiting(*plan), Seen(), 0.0))
    for attempt, wait_s in ((1, 10.0), (2, 20.0)):
        retry = advance(plan, steps, Seen({f"job-a-{attempt}": BROKEN}), 100.0)
        assert retry == (Retry("a", 100.0 + wait_s, "it broke"),)
        steps = after(steps, retry)
        assert waits_for_time(steps)
        assert advance(plan, steps, Seen(), 99.9 + wait_s) == ()
        begun = advance(plan, steps, Seen(), 100.0 + wait_s)
        assert advance(plan, steps, Seen(), -3_600.0) == begun, "a clock that was set back makes no wait longer"
        again = Basis(why=f"ran: attempt {attempt + 1}, after a failure: it broke")
        assert begun == (Begin("a", attempt + 1, again),)
        steps = after(steps, begun)
    steps = after(steps, advance(plan, steps, Seen({"job-a-3": BROKEN}), 200.0))
    assert states(steps)["a"] is StepState.FAILED
    steps = after(steps, advance(plan, steps, Seen(), 200.0))
    assert (states(steps)["b"], steps[1].why) == (StepState.SKIPPED, "skipped: step 'a' failed")
    assert advance(plan, steps, Seen(), 200.0) == (), "what does not depend on it goes on"
    steps = after(steps, advance(plan, steps, Seen({"job-c-1": DONE}), 200.0))
    assert advance(plan, steps, Seen(), 201.0) == (End(JobState.FAILED, "Step 'a' failed: it broke", "mend it"),)


def test_a_step_that_started_a_training_ends_with_it() -> None:
    plan = (PipelineStep("train", StepKind.AUTOML, (), {"target": "y", "primary_metric": "accuracy"}),)
    steps = after(waiting(*plan), advance(plan, waiting(*plan), Seen(), 1.0))
    started = Ended(JobState.SUCCEEDED, result=StepResult(started_job_id="t-1"))
    follow = advance(plan, steps, Seen({"job-train-1": started}), 1.0)
    assert follow == (Follow("train", "t-1", ""),)
    steps = after(steps, follow)
    assert (awaited(steps[0]), advance(plan, steps, Seen(), 1.0)) == ("t-1", ())
    found = TrainingResult(BestTrial(3, "LightGBM", {"accuracy": 0.9}), trials=7)
    (done,) = advance(plan, steps, Seen({"t-1": Ended(JobState.SUCCEEDED, result=found)}), 2.0)
    outputs = {"job": "t-1", "algorithm": "LightGBM", "metrics": {"accuracy": 0.9}, "score": 0.9, "trials": 7}
    assert done == Succeed("train", outputs)
    stopped = advance(plan, steps, Seen({"t-1": Ended(JobState.CANCELED)}), 2.0)
    assert isinstance(stopped[0], Fail), "somebody stopped the training, and not the run"


@pytest.mark.parametrize(("passed", "said"), [(False, "The gate did not pass"), (None, "The gate came to no verdict")])
def test_a_gate_that_did_not_pass_fails_its_step(passed: bool | None, said: str) -> None:
    plan = (PipelineStep("gate", StepKind.GATE),)
    steps = (StepRun("gate", StepKind.GATE, StepState.RUNNING, 1, "j", "g-1"),)
    seen = Seen({"g-1": Ended(JobState.SUCCEEDED, result=GateResult(passed, "r-1"))})
    assert advance(plan, steps, seen, 1.0) == (Fail("gate", said, "Its report r-1 says why"),)


def test_a_step_whose_basis_is_known_is_reused_and_takes_no_place() -> None:
    plan = (step("a"), step("b"))
    known = Basis({"code": "x"}, "reused: same inputs and code as run 12", "r-12", {"value": 7})
    seen = Seen(look=lambda each, inputs: known if each.name == "a" else Basis())
    actions = advance(plan, waiting(*plan), seen, 1.0, max_concurrent=1)
    assert actions == (Reuse("a", known), Begin("b", 1, Basis()))
    reused = after(waiting(*plan), actions)[0]
    assert (reused.state, reused.outputs, reused.reused_from) == (StepState.SUCCEEDED, {"value": 7}, "r-12")
    assert (reused.attempt, reused.job_id, reused.why) == (0, "", known.why)


def test_canceling_ends_what_waits_and_then_what_runs_as_its_jobs_end() -> None:
    plan = (step("a"), step("b", "a"))
    steps = after(waiting(*plan), advance(plan, waiting(*plan), Seen(), 1.0))
    canceled = advance(plan, steps, Seen(canceling=True), 1.0)
    assert canceled == (Cancel("b"),)
    steps = after(steps, canceled)
    assert advance(plan, steps, Seen(canceling=True), 1.0) == (), "its process lives"
    ended = Seen({"job-a-1": Ended(JobState.CANCELED)}, canceling=True)
    steps = after(steps, advance(plan, steps, ended, 1.0))
    assert advance(plan, steps, Seen(canceling=True), 1.0) == (End(JobState.CANCELED, "Canceled"),)


@dataclass
class World:
    """A run, the store that outlives every crash, and jobs that end as the dice say."""

    draw: random.Random
    plan: tuple[PipelineStep, ...]
    limit: int
    steps: tuple[StepRun, ...] = ()
    now: float = 1_000.0
    jobs: dict[str, Ended | None] = field(default_factory=dict)
    of_step: dict[str, str] = field(default_factory=dict)
    begun: Counter[str] = field(default_factory=Counter)
    ended: End | None = None
    canceling: bool = False
    crashes: int = 0
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.steps = waiting(*self.plan)

    def tick(self) -> None:
        """One look of the service; it may die before it keeps what it decided, and begins again from the store."""
        if self.ended is not None:
            return
        while actions := advance(self.plan, self.steps, self.seen(), self.now, self.limit):
            if self.draw.random() < 0.3:
                self.crashes += 1
                return
            self.carry_out(actions)
            if self.ended is not None:
                return

    def seen(self) -> Seen:
        ended = {job_id: end for job_id, end in self.jobs.items() if end is not None}
        return Seen(ended, self.canceling, self.look)

    def look(self, each: PipelineStep, inputs: Mapping[str, Any]) -> Basis:
        return Basis(reused_from="r-0", outputs={"value": 1}) if each.settings.get("reused") else Basis()

    def carry_out(self, actions: tuple[Action, ...]) -> None:
        steps = self.steps
        for action in actions:
            if isinstance(action, End):
                self.ended = action
                continue
            job_id = ""
            if isinstance(action, Begin):
                job_id = f"job-{next(self.numbers)}"
                self.check(action)
                self.jobs[job_id] = None
                self.of_step[job_id] = action.step
                self.begun[action.step] += 1
            steps = apply(steps, action, self.now, job_id)
        before, self.steps = self.steps, steps
        for old, new in zip(before, steps, strict=True):
            assert not old.state.final or new == old, f"{old.name} had ended"
        assert sum(each.state is StepState.RUNNING for each in steps) <= self.limit

    def check(self, action: Begin) -> None:
        known = {each.name: each for each in self.steps}
        planned = next(each for each in self.plan if each.name == action.step)
        assert not known[action.step].state.final
        assert all(known[name].state is StepState.SUCCEEDED for name in planned.waits_for)
        assert action.attempt == self.begun[action.step] + 1 <= planned.retries + 1

    def happen(self) -> None:
        """Something ends, time passes, or somebody loses patience."""
        going = [job_id for job_id, end in self.jobs.items() if end is None]
        if going and self.draw.random() < 0.7:
            job_id = self.draw.choice(going)
            self.jobs[job_id] = self.outcome()
        self.now += self.draw.choice((0.0, 0.1, 5.0, 60.0, -30.0))  # clocks are set back, too
        if self.draw.random() < 0.01:
            self.canceling = True

    def outcome(self) -> Ended:
        if self.canceling and self.draw.random() < 0.8:
            return Ended(JobState.CANCELED, "Canceled")
        dice = self.draw.random()
        if dice < 0.15:
            return BROKEN
        if dice < 0.3:
            started = f"started-{next(self.numbers)}"
            self.jobs[started] = None
            return Ended(JobState.SUCCEEDED, result=StepResult(started_job_id=started))
        return Ended(JobState.SUCCEEDED, result=StepResult({"value": self.draw.random() < 0.8}))


def drawn(draw: random.Random) -> World:
    names = [f"s{number}" for number in range(draw.randint(1, 9))]
    plan: list[PipelineStep] = []
    for name in names:
        earlier = [each.name for each in plan]
        needs = tuple(sorted(draw.sample(earlier, draw.randint(0, min(3, len(earlier))))))
        made = step(name, *needs, retries=draw.choice((0, 0, 1, 3)), backoff_s=draw.choice((0.0, 1.0, 30.0)))
        if earlier and draw.random() < 0.2:
            made = replace(made, when=f"{draw.choice(earlier)}.value")
        if draw.random() < 0.1:
            made = replace(made, settings={"reused": True})
        plan.append(made)
    return World(draw, tuple(plan), draw.randint(1, 4))


def test_a_thousand_crashes_repeat_no_step_that_was_done_and_every_run_ends() -> None:
    crashes, ends, number = 0, Counter[JobState](), 0
    while crashes < CRASHES:
        world = drawn(random.Random(f"{SEED}-{number}"))
        for _ in range(2_000):
            world.tick()
            if world.ended is not None:
                break
            world.happen()
        assert world.ended is not None, f"SLIPWAY_ADVANCE_SEED={SEED}, run {number} never ended: {world.steps}"
        found = Counter(each.state for each in world.steps)
        assert not found[StepState.QUEUED] + found[StepState.RUNNING], (SEED, number)
        if world.ended.state is JobState.SUCCEEDED:
            assert not found[StepState.FAILED] + found[StepState.CANCELED], (SEED, number)
        crashes += world.crashes
        ends[world.ended.state] += 1
        number += 1
    assert min(ends[JobState.SUCCEEDED], ends[JobState.FAILED], ends[JobState.CANCELED]) > 5, ends
