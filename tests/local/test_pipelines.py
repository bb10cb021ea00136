"""A pipeline's run: steps in order, each done once, whoever is killed in between."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local_world import World, kill, ticking
from starlette.testclient import TestClient
from waiting import wait_until

from core.domain.costs import Cost
from core.domain.data import DataRef
from core.domain.errors import SourceUnreadable, SpecInvalid
from core.domain.job import JobKind, JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.plain import plain
from core.domain.run import PipelineRun, PipelineRunSpec, StepState
from core.local.confined import check_run
from core.local.service.door import app
from core.local.service.runs import Runs
from core.local.store.bodies import encode
from core.local.workspace import open_local

SPEC = PipelineSpec(
    "p",
    (
        PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),
        PipelineStep("automl", StepKind.AUTOML, ("prepare",), {"target": "${target}", "max_trials": 3}),
        PipelineStep("register", StepKind.REGISTER, ("automl",), {"model": "m"}),
    ),
    parameters=(Parameter("data", ParameterType.DATA, ""), Parameter("target", ParameterType.STRING, "y")),
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    return path


def trigger(world: World, table: Path, spec: PipelineSpec = SPEC, **parameters: object) -> PipelineRun:
    workspace = open_local(world.settings)
    published = workspace.pipelines.publish(spec)
    return workspace.pipelines.trigger(published.id, "nightly", {"data": str(table), **parameters})


def run(world: World, run_id: str) -> PipelineRun:
    return open_local(world.settings).pipelines.get_run(run_id)


def until_final(world: World, run_id: str) -> PipelineRun:
    wait_until(ticking(world.reconciler(), lambda: world.job(run_id).state.final), 60)
    return run(world, run_id)


def test_a_run_prepares_trains_and_registers(world: World, table: Path) -> None:
    # The compute has one place, which the run's own training job needs: the run takes none.
    done = until_final(world, trigger(world, table).id)
    assert (done.state, done.experiment_name) == (JobState.SUCCEEDED, "nightly"), done.message
    prepared, trained, registered = (step.outputs for step in done.steps)
    assert (prepared["data"], prepared["rows"]) == ("people:1", 30)
    assert trained["algorithm"] == "Fake"
    assert registered == {"model": "m:1"}
    training = world.job(done.steps[1].started_job_id)
    assert (training.parent_id, training.experiment_name) == (done.steps[1].job_id, "nightly")
    assert world.job(done.steps[1].job_id).parent_id == done.id


def test_a_training_step_trains_as_it_was_told_and_anew_when_its_validation_table_has_changed(
    world: World, table: Path, tmp_path: Path
) -> None:
    told = {
        "target": "y",
        "max_trials": 3,
        "exit_score": 0.99,
        "search_space": {"LightGBM": {"num_leaves": {"kind": "choice", "values": [7, 31]}}},
        "class_weights": {"yes": 2},
        "cost_matrix": [{"actual": "yes", "predicted": "no", "cost": 5}],
        "validation_data": "judge",
    }
    train = PipelineStep("automl", StepKind.AUTOML, ("prepare",), told)
    workspace = open_local(world.settings)
    published = workspace.pipelines.publish(replace(SPEC, steps=(SPEC.steps[0], train)))
    found = []
    for rows in (10, 20, 20):
        judge = tmp_path / "judge.csv"
        judge.write_text("age,y\n" + "30,yes\n40,no\n" * rows)
        workspace.data.register("judge", str(judge))
        triggered = workspace.pipelines.trigger(published.id, "nightly", {"data": str(table)})
        found.append(until_final(world, triggered.id).steps[1])
    spec = world.job(found[0].started_job_id).spec
    assert spec.validation_data == DataRef("judge", 1)
    assert (spec.exit_score, spec.class_weights, spec.cost_matrix) == (0.99, {"yes": 2}, (Cost("yes", "no", 5),))
    assert spec.search_space["LightGBM"]["num_leaves"].values == (7, 31)
    assert [bool(step.reused_from) for step in found] == [False, False, True]
    assert "validation_data changed" in found[1].why


def test_a_failed_step_fails_the_run_by_name_and_cancels_the_later_ones(world: World, table: Path) -> None:
    done = until_final(world, trigger(world, table, target="nonsense").id)
    assert done.state is JobState.FAILED
    assert done.message.startswith("Step 'automl' failed: There is no column 'nonsense'")
    assert [step.state for step in done.steps] == [StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED]
    assert world.store.models.list() == ()


def test_an_unreadable_table_fails_the_run_with_its_cause(world: World, table: Path) -> None:
    table.unlink()
    done = until_final(world, trigger(world, table).id)
    assert done.message.startswith("Step 'prepare' failed: There is no file")


def test_a_killed_run_goes_on_and_does_no_step_twice(world: World, table: Path) -> None:
    run_id = trigger(world, table).id
    tick = world.reconciler()
    killed = 0

    def kill_the_next() -> bool:
        nonlocal killed
        running = world.store.jobs.list(JobKind.STEP)
        for job in running[: 1 if len(running) > killed else 0]:
            if (worker := world.store.jobs.worker(job.id)) is not None and not job.state.final:
                killed += 1
                with suppress(ProcessLookupError):
                    kill(worker)
        return killed == 2

    wait_until(ticking(tick, kill_the_next), 60)
    done = until_final(world, run_id)
    assert done.state is JobState.SUCCEEDED, done.message
    assert len(world.store.jobs.list(JobKind.AUTOML)) == 1
    assert len([asset for asset in world.store.data.list() if asset.name == "people"]) == 1
    assert [model.version for model in world.store.models.list()] == [1]


def test_canceling_a_run_cancels_its_training_and_its_open_steps(world: World, table: Path) -> None:
    prepare, automl, register = SPEC.steps
    slow = replace(automl, settings={**automl.settings, "engine": "fake:each_s=60"})
    run_id = trigger(world, table, replace(SPEC, steps=(prepare, slow, register))).id
    tick = world.reconciler()
    child = wait_until(ticking(tick, lambda: run(world, run_id).steps[1].started_job_id), 30)
    open_local(world.settings).jobs.cancel(run_id)
    done = until_final(world, run_id)
    wait_until(ticking(tick, lambda: world.job(child).state.final), 20)
    assert done.state is JobState.CANCELED
    assert [step.state for step in done.steps] == [StepState.SUCCEEDED, StepState.CANCELED, StepState.CANCELED]
    assert world.store.models.list() == ()


WRONG = [
    ({"timeout_s": "10"}, "Parameter 'timeout_s' is '10', expected a number"),
    ({"timeout_s": True}, "'timeout_s' is True"),
    ({"timeout_s": None}, "'timeout_s' is None"),
    ({"timeout_s": 1}, "Step 'automl': timeout_s must be at least 3 seconds, got 1"),
    ({"folds": 1}, "Step 'automl': n_cross_validations is 1, expected 0 (automatic) or 2 to 20"),
    ({"target": ""}, "Step 'automl': No target column was named"),
    ({"target": ["y"]}, "Parameter 'target' is ['y'], expected a text"),
    ({"data": 7}, "Parameter 'data' is 7, expected a table's path or name, as text"),
    ({"data": " "}, "Step 'prepare': data is ' ', expected a text"),
    ({"model": "a/b"}, "Step 'register': 'a/b' is not a name for a model"),
    ({"compute": "cloud"}, "There is no compute 'cloud'"),
    ({"speed": 1}, "has no parameter 'speed'"),
]
CAREFUL = PipelineSpec(
    "careful",
    (
        PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),
        PipelineStep(
            "automl",
            StepKind.AUTOML,
            ("prepare",),
            {"target": "${target}", "timeout_s": "${timeout_s}", "folds": "${folds}", "compute": "${compute}"},
        ),
        PipelineStep("register", StepKind.REGISTER, ("automl",), {"model": "${model}"}),
    ),
    parameters=(
        Parameter("data", ParameterType.DATA, ""),
        Parameter("target", ParameterType.STRING, "y"),
        Parameter("timeout_s", ParameterType.NUMBER, 60),
        Parameter("folds", ParameterType.INTEGER, 0),
        Parameter("compute", ParameterType.STRING, "local"),
        Parameter("model", ParameterType.STRING, "m"),
    ),
)


@pytest.mark.parametrize(("parameters", "said"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_parameters_that_make_no_sense_are_refused_at_every_door_and_start_nothing(
    world: World, parameters: dict[str, object], said: str
) -> None:
    workspace = open_local(world.settings)
    published = workspace.pipelines.publish(CAREFUL)
    given = {"data": "people", **parameters}
    with pytest.raises(SpecInvalid) as refused:
        workspace.pipelines.trigger(published.id, "nightly", given)
    assert said in refused.value.message
    body = {"ExperimentName": "nightly", "ParameterAssignments": given}
    reply = TestClient(app(workspace, "key", lambda: None), base_url="http://127.0.0.1").post(
        f"/pipelines/{published.id}", json=body, headers={"Authorization": "Bearer key"}
    )
    assert (reply.status_code, said in reply.json()["error"]["message"]) == (400, True)
    assert workspace.pipelines.list_runs() == ()


def test_a_definition_whose_settings_have_the_wrong_type_is_not_published(world: World) -> None:
    step = PipelineStep("automl", StepKind.AUTOML, (), {"target": "y", "timeout_s": "soon"})
    with pytest.raises(SpecInvalid, match="'timeout_s' is 'soon'"):
        open_local(world.settings).pipelines.publish(PipelineSpec("p", (step,)))


def test_a_path_that_comes_by_the_door_is_read_in_the_allowed_folders_alone(world: World, table: Path) -> None:
    free, door = open_local(world.settings), open_local(world.settings, confined=True)
    published = free.pipelines.publish(SPEC)
    client = TestClient(app(door, "key", lambda: None), base_url="http://127.0.0.1")
    for path in ("/etc/passwd", str(table), f"{table.parent}/./people.csv", "/etc/nothing"):
        body = {"ExperimentName": "nightly", "ParameterAssignments": {"data": path}}
        reply = client.post(f"/pipelines/{published.id}", json=body, headers={"Authorization": "Bearer key"})
        assert reply.status_code == 400
        assert "is outside the folders" in reply.json()["error"]["message"]
        assert "root:" not in reply.text
    assert free.pipelines.list_runs() == ()
    free.pipelines.trigger(published.id, "nightly", {"data": str(table)})
    own = replace(SPEC, name="own", parameters=(Parameter("data", ParameterType.DATA, str(table)), SPEC.parameters[1]))
    with pytest.raises(SourceUnreadable, match="is outside"):
        door.pipelines.publish(own)
    assert door.pipelines.trigger(free.pipelines.publish(own).id, "nightly").steps, "its publisher named the path"
    with pytest.raises(SourceUnreadable, match="is outside"):
        door.pipelines.trigger("own", "nightly", {"data": "/etc/passwd"})


def test_a_link_that_leads_elsewhere_when_the_run_begins_is_not_followed(world: World, table: Path) -> None:
    (folder := table.parent / "allowed").mkdir()
    (folder / "t.csv").write_text(table.read_text())
    settings = replace(world.settings, read_dir=(folder,))
    free, door = open_local(settings), open_local(settings, confined=True)
    door.pipelines.trigger(free.pipelines.publish(SPEC).id, "nightly", {"data": str(folder / "t.csv")})
    (job,) = free.jobs.list(JobKind.PIPELINE)
    assert isinstance(job.spec, PipelineRunSpec)
    check_run(SPEC, job.spec, settings)
    (folder / "t.csv").unlink()
    (folder / "t.csv").symlink_to("/etc/passwd")
    with pytest.raises(SourceUnreadable, match="is outside"):
        check_run(SPEC, job.spec, settings)
    check_run(SPEC, replace(job.spec, confined=False), settings)


def test_the_revision_stands_while_nothing_happens_and_grows_with_whatever_does(world: World, table: Path) -> None:
    workspace = open_local(world.settings)
    seen = [workspace.pipelines.revision()]

    def grown() -> bool:
        seen.append(workspace.pipelines.revision())
        return seen[-1] > seen[-2]

    run_id = trigger(world, table).id
    assert grown()
    tick = world.reconciler()
    wait_until(ticking(tick, lambda: run(world, run_id).steps[0].job_id), 30)
    assert grown()
    assert not grown()
    workspace.pipelines.cancel(run_id)
    assert grown()
    wait_until(ticking(tick, lambda: run(world, run_id).state.final), 30)
    assert grown()
    tick()
    assert not grown()


class Distracted:
    """The runs of a store, and somebody who cancels each in the moment between two looks at it."""

    def __init__(self, world: World) -> None:
        self._world, self._runs = world, world.store.runs

    def waiting(self, limit: int) -> tuple[str, ...]:
        found = self._runs.waiting(limit)
        for run_id in found:
            open_local(self._world.settings).pipelines.cancel(run_id)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)


def test_a_run_that_is_canceled_in_the_moment_it_begins_stays_canceled_and_the_others_go_on(
    world: World, table: Path
) -> None:
    canceled = trigger(world, table).id
    runs = Runs(world.store, world.settings)
    undisturbed, world.store.runs = world.store.runs, Distracted(world)
    runs.tick()
    world.store.runs = undisturbed
    assert run(world, canceled).state is JobState.CANCELED
    assert until_final(world, trigger(world, table).id).state is JobState.SUCCEEDED


def test_a_run_whose_definition_cannot_be_read_fails_alone(world: World, table: Path) -> None:
    broken, sound = trigger(world, table).id, trigger(world, table).id
    (job,) = [job for job in world.store.jobs.list(JobKind.PIPELINE) if job.id == broken]
    with world.store.write() as tx:
        spec = replace(job.spec, pipeline_id="gone")
        tx.jobs._db.execute("UPDATE jobs SET spec = ? WHERE id = ?", encode(plain(spec), type(spec)), broken)
    assert until_final(world, sound).state is JobState.SUCCEEDED
    assert world.job(broken).state is JobState.FAILED
    assert "There is no pipeline 'gone'" in world.job(broken).message
