"""Home: can a newcomer see in a minute what is live and whether it can be trusted?"""

import math
import time
from dataclasses import replace
from datetime import UTC, datetime

import monitored
import pytest
from reading import by_label, text

from core.definitions import shipped
from core.domain.alerts import AlertState
from core.domain.data import AvailableTable, DataSource
from core.domain.endpoint import EndpointState, GateState
from core.domain.errors import ServiceUnavailable
from core.domain.job import Job, JobKind, JobState
from core.domain.run import PipelineRunSpec
from core.domain.schedule import Schedule, ScheduleSpec
from core.ui.shell import frame


def test_a_live_and_proven_endpoint_shows_its_model_traffic_and_hour(visit, bank):
    app = visit("home")

    metrics = {m.label: m.value for m in app.metric}
    assert metrics == {
        "AUC": "0.9492",
        "Traffic": "100 %",
        "Requests, last hour": "2,101",
        "Latency p99, last hour": "3.9 ms",
    }
    assert "9 checks passed" in text(app)
    assert "Predicts y (no or yes) by Voting ensemble" in text(app)


def test_a_p99_of_a_few_requests_is_not_told(visit, bank):
    bank.summaries["bank-marketing"] = replace(bank.summaries["bank-marketing"], requests=3)
    latency = next(m for m in visit("home").metric if m.label == "Latency p99, last hour")
    assert (latency.value, "there were 3" in latency.help) == ("–", True)


def test_what_is_not_known_of_the_hour_is_no_zero_and_is_said(visit, bank):
    hour = bank.summaries["bank-marketing"]
    down = [replace(bucket, requests=0, p99_ms=None, gap="down") for bucket in hour.buckets[-2:]]
    bank.summaries["bank-marketing"] = replace(hour, buckets=(*hour.buckets[:-2], *down))
    app = visit("home")
    drawn = {m.label: m.proto.chart_data[-2:] for m in app.metric if m.proto.chart_data}
    assert all(math.isnan(value) for values in drawn.values() for value in values)
    assert len(drawn) == 2
    lasted = f"{round(2 * hour.buckets[0].width_s / 60)} min"
    assert f"Not known: {lasted} (the server was down)." in text(app)


def test_traffic_that_was_forced_is_called_unproven(visit, bank):
    endpoint = bank.endpoints[0]
    forced = replace(endpoint.deployments[0], gate=GateState.FAILED, forced_by="Ada")
    bank.endpoints = [replace(endpoint, deployments=(forced,))]

    assert "Live, not proven:** Ada gave v3 traffic without a passed gate" in text(visit("home"))


def test_recent_lists_the_newest_run_of_a_pipeline_alone(visit, bank):
    ended = next(job for job in bank.jobs if job.state.final)
    runs = [
        replace(ended, id=f"minute-{n}", kind=JobKind.PIPELINE, spec=PipelineRunSpec("p-9", "Minutely", 1), result=None)
        for n in range(9)
    ]
    bank.jobs = [*runs, *bank.jobs]

    shown = [link.proto.label for link in visit("home").get("page_link")]

    assert len([label for label in shown if "Minutely" in label]) == 1


def test_an_endpoint_that_failed_says_why(visit, bank):
    broken = replace(bank.endpoints[0], state=EndpointState.FAILED, error="port 8701 is taken by nginx")
    bank.endpoints = [broken]

    assert "Not answering:** port 8701 is taken by nginx" in text(visit("home"))


def test_on_the_way_to_the_first_model_each_stage_shows_how_far_it_is(visit, bank):
    bank.models, bank.endpoints, bank.jobs = [], [], bank.jobs[:1]

    shown = text(visit("home"))

    assert "Nothing is live yet" in shown
    assert "32,950 rows registered" in shown
    assert "Training, 3" in shown, "about a third of the time is used"
    assert "Deploy the model" in shown


def links(app):
    """Every link of the page: its label, and where it goes."""
    return {link.proto.label: f"{link.proto.page}?{link.proto.query_string}" for link in app.get("page_link")}


