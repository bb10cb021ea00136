"""`alert` on the command line: set, changed, listed and deleted, in words and as JSON."""

import json
import time

import bank_story
import pytest
from backends import settings
from fakes import FakeWorkspace

from core.domain.alerts import AlertEvent, AlertMetric, AlertState, UnreadableAlert


@pytest.fixture
def alerts(cli, tmp_path):
    """A command line over a workspace with the endpoint `bank-marketing`."""
    fake = FakeWorkspace(settings(tmp_path))
    bank_story.fill(fake, time.time())
    return lambda line: cli(line, lambda _: fake), fake


def made(run, line="alert set errors --endpoint bank-marketing --metric error_rate --limit 5"):
    code, out, said = run(f"{line} --json")
    assert code == 0, said
    return json.loads(out)["rule"]


def test_an_alert_is_set_with_the_defaults_of_its_metric(alerts):
    run, _ = alerts
    rule = made(run)
    assert (rule["metric"], rule["limit"], rule["clear"], rule["window_s"], rule["for_s"]) == (
        "error_rate", 5.0, None, 300.0, 0.0,
    )  # fmt: skip
    drift = made(run, "alert set moved --endpoint bank-marketing --metric drift --limit 0")
    assert drift["window_s"] == 86_400.0


def test_what_is_not_said_of_a_known_alert_stays(alerts):
    run, _ = alerts
    made(run, "alert set errors --endpoint bank-marketing --metric error_rate --limit 5 --clear 4 --webhook http://h/x")
    rule = made(run, "alert set errors --for 60 --pipeline retrain --set data=t --command true")
    assert (rule["for_s"], rule["clear"], rule["webhook"]) == (60.0, 4.0, "http://h/x")
    assert (rule["pipeline"], rule["parameters"], rule["command"]) == ("retrain", {"data": "t"}, "true")
    rule = made(run, "alert set errors --limit 3 --pipeline=")
    assert (rule["limit"], rule["clear"], rule["parameters"]) == (3.0, None, None)


def test_what_a_new_alert_needs_is_said(alerts):
    run, _ = alerts
    code, _, said = run("alert set errors --limit 5")
    assert code != 0
    assert "A new alert needs --endpoint and --metric" in said
    code, _, said = run("alert set errors --endpoint e --metric error_rate --limit 5 --clear 9")
    assert code != 0
    assert "clear is 9, expected at most the limit of 5" in said


def test_alerts_are_listed_in_words(alerts):
    run, fake = alerts
    assert "No alert is set" in run("alert list")[1]
    assert "No alert has fired" in run("alert events")[1]
    made(run, "alert set errors --endpoint bank-marketing --metric error_rate --limit 5 --webhook http://h:1/token")
    known = fake.monitored.alerts["errors"]
    assert known.rule.metric is AlertMetric.ERROR_RATE
    _, out, _ = run("alert list")
    assert out.startswith("errors: ")
    assert "When it fires: POST to h:1" in out
    assert "token" not in out
    (listed,) = json.loads(run("alert list --json")[1])
    assert listed["rule"]["name"] == "errors"


def test_an_alert_that_cannot_be_read_is_named_beside_the_others(alerts):
    run, fake = alerts
    fake.monitored.unreadable_alerts = (UnreadableAlert("old one", "bank-marketing", "its limit is missing"),)
    made(run)
    code, out, said = run("alert list --json")
    assert (code, [listed["rule"]["name"] for listed in json.loads(out)]) == (0, ["errors"])
    assert "old one, of endpoint bank-marketing, watches nothing: its limit is missing" in said
    assert "alert delete 'old one'" in said


def test_events_are_told_in_words(alerts):
    run, fake = alerts
    event = AlertEvent("errors", "bank", 0.0, AlertState.FIRING, 9.0, "It is so.", "id", "the webhook: no", "run-1")
    fake.monitored.events = (event,)
    _, out, _ = run("alert events")
    assert "fired    errors" in out
    assert "It started run run-1." in out
    assert "Not told: the webhook: no" in out


def test_an_alert_is_deleted_once(alerts):
    run, _ = alerts
    made(run)
    assert run("alert delete errors")[0] == 0
    code, _, said = run("alert delete errors")
    assert code == 1
    assert "no alert 'errors'" in said
