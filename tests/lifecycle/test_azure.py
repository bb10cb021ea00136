"""From a table to a scheduled pipeline and back to nothing on Azure ML: the command line, the real SDK, the emulation.

What a test leaves, the next one uses; the last one removes it.
"""

import json

import pytest
from azure_story import ENDPOINT, TABLE
from waiting import wait_until


def test_a_training_gives_a_leaderboard_and_its_best_model_is_registered(azure, azure_job, azure_model):
    assert azure_job["state"] == "succeeded"
    trials = azure.done(f"job trials {azure_job['id']}")
    assert {trial["algorithm"] for trial in trials} >= {"LogisticRegression", "LightGBM"}
    assert azure_model["metrics"]["AUC_weighted"] == max(trial["metrics"]["AUC_weighted"] for trial in trials)
    assert azure_model in azure.done("model list")


ROWS = [
    {"age": 40, "job": "pilot", "balance": 900.5, "member": True},
    {"age": 20, "job": "nurse", "balance": None, "member": False},
]


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    """A request of two rows, as a file."""
    path = tmp_path_factory.mktemp("body") / "rows.json"
    path.write_text(json.dumps({"data": ROWS}))
    return path


def schedules(azure):
    """Those of this test: others may have made some."""
    return [one for one in azure.done("schedule list") if one["name"] == "at-night"]


def test_both_keys_open_a_new_endpoint_and_either_is_replaced_alone(azure, azure_deployed):
    before = azure.done(f"endpoint keys {ENDPOINT}")
    azure.done(f"endpoint rotate-key {ENDPOINT} secondary")
    after = azure.done(f"endpoint keys {ENDPOINT}")
    assert after["primary"] == before["primary"]
    assert after["secondary"] not in before.values()


def test_a_training_becomes_a_pipeline_which_runs_and_is_put_on_a_schedule(azure, azure_pipeline):
    assert [one["name"] for one in azure.done("pipeline list")] == [azure_pipeline]
    run = azure.done("pipeline trigger again --experiment nightly --repeat-key once")
    assert azure.done("pipeline trigger again --experiment nightly --repeat-key once")["id"] == run["id"]

    azure.done("schedule create at-night --pipeline again --cron", "15 4 * * *")
    (listed,) = schedules(azure)
    assert (listed["enabled"], listed["words"], len(listed["next_fires_at"])) == (True, "every day at 04:15, UTC", 5)
    assert azure.done("schedule disable at-night")["enabled"] is False
    azure.done("schedule delete at-night")
    assert schedules(azure) == []

    azure.done(f"pipeline cancel {run['id']}")


def test_a_passed_gate_gives_the_endpoint_all_traffic(azure, azure_live):
    ((name, share),) = azure_live["traffic"].items()
    assert (share, azure_live["deployments"][0]["name"], azure_live["deployments"][0]["gate"]) == (100, name, "passed")
    (gate,) = azure.done(f"job list --kind gate --endpoint {ENDPOINT}")
    assert gate["state"] == "succeeded"


def test_what_a_client_asks_is_answered_and_stands_in_the_log(azure, azure_live, body):
    reply = azure.done(f"endpoint invoke {ENDPOINT} --body {body}")
    assert set(reply["body"]["result"]) <= {"yes", "no"}
    assert len(reply["body"]["result"]) == len(ROWS)
    wait_until(lambda: "status=200" in json.dumps(azure.done(f"endpoint logs {ENDPOINT} --limit 20")), 10)
    assert azure.done(f"endpoint swagger {ENDPOINT}")["swagger"] == "2.0"
    seen = wait_until(lambda: (now := azure.done(f"endpoint telemetry {ENDPOINT}"))["requests"] and now, 10)
    assert set(seen["by_status"]) == {"200"}


def test_a_table_is_scored_as_a_batch(azure, azure_live, tmp_path):
    scored = tmp_path / "scored.csv"
    azure.done(f"endpoint batch {ENDPOINT} {TABLE} -o {scored}")
    assert len(scored.read_text().splitlines()) == 301


def test_two_who_change_the_same_traffic_are_told_apart(azure, azure_live):
    """Whoever looked first has seen another map than there is now: nothing is changed, and the sentence says so."""
    (name,) = azure_live["traffic"]
    azure.done(f"endpoint set-traffic {ENDPOINT} {name}=0 --expect {name}=100")
    code, refused = azure.cli("endpoint", "set-traffic", ENDPOINT, f"{name}=100", "--expect", f"{name}=100")
    assert (code, refused["error"]["status"]) == (1, 409)
    assert "changed" in refused["error"]["message"]
    assert azure.done(f"endpoint get {ENDPOINT}")["traffic"] == {}


def test_what_runs_is_listed_with_its_cost_and_a_teardown_leaves_nothing_of_ours(azure, azure_live):
    listed = azure.done("azure resources")
    assert {one["kind"] for one in listed} >= {"online endpoint", "batch endpoint", "cluster"}
    code, refused = azure.cli("azure", "teardown")
    assert code == 2
    assert f"online endpoint {ENDPOINT}" in refused["error"]["message"]

    azure.done("azure teardown --yes")

    wait_until(lambda: not [one for one in azure.done("azure resources") if one["made_here"]], 30)
    assert azure.done("endpoint list") == []
    assert azure.done("pipeline list") == []
    assert azure.done("data list"), "tables, models and runs stay"
    assert azure.done("model list")
