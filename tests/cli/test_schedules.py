"""Schedules on the command line, over a local workspace without a service."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from backends import settings

from core.cli.command import Context
from core.cli.main import main
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.run import RunOrigin
from core.local.context import Context as LocalContext
from core.local.service.scheduler import Scheduler
from core.local.workspace import open_local
from core.workspace.service import Service

PIPELINE = PipelineSpec(
    "retrain",
    (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),),
    parameters=(Parameter("data", ParameterType.DATA, "people"), Parameter("seed", ParameterType.INTEGER, 7)),
)


class Offline(Context):
    """The workspace without its service: a schedule is kept all the same."""

    def __init__(self, home: Path) -> None:
        super().__init__(settings(home), {})
        self.__dict__["workspace"] = replace(open_local(self.settings), service=Service())


@pytest.fixture
def context(tmp_path: Path) -> Context:
    made = Offline(tmp_path / "home")
    made.workspace.pipelines.publish(PIPELINE)
    return made


@pytest.fixture
def cli(context: Context, capsys: pytest.CaptureFixture[str]):
    """Run a command line; gives exit code, standard output, standard error."""

    def run(line: str) -> tuple[int, str, str]:
        code = main(shlex.split(line), lambda _: context)
        return code, *capsys.readouterr()

    return run


def test_a_schedule_is_shown_in_words_and_times_before_it_is_saved(cli):
    when = "--cron '0 6 * * mon-fri' --timezone Europe/Berlin"
    code, out, err = cli(f"schedule create nightly --pipeline retrain {when} --set seed=9 --json")
    assert code == 0
    made = json.loads(out)
    assert (made["words"], made["spec"]["parameters"]) == ("every weekday at 06:00, Berlin time", {"seed": 9})
    shown = err.splitlines()
    assert shown[0] == "Every weekday at 06:00, Berlin time"
    assert len(shown) == 6
    assert all("06:00 CE" in line for line in shown[1:])
    assert cli("schedule list")[1].splitlines()[1].startswith("nightly  True     retrain   every weekday at 06:00")


def test_a_dry_run_saves_nothing_and_refuses_what_would_be_refused(cli):
    line = "schedule create s --pipeline retrain --every week --interval 2 --on mon --on thursday --at 08:00 --at 20:00"
    code, out, _ = cli(f"{line} --timezone America/New_York --dry-run --json")
    told = json.loads(out)
    assert (code, told["words"]) == (
        0,
        "every 2 weeks on Monday and Thursday at 08:00 and 20:00, New York time",
    )
    assert len(told["next_fires_at"]) == len(told["next_fires"]) == 5
    code, _, err = cli(f"{line} --set speed=1 --dry-run")
    assert (code, "speed" in err) == (2, True)
    assert cli("schedule list")[1] == "none\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--every minute --interval 15", "Every 15 minutes"),
        ("--every month --on 1 --on 15 --at 00:30", "On the 1st and 15th of every month at 00:30, UTC"),
        ("--every day --start 2030-12-01T06:00", "Every day at 06:00, UTC, from 2030-12-01 06:00"),
        ("--data bank", "On each new version of bank"),
    ],
)
def test_a_preview_needs_no_pipeline(cli, options, words):
    assert cli(f"schedule preview {options}")[1].splitlines()[0] == words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "exactly one"),
        ("--cron '0 6 * * *' --data bank", "both say when"),
        ("--cron '0 6 * * *' --at 06:00", "goes with --every"),
        ("--every day --at 06:00 --at 18:30", "would include 06:30"),
        ("--every day --at 25:00", "not HH:MM"),
        ("--every week --on someday", "no day"),
        ("--every week", "needs the days"),
        ("--cron '0 0 30 2 *'", "never fires"),
        ("--cron '0 6 * * *' --timezone Mars/Olympus", "no time zone"),
    ],
)
def test_what_is_no_schedule_is_refused_with_exit_code_2(cli, options, said):
    code, _, err = cli(f"schedule preview {options}")
    assert (code, said in err) == (2, True), err


def test_an_update_keeps_what_is_not_said(cli, context):
    cli("schedule create s --pipeline retrain --cron '0 6 * * *' --timezone Europe/Berlin --set seed=9 --overlap queue")
    code, _, err = cli("schedule update s --every hour --interval 6 --misfire all --set data=t:1")
    assert code == 0, err
    spec = context.workspace.schedules.get("s").spec
    assert (spec.cron, spec.recurrence.interval, spec.timezone) == ("", 6, "Europe/Berlin")
    assert (spec.parameters, str(spec.overlap), str(spec.misfire)) == ({"seed": 9, "data": "t:1"}, "queue", "all")


def test_a_schedule_is_turned_off_run_and_deleted(cli, context):
    cli("schedule create s --pipeline retrain --cron '0 6 * * *'")
    assert json.loads(cli("schedule disable s --json")[1])["enabled"] is False
    run = json.loads(cli("schedule run s --json")[1])
    assert (run["schedule"], run["origin"]) == ("s", RunOrigin.SCHEDULE)
    head, line = cli("schedule fires s")[1].splitlines()
    assert head.split() == ["due_at", "outcome", "run_id", "message"]
    assert run["id"] in line
    assert json.loads(cli("schedule enable s --json")[1])["enabled"] is True
    assert json.loads(cli("schedule show s --json")[1])["last_run_id"] == run["id"]
    told = cli("schedule show s")[1].splitlines()
    assert [line.split()[0] for line in told] == [
        "name",
        "pipeline",
        "fires",
        "experiment",
        "misfire",
        "overlap",
        "next",
        "last",
    ]
    assert told[2].endswith("every day at 06:00, UTC")
    assert f"started {run['id']}" in told[-1]
    assert cli("schedule delete s")[:2] == (0, "")
    code, _, err = cli("schedule get s")
    assert (code, "no schedule 's'" in err) == (1, True)


def test_the_status_says_that_schedules_do_not_fire_while_the_service_is_stopped(cli, context):
    cli("schedule create s --pipeline retrain --cron '0 6 * * *'")
    Scheduler(LocalContext(context.settings)).tick()
    context.__dict__["workspace"] = open_local(context.settings)
    code, out, err = cli("service status")
    assert (code, err) == (1, "Schedules do not fire: the service is stopped\n")
    assert "scheduler_looked_at" in out
