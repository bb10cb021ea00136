"""A step whose outputs an earlier one has given already is not done again, and every step says why it was done."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_world import World, ticking
from run_by_hand import ByHand
from waiting import wait_until

from core.definitions.advance import Ended
from core.domain.errors import ServiceUnavailable
from core.domain.job import JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import StepResult, StepRun, StepState
from core.local import own_code
from core.local.own_code import step_code
from core.local.reuse import Reuses, changed_parts, listed
from core.local.workspace import open_local

FILES = {"value": ValueType.INTEGER, "file": ValueType.FILE}


def command(name: str, *words: object, code: str = "c1", **more: Any) -> PipelineStep:
    given = {"outputs": FILES, "code": code, **more}
    return PipelineStep(name, StepKind.COMMAND, settings={"command": list(words)}, **given)


@pytest.fixture
def by_hand(world: World) -> ByHand:
    return ByHand(world.store, world.settings)


def whys(steps: Mapping[str, StepRun]) -> list[str]:
    return [step.why for step in steps.values()]


def test_a_step_says_what_has_changed_since_the_last_run_and_is_reused_where_nothing_has(by_hand: ByHand) -> None:
    plan = (command("a", "x"), command("b", "y", inputs={"in": "a.value"}))
    assert whys(by_hand.run(plan)) == ["ran: first run of this step"] * 2
    again = by_hand.run(plan)
    assert whys(again) == ["reused: same inputs and code as run 1"] * 2
    assert by_hand.began == ["a", "b"]
    newer = by_hand.run((replace(plan[0], code="c2"), plan[1]))
    assert whys(newer) == ["ran: its code changed since run 2", "reused: same inputs and code as run 1"]
    by_hand.does = lambda step, job_id: StepResult({"value": 2})
    other = by_hand.run((command("a", "z"), plan[1]))
    assert whys(other) == ["ran: setting command and its code changed since run 3", "ran: input in changed since run 3"]
    off = by_hand.run((replace(plan[0], allow_reuse=False), plan[1]))
    assert whys(off)[0] == "ran: reuse is off for this step"
    assert whys(by_hand.run(plan, "q"))[0] == "reused: same inputs and code as run 1 of 'p'"


def test_the_parameter_that_changed_is_named(by_hand: ByHand) -> None:
    def count(rows: int) -> tuple[PipelineStep, ...]:
        given = {"command": ["count", str(rows)], "arguments": {"rows": rows, "seed": 0}}
        return (replace(command("a"), settings=given),)

    by_hand.run(count(1))
    assert whys(by_hand.run(count(2))) == ["ran: parameter rows changed since run 1"]
    built_in = PipelineStep("t", StepKind.AUTOML, settings={"target": "y", "timeout_s": 60})
    by_hand.run((built_in,), "q")
    longer = replace(built_in, settings={"target": "y", "timeout_s": 90})
    assert whys(by_hand.run((longer,), "q")) == ["ran: parameter timeout_s changed since run 1"]


@pytest.mark.parametrize("kind", [StepKind.REGISTER, StepKind.DEPLOY, StepKind.GATE, StepKind.PROMOTE])
def test_a_step_that_changes_what_others_see_is_never_reused(by_hand: ByHand, kind: StepKind) -> None:
    plan = (PipelineStep("a", kind),)
    by_hand.does = lambda step, job_id: StepResult({})
    assert [whys(by_hand.run(plan)) for _ in range(2)] == [[f"ran: a {kind} step is never reused"]] * 2
    assert by_hand.began == ["a", "a"]


def test_tables_and_models_count_by_what_they_are_and_not_by_what_they_are_called(
    by_hand: ByHand, world: World
) -> None:
    given, reads = command("a", "x", outputs={"data": ValueType.DATA}), command("b", "y", inputs={"data": "a.data"})
    same = world.store.data.add(replace(world.data, name="same", version=0))
    other = world.store.data.add(replace(world.data, name="other", version=0, sha256="cd" * 32))
    said = []
    for ref in (world.data.ref, same.ref, other.ref):
        by_hand.does = lambda step, job_id, ref=str(ref): StepResult({"data": ref} if step.name == "a" else {})
        said.append(by_hand.run((replace(given, code=str(ref)), reads))["b"].why)
    assert said == [
        "ran: first run of this step",
        "reused: same inputs and code as run 1",
        "ran: input data changed since run 2",
    ]


def test_outputs_that_are_gone_stand_for_nothing(by_hand: ByHand, world: World) -> None:
    def does(step: PipelineStep, job_id: str) -> StepResult:
        folder = world.paths.step_outputs(job_id)
        folder.mkdir(parents=True)
        (folder / "f").write_text("1")
        return StepResult({"file": f"{job_id}/f"}, files={"file": "ab"})

    by_hand.does = does
    first = by_hand.run((command("a"),))
    reused = by_hand.run((command("a"),))
    assert (reused["a"].job_id, reused["a"].outputs, reused["a"].files) == (
        first["a"].job_id, first["a"].outputs, {"file": "ab"},
    )  # fmt: skip
    (world.paths.step_outputs(first["a"].job_id) / "f").unlink()
    assert whys(by_hand.run((command("a"),))) == ["ran: the outputs of run 1 were removed"]
    assert whys(by_hand.run((command("a"),))) == ["reused: same inputs and code as run 3"]


def test_two_runs_at_once_both_do_the_step_and_the_next_reuses_one(by_hand: ByHand, world: World) -> None:
    plan = (command("a"),)
    jobs = [by_hand.add(plan) for _ in range(2)]
    for job in jobs:
        world.store.jobs.start_attempt(job.id, time.time())
        by_hand.once(job, plan)
    for job in jobs:
        while by_hand.once(job, plan):
            pass
    assert by_hand.began == ["a", "a"]
    assert by_hand.run(plan)["a"].reused_from == jobs[1].id


def test_what_was_begun_with_other_code_is_not_kept(
    by_hand: ByHand, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = (PipelineStep("a", StepKind.GUARDRAILS, settings={"target": "y"}),)
    monkeypatch.setattr("core.local.dependence.step_code", lambda kind: "old")
    job = by_hand.add(plan)
    world.store.jobs.start_attempt(job.id, time.time())
    by_hand.once(job, plan)
    monkeypatch.setattr("core.local.dependence.step_code", lambda kind: "new")
    while by_hand.once(job, plan):
        pass
    assert whys(by_hand.run(plan)) == ["ran: its code changed since run 1"]


def test_a_run_that_was_removed_while_it_was_looked_at_is_not_reused(by_hand: ByHand, world: World) -> None:
    plan = (command("a"),)
    first = by_hand.add(plan)
    by_hand.finish(first, plan)
    second, reuses = by_hand.add(plan), Reuses(world.store, world.settings)
    waits = world.store.runs.steps(second.id)
    basis = reuses.look(second, plan, waits, plan[0])
    assert basis.reused_from == first.id
    taken = replace(waits[0], state=StepState.SUCCEEDED, reused_from="one that is gone", ended_at=1.0)
    with pytest.raises(ServiceUnavailable, match="has been removed meanwhile"), world.store.write() as tx:
        reuses.keep(tx, second, plan, waits, [taken])


def test_a_step_asks_again_with_what_only_its_own_process_can_read(by_hand: ByHand, world: World) -> None:
    plan = (PipelineStep("a", StepKind.PREPARE, settings={"data": "t"}),)
    source, reuses = ["s1"], Reuses(world.store, world.settings)
    jobs = []

    def does(step: PipelineStep, job_id: str) -> StepResult:
        basis = reuses.further(jobs[-1], step, {"source": source[0]})
        outputs = basis.outputs or {"data": str(world.data.ref), "new": True}
        return StepResult(outputs, reused_from=basis.reused_from, parts=basis.parts, why=basis.why)

    by_hand.does = does
    said = []
    for now in ("s1", "s1", "s2"):
        source[0] = now
        jobs.append(by_hand.add(plan))
        said.append(by_hand.finish(jobs[-1], plan)["a"])
    assert [step.why for step in said] == [
        "ran: first run of this step",
        "reused: same inputs and code as run 1",
        "ran: its source changed since run 2",
    ]
    assert [step.reused_from for step in said] == ["", jobs[0].id, ""]
    made = [[each.made for each in world.store.runs.artifacts(job.id)] for job in jobs]
    assert made == [[True], [False], [True]]


def test_a_retry_says_what_had_failed(by_hand: ByHand) -> None:
    plan = (command("a"),)
    by_hand.does = lambda step, job_id: Ended(JobState.FAILED, "it broke")
    first = by_hand.add(plan)
    by_hand.finish(first, plan)
    by_hand.does = lambda step, job_id: StepResult({"value": 1})
    assert whys(by_hand.run(plan, retry_of=first.id)) == ["ran: retry after a failure in run 1"]


def test_many_changes_are_counted() -> None:
    now = {f"parameter p{i}": "1" for i in range(5)} | {"setting command": "1"}
    assert listed(changed_parts({}, now)) == "parameter p0, parameter p1, parameter p2 and 2 more"
    assert changed_parts(now, now) == []


def test_a_parameter_inside_a_command_is_named_by_the_name_that_the_pipeline_gives_it(world: World) -> None:
    workspace = open_local(world.settings)
    words = {"command": ["echo", "--until=${until}", "${rows}"]}
    parameters = (
        Parameter("until", ParameterType.STRING, "noon"),
        Parameter("rows", ParameterType.INTEGER, 5),
    )
    spec = PipelineSpec("echo", (PipelineStep("say", StepKind.COMMAND, settings=words),), parameters=parameters)
    workspace.pipelines.publish(spec)

    def why(**given: object) -> str:
        run_id = workspace.pipelines.trigger("echo", "x", given).id
        wait_until(ticking(world.reconciler(), lambda: world.job(run_id).state.final), 30)
        return workspace.pipelines.get_run(run_id).steps[0].why

    assert why() == "ran: first run of this step"
    assert why(until="night") == "ran: parameter until changed since run 1"
    assert why(until="dawn", rows=6) == "ran: parameter until and parameter rows changed since run 2"
    assert why() == "reused: same inputs and code as run 1"


# Random histories


@dataclass
class Histories:
    """What a step of `a -> b -> c` was given, noted beside the code under test."""

    by_hand: ByHand
    salt: int = 0
    given: dict[tuple[str, str], object] = field(default_factory=dict)
    """(run, step) -> everything that it could depend on."""
    gone: set[tuple[str, str]] = field(default_factory=set)

    def plan(self, p: int, q: int, code: str, reuse: bool) -> Sequence[PipelineStep]:
        return (
            command("a", "x", p, code=code),
            command("b", "y", q, inputs={"in": "a.file"}, allow_reuse=reuse),
            command("c", "z", inputs={"one": "a.value", "two": "b.value"}),
        )

    def does(self, step: PipelineStep, job_id: str) -> StepResult:
        folder = self.by_hand.settings.home / "jobs" / job_id / "outputs"
        folder.mkdir(parents=True)
        (folder / "f").write_text("1")
        value = hash(str(step.settings)) % 3
        return StepResult({"value": value, "file": f"{job_id}/f"}, files={"file": str(value)})

    def run(self, p: int, q: int, code: str, reuse: bool) -> None:
        plan = self.plan(p, q, code, reuse)
        job = self.by_hand.add(plan)
        before = len(self.by_hand.began)
        steps = self.by_hand.finish(job, plan)
        a, b = steps["a"], steps["b"]
        depends: dict[str, object] = {
            "a": (p, code),
            "b": (q, a.files["file"]),
            "c": (a.outputs["value"], b.outputs["value"]),
        }
        really = self.by_hand.began[before:]
        for name, step in steps.items():
            what = depends[name]
            same = [key for key, known in self.given.items() if key[1] == name and known == what]
            if step.reused_from:
                source = self.by_hand.store.kept_steps.of_run(step.reused_from, name)
                assert source is not None
                assert source.step.parts == step.parts
                assert source.step.reused_from == ""
                assert source.step.outputs == step.outputs
                assert (step.reused_from, name) in same
                assert (step.reused_from, name) not in self.gone
                assert name not in really
                assert name != "b" or reuse
            else:
                assert name in really
                assert not same or same[-1] in self.gone or (name == "b" and not reuse), "it should have been reused"
                if name != "b" or reuse:
                    self.given[job.id, name] = what

    def remove(self, run: int, name: str) -> None:
        """The files of one step that was done."""
        done = [key for key in self.given if key[1] == name]
        if done:
            run_id, step = done[run % len(done)]
            kept = self.by_hand.store.kept_steps.of_run(run_id, step)
            assert kept is not None
            path = self.by_hand.settings.home / "jobs" / str(kept.step.outputs["file"]).replace("/", "/outputs/")
            path.unlink(missing_ok=True)
            self.gone.add((run_id, step))


small = st.integers(0, 1)
runs = st.tuples(st.just("run"), small, small, st.sampled_from(["c1", "c2"]), st.booleans())
removals = st.tuples(st.just("remove"), st.integers(0, 5), st.sampled_from("abc"))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(runs | removals, min_size=3, max_size=8))
def test_a_reused_step_depends_on_just_what_its_source_did(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[Any, ...]]
) -> None:
    world = World(tmp_path_factory.mktemp("reuse"))
    history = Histories(ByHand(world.store, world.settings))
    history.by_hand.does = history.does
    try:
        for verb, *arguments in events:
            getattr(history, verb)(*arguments)
    finally:
        world.close()


# The code


def test_the_code_of_a_step_is_its_module_with_all_of_ours_that_it_imports() -> None:
    import ast

    def imported(path: Path) -> set[Path]:
        names = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        return {file for name in names if name.partition(".")[0] == "core" for file in own_code._files(name)}

    for kind in (StepKind.PREPARE, StepKind.REGISTER):
        found = own_code.closure([own_code.HOUSE / "local" / "worker" / f"step_{kind}.py"])
        assert len(found) > 20
        assert set().union(*map(imported, found)) <= found


def test_the_code_is_found_anew_where_a_file_has_changed_and_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "core"
    (house / "local" / "worker").mkdir(parents=True)
    (house / "deep").mkdir()
    (house / "local" / "worker" / "step_guardrails.py").write_text(
        "def f():\n    from core.deep import (\n        leaf,\n    )\n"
    )
    (house / "deep" / "__init__.py").write_text("")
    (house / "deep" / "leaf.py").write_text("x = 1\n")
    monkeypatch.setattr(own_code, "HOUSE", house)
    monkeypatch.setattr(own_code, "_seen", {})
    own_code._files.cache_clear()
    first = step_code(StepKind.GUARDRAILS)
    assert step_code(StepKind.GUARDRAILS) == first
    (house / "deep" / "leaf.py").write_text("x = 2\n")
    os.utime(house / "deep" / "leaf.py", (1, 1))
    assert step_code(StepKind.GUARDRAILS) != first
    own_code._files.cache_clear()


def test_the_code_of_any_step_is_known_within_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    took_s = []
    for _ in range(3):
        monkeypatch.setattr(own_code, "_seen", {})
        began = time.process_time()
        step_code(StepKind.AUTOML)
        took_s.append(time.process_time() - began)
    # A machine that is shared takes twice its own time.
    assert min(took_s) < 0.1
