"""What every backend's schedules do, and the doubles', before a service lets them fire."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from backends import MAKE, need, settings
from fakes import FakeWorkspace

from core.domain.errors import Conflict, DataNotFound, PipelineNotFound, SpecInvalid
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.run import RunOrigin
from core.domain.schedule import FireOutcome, Frequency, Recurrence, ScheduleSpec
from core.workspace import Workspace

EVERY: Mapping[str, Callable[[Path], Workspace]] = {
    **MAKE,
    "the pages' double": lambda home: FakeWorkspace(settings(home)).workspace,
}
PREPARE = PipelineSpec(
    "prepare",
    (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),),
    parameters=(Parameter("data", ParameterType.DATA, "people"),),
)
DAILY = ScheduleSpec("daily", "prepare", "0 6 * * mon-fri", "Europe/Berlin")


@pytest.fixture(params=sorted(EVERY))
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    made = EVERY[request.param](tmp_path / "workspace")
    need(made, "schedules.create", "pipelines.publish", "pipelines.trigger")
    made.pipelines.publish(PREPARE)
    return made


def test_a_schedule_is_created_enabled_and_says_when_it_fires(workspace: Workspace) -> None:
    made = workspace.schedules.create(DAILY)
    assert (made.spec, made.enabled, made.last_fire, made.last_run_id) == (DAILY, True, None, "")
    assert made.words == "every weekday at 06:00, Berlin time"
    assert len(made.next_fires_at) == 5
    assert time.time() < made.next_fires_at[0] < made.next_fires_at[4]
    assert [schedule.spec for schedule in workspace.schedules.list()] == [DAILY]


def test_a_name_is_taken_once(workspace: Workspace) -> None:
    workspace.schedules.create(DAILY)
    with pytest.raises(Conflict, match="daily"):
        workspace.schedules.create(DAILY)


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        (ScheduleSpec("s", "nothing", "0 6 * * *"), PipelineNotFound, "nothing"),
        (ScheduleSpec("s", "prepare", "0 6 * * *", version=7), PipelineNotFound, "no version 7"),
        (ScheduleSpec("s", "prepare", data="nobody"), DataNotFound, "nobody"),
        (ScheduleSpec("s", "prepare", "0 6 * * *", parameters={"speed": 1}), SpecInvalid, "speed"),
        (ScheduleSpec("s", "prepare", "0 6 * *"), SpecInvalid, "fields"),
        (ScheduleSpec("s", "prepare", "0 0 30 2 *"), SpecInvalid, "never fires"),
        (ScheduleSpec("s", "prepare", "0 6 * * *", "Mars/Olympus"), SpecInvalid, "no time zone"),
    ],
    ids=["pipeline", "version", "data", "parameter", "cron", "never", "zone"],
)
def test_a_schedule_that_could_never_run_is_refused(
    workspace: Workspace, spec: ScheduleSpec, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        workspace.schedules.create(spec)
    assert workspace.schedules.list() == ()


def test_a_schedule_that_is_off_has_no_next_fires(workspace: Workspace) -> None:
    workspace.schedules.create(DAILY)
    off = workspace.schedules.enable("daily", False)
    assert (off.enabled, off.next_fires_at) == (False, ())
    assert len(workspace.schedules.enable("daily", True).next_fires_at) == 5


def test_an_update_replaces_what_a_schedule_does(workspace: Workspace) -> None:
    workspace.schedules.create(DAILY)
    often = ScheduleSpec("daily", "prepare", recurrence=Recurrence(Frequency.MINUTE, 15))
    assert workspace.schedules.update(often).words == "every 15 minutes"
    assert workspace.schedules.get("daily").spec == often
    with pytest.raises(PipelineNotFound, match="weekly"):
        workspace.schedules.update(ScheduleSpec("weekly", "prepare", "0 6 * * 1"))


def test_a_run_that_somebody_asks_for_is_the_schedules(workspace: Workspace) -> None:
    workspace.schedules.create(DAILY)
    workspace.schedules.enable("daily", False)
    run = workspace.schedules.run_now("daily")
    assert (run.pipeline, run.experiment_name, run.origin) == ("prepare", "scheduled", RunOrigin.SCHEDULE)
    (fire,) = workspace.schedules.fires("daily")
    assert (fire.schedule, fire.outcome, fire.run_id) == ("daily", FireOutcome.STARTED, run.id)
    assert fire.key == f"now:{run.id}"
    now = workspace.schedules.get("daily")
    assert (now.last_run_id, now.last_fire) == (run.id, fire)
    assert [listed.id for listed in workspace.pipelines.list_runs(schedule="daily")] == [run.id]


def test_a_deleted_schedule_is_gone_and_its_runs_stay(workspace: Workspace) -> None:
    workspace.schedules.create(DAILY)
    run = workspace.schedules.run_now("daily")
    workspace.schedules.delete("daily")
    assert workspace.schedules.list() == ()
    assert workspace.pipelines.get_run(run.id) == run
    assert workspace.schedules.create(DAILY).last_fire is None
