"""Schedules through the unmodified SDK, on a clock that can be wound forward."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emulating
import pytest
from waiting import wait_until

from core.emulator.emulation import Options
from core.emulator.jobs import triggers
from core.emulator.server import Running
from core.settings import CHECKOUT

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

DAY_S = 86_400


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated"), Options(allow_code=True, poll_s=0.05)) as started:
        yield started


def echo() -> Any:
    """A pipeline of one command."""
    from azure.ai.ml import command, dsl
    from azure.ai.ml.entities import Environment

    step = command(
        name="echo", command="echo hello", environment=Environment(image="mcr.microsoft.com/azureml/minimal")
    )

    @dsl.pipeline(experiment_name="nightly")
    def hello():
        step()

    made = hello()
    made.settings.default_compute = "serverless"
    return made


def made(ml: MLClient, name: str, trigger: Any) -> Any:
    from azure.ai.ml.entities import JobSchedule

    return ml.schedules.begin_create_or_update(JobSchedule(name=name, trigger=trigger, create_job=echo())).result()


def jobs_of(ml: MLClient, name: str) -> list[Any]:
    return list(ml.jobs.list(scheduled_job_name=name))


def test_a_schedule_starts_its_job_when_the_clock_reaches_its_time(running: Running, ml: MLClient) -> None:
    from azure.ai.ml.entities import RecurrencePattern, RecurrenceTrigger

    pattern = RecurrencePattern(hours=[6], minutes=[0])
    trigger = RecurrenceTrigger(frequency="day", interval=1, schedule=pattern, time_zone="W. Europe Standard Time")
    schedule = made(ml, "every-day", trigger)
    assert (schedule.is_enabled, schedule.provisioning_state) == (True, "Succeeded")
    assert jobs_of(ml, "every-day") == []
    running.emulation.clock.forward(2 * DAY_S)
    wait_until(lambda: [job.status for job in jobs_of(ml, "every-day")] == ["Completed"] * 2, 30)
    times = sorted(float(job.properties["azureml.scheduleTime"]) for job in jobs_of(ml, "every-day"))
    assert {datetime.fromtimestamp(at, UTC).hour for at in times} <= {4, 5}, "six o'clock in Amsterdam"
    assert {job.experiment_name for job in jobs_of(ml, "every-day")} == {"nightly"}


def test_a_disabled_schedule_starts_nothing_but_when_it_is_triggered(running: Running, ml: MLClient) -> None:
    from azure.ai.ml.entities import CronTrigger

    made(ml, "each-minute", CronTrigger(expression="*/1 * * * *", time_zone="UTC"))
    assert not ml.schedules.begin_disable("each-minute").result().is_enabled
    running.emulation.clock.forward(DAY_S)
    name = ml.schedules.trigger("each-minute").job_name
    wait_until(lambda: ml.jobs.get(name).status == "Completed", 30)
    assert [job.name for job in jobs_of(ml, "each-minute")] == [name]
    assert "each-minute" not in {each.name for each in ml.schedules.list()}


def test_an_enabled_schedule_cannot_be_deleted_and_a_disabled_one_can(ml: MLClient) -> None:
    from azure.ai.ml.entities import CronTrigger
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    made(ml, "gone-soon", CronTrigger(expression="0 6 1 1 *"))
    with pytest.raises(HttpResponseError, match="Cannot delete an active trigger gone-soon"):
        ml.schedules.begin_delete("gone-soon").result()
    ml.schedules.begin_disable("gone-soon").result()
    ml.schedules.begin_delete("gone-soon").result()
    with pytest.raises(ResourceNotFoundError):
        ml.schedules.get("gone-soon")


@pytest.mark.parametrize("wrong", ["61 * * * *", "0 6 30 2 *", "hello"])
def test_a_trigger_that_never_fires_is_refused(ml: MLClient, wrong: str) -> None:
    from azure.ai.ml.entities import CronTrigger
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as caught:
        made(ml, "never", CronTrigger(expression=wrong))
    assert caught.value.error.code == "UserError"


@pytest.mark.parametrize(
    ("trigger", "after", "expected"),
    [
        ({"triggerType": "Cron", "expression": "15 10 * * 1", "timeZone": "Pacific Standard Time"},
         "2026-07-01T00:00", "2026-07-06T17:15"),
        ({"triggerType": "Cron", "expression": "15 10 * * 1", "timeZone": "America/Los_Angeles"},
         "2026-12-01T00:00", "2026-12-07T18:15"),
        ({"triggerType": "recurrence", "frequency": "week", "interval": 1, "startTime": "2022-05-10 10:15:00",
          "timeZone": "UTC", "schedule": {"hours": [10], "minutes": [15], "weekDays": ["monday"]}},
         "2026-07-01T00:00", "2026-07-06T10:15"),
        ({"triggerType": "Recurrence", "frequency": "Hour", "interval": 6, "startTime": "2026-01-01T00:30:00Z"},
         "2026-07-01T00:00", "2026-07-01T00:30"),
    ],
)  # fmt: skip
def test_a_trigger_fires_by_the_clock_of_its_zone(trigger: dict[str, Any], after: str, expected: str) -> None:
    at = datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()
    found = triggers.following(triggers.shown(trigger), at, at)
    assert found is not None
    assert f"{datetime.fromtimestamp(found, UTC):%Y-%m-%dT%H:%M}" == expected


def test_a_schedule_has_the_fields_of_the_recorded_one(running: Running, ml: MLClient, shared: Path) -> None:
    from azure.ai.ml.entities import CronTrigger

    made(ml, "recorded", CronTrigger(expression="15 10 * * 1", time_zone="Pacific Standard Time"))
    name = "test_schedule__TestScheduletest_schedule_lifetime.json"
    entries = json.loads((shared / "azure" / "recordings" / name).read_text("utf-8"))["Entries"]
    recorded = next(e for e in entries if e["RequestMethod"] == "GET" and "/schedules/" in e["RequestUri"])
    ours = running.emulation.state.get(f"{running.emulation.names.workspace_path}/schedules/recorded")
    theirs = recorded["ResponseBody"]
    assert set(theirs["properties"]) <= set(ours["properties"])
    assert set(theirs["properties"]["trigger"]) <= set(ours["properties"]["trigger"])
    definition = ours["properties"]["action"]["jobDefinition"]
    assert set(theirs["properties"]["action"]["jobDefinition"]) <= set(definition)


def test_the_clock_is_wound_forward_from_another_process(running: Running) -> None:
    before = running.emulation.clock.now()
    ran = subprocess.run(
        [sys.executable, "-m", "core", "azure", "clock", "forward", "1h30m", "--json"],
        cwd=CHECKOUT, env={**os.environ, **running.variables}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert running.emulation.clock.now() - before >= 5400
    assert json.loads(ran.stdout)["ahead_s"] >= 5400
