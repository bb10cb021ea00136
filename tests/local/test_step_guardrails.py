"""The step that looks at a table as a training would, and trains nothing."""

from pathlib import Path

import pytest
from local_world import World
from step_runs import pipeline, run_through, step

from core.domain.job import JobKind
from core.domain.pipeline import StepKind
from core.domain.run import StepRun, StepState


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"p{i},{i % 7},{'yes' if i % 9 == 0 else 'no'}\n" for i in range(90)]
    (path := tmp_path / "people.csv").write_text("name,visits,bought\n" + "".join(rows))
    return path


def guarded(world: World, table: Path, **settings: object) -> StepRun:
    checks = step(StepKind.GUARDRAILS, **settings)
    *_, done = run_through(world, pipeline(step(StepKind.PREPARE, data=str(table)), checks)).steps
    return done


def test_every_check_of_a_training_is_made_and_alerts_are_counted(world: World, table: Path) -> None:
    done = guarded(world, table, target=" bought")
    assert (done.state, done.outputs["alerts"], done.note) == (StepState.SUCCEEDED, 1, "6 checks of people:1, 1 alert")
    checks = {check["name"]: check for check in done.outputs["checks"]}
    assert checks["class_balance"]["state"] == "alerted"
    assert checks["useless_columns"]["detail"] == "Not used for training: 'name' is an id"
    assert world.store.jobs.list(JobKind.AUTOML) == ()


def test_an_alert_fails_the_step_where_it_is_to_stop_the_run(world: World, table: Path) -> None:
    done = guarded(world, table, target="bought", stop_on_alert=True)
    assert done.state is StepState.FAILED
    assert done.message.startswith("people:1: The class 'yes' has 10 rows")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "name"}, "The target 'name' has 90 classes, but only 0 with more than one row"),
        ({"target": "nothing"}, "There is no column 'nothing' to predict"),
        ({"target": "bought", "exclude": ["visits"]}, "No column is left to predict 'bought' from"),
    ],
)
def test_a_table_that_cannot_be_learned_fails_the_step(
    world: World, table: Path, settings: dict[str, object], said: str
) -> None:
    assert guarded(world, table, **settings).message.startswith(said)