def test_an_empty_workspace_gets_its_sample_by_one_click_and_the_next_click_trains_on_it(visit, fake):
    app = visit("home")

    app.button(key="home.sample.bankmarketing_train").click().run()

    assert not app.exception
    assert [asset.name for asset in fake.assets] == ["bankmarketing_train"]
    assert links(app)["Train"].startswith("leaderboard?train=bankmarketing_train%3A1")


def test_a_registered_model_is_one_click_from_its_deployment(visit, bank):
    bank.endpoints, bank.jobs = [], bank.jobs[1:]

    assert links(visit("home"))["Deploy"] == "deploy?model=bank-marketing%3A3"


def test_cards_jobs_and_tables_are_links_to_where_they_are_shown(visit, bank):
    found = links(visit("home"))

    training, gate = bank.jobs[0], bank.jobs[1]
    assert found["Watch it on Leaderboard"] == f"leaderboard?job={training.id}"
    assert found["Gate of bank-marketing / v3"] == "quality?endpoint=bank-marketing", gate
    assert found["bankmarketing-train, version 1"] == "explore?data=bankmarketing-train%3A1"
    assert "monitor?endpoint=bank-marketing" in found.values()


def test_a_training_that_failed_stops_the_way_with_its_cause(visit, bank):
    failed = replace(bank.jobs[0], state=JobState.FAILED, message="The target has one class")
    bank.models, bank.endpoints, bank.jobs = [], [], [failed]

    assert "The target has one class" in text(visit("home"))


def test_a_service_that_has_died_is_noticed_without_a_click(visit, bank, monkeypatch):
    paces = []
    monkeypatch.setattr(frame, "live", lambda look, pace, draw: paces.append(pace(look())))

    visit("home")

    assert 0 < paces[0] <= 10


def test_a_service_that_does_not_start_says_why_and_can_be_started(visit, fake):
    fake.service = replace(fake.service, running=False)
    fake.failures["service.start"].append(ServiceUnavailable("Port 8700 is taken", hint="Set SLIPWAY_SERVICE_PORT"))
    app = visit("home")
    app.run()
    assert "Service stopped" in text(app)

    app.button(key="frame.start_service").click().run()

    assert not app.exception
    assert "Service running" in text(app)


def failed(run, now, *, ago_s=60.0):
    """The same run, failed some time ago."""
    at = now - ago_s
    return replace(run, state=JobState.FAILED, created_at=at - 5, ended_at=at, message="Step 'gate' failed")


def test_a_pipeline_whose_last_run_failed_needs_attention_until_a_newer_one_succeeds(visit, bank):
    now = time.time()
    bank.runs = [failed(bank.runs[0], now), failed(bank.runs[1], now, ago_s=900.0)]

    app = visit("home")

    assert "**Bankmarketing Train** failed 1 min ago: Step 'gate' failed" in text(app)
    assert text(app).count("Step 'gate' failed") == 1, "the pipeline's last run alone"
    assert links(app)[f"Run {bank.runs[0].number}"] == f"pipelines?run={bank.runs[0].id}"

    bank.runs.insert(0, replace(bank.runs[0], id="r-9", state=JobState.SUCCEEDED, created_at=now))
    assert "Needs attention" not in text(visit("home"))


def test_a_failure_of_last_week_is_told_no_more(visit, bank):
    bank.runs = [failed(bank.runs[0], time.time(), ago_s=8 * 86_400.0)]

    assert "Needs attention" not in text(visit("home"))


def test_a_run_that_goes_on_shows_its_steps_and_is_a_click_away(visit, bank):
    run = bank.runs[0]
    spec = PipelineRunSpec("p-1", run.pipeline, 1)
    bank.jobs.insert(0, Job(run.id, JobKind.PIPELINE, JobState.RUNNING, "nightly", "local", spec, run.created_at))

    app = visit("home")

    assert links(app)[f"Run {run.number} of {run.pipeline}"] == f"pipelines?run={run.id}"
    assert "Pipeline Bankmarketing Train" not in text(app), "it is told once"


def test_a_run_that_has_ended_is_a_click_away(visit, bank):
    spec = PipelineRunSpec("p-1", "Bankmarketing Train", 1)
    done = Job("r-7", JobKind.PIPELINE, JobState.SUCCEEDED, "nightly", "local", spec, time.time())
    bank.jobs.insert(0, replace(done, started_at=time.time() - 9, ended_at=time.time()))

    assert links(visit("home"))["Pipeline Bankmarketing Train, experiment nightly"] == "pipelines?run=r-7"


def test_what_starts_by_itself_next_stands_in_one_line(visit, bank):
    spec = ScheduleSpec("nightly", "Bankmarketing Train", cron="0 6 * * *", timezone="Europe/Berlin")
    due_at = datetime(2026, 11, 30, 5, tzinfo=UTC).timestamp()
    bank.schedules["weekly"] = Schedule(replace(spec, name="weekly"), True, (due_at + 86_400.0,))
    bank.schedules["nightly"] = Schedule(spec, True, (due_at, due_at + 86_400.0))
    bank.schedules["off"] = Schedule(replace(spec, name="off"), False)

    app = visit("home")

    assert "**nightly** Mon 30 Nov 2026, 06:00 CET · **weekly** Tue 1 Dec 2026, 06:00 CET" in text(app)
    assert links(app)["Schedules"] == "pipelines?view=Schedules"


@pytest.mark.parametrize(
    ("looked_s_ago", "error", "running", "told"),
    [
        (1.0, "", True, None),
        (300.0, "", True, "have not been looked at for 300 s: the scheduler has stopped.** Nothing starts by itself"),
        (1.0, "Schedule 'x': its pipeline is gone", True, "Some schedules cannot fire. Schedule 'x'"),
        (300.0, "", False, "the service is stopped.** Nothing starts by itself meanwhile. Start it:"),
        (None, "", True, None),
    ],
)
def test_schedules_that_do_not_fire_say_so(visit, bank, looked_s_ago, error, running, told):
    looked = None if looked_s_ago is None else time.time() - looked_s_ago
    bank.service = replace(bank.service, running=running, scheduler_looked_at=looked, scheduler_error=error)
    bank.failures["service.start"].append(ServiceUnavailable("Port 8700 is taken"))

    shown = text(visit("home"))

    assert ("Needs attention" in shown) is (told is not None)
    assert told is None or told in shown


def test_the_quickstart_starts_on_the_sample_that_is_chosen_and_shows_its_run(visit, fake):
    fake.available = [AvailableTable("telco_churn", DataSource.FILE, "Telco churn")]
    app = visit("home")
    by_label(app.selectbox, "Sample table").set_value("telco_churn").run()

    by_label(app.button, "Run the quickstart").click().run()

    assert not app.exception
    [(spec,)] = fake.called("pipelines.publish")
    assert spec.name == "Quickstart"
    given = {"data": "telco_churn", "target": "churn", "model": "telco-churn", "endpoint": "telco-churn"}
    assert fake.called("pipelines.trigger") == [("Quickstart", "quickstart", given)]
    assert app.query_params["run"] == fake.runs[0].id


def test_a_quickstart_that_is_published_already_is_used_as_it_is(visit, fake):
    quickstart = next(spec for spec in shipped() if spec.name == "Quickstart")
    fake.workspace.pipelines.publish(replace(quickstart, description="Ours"))
    app = visit("home")

    by_label(app.button, "Run the quickstart").click().run()

    assert len(fake.called("pipelines.publish")) == 1, "the one above"
    assert len(fake.called("pipelines.trigger")) == 1


def test_where_something_is_live_no_quickstart_is_offered(visit, bank):
    assert "Run the quickstart" not in {button.label for button in visit("home").button}


def test_an_alert_that_fires_needs_attention_with_the_way_to_it(visit, bank):
    bank.monitored.alerts["slow"] = monitored.alert(monitored.RULE, time.time(), AlertState.FIRING, 80.0)

    app = visit("home")

    assert "Alert **too-slow** fires since" in text(app)
    bank.monitored.alerts["slow"] = monitored.alert(monitored.RULE, time.time())
    assert "Needs attention" not in text(visit("home"))
