"""Pipelines: published endpoints, the form that starts a run, the list of runs, and a run at its own address."""

import json
import time
from typing import Any

import pytest
import run_story
from bank_story import AUTOML_ID, RUN_ID
from fakes import FakeWorkspace
from reading import by_label, text
from streamlit.testing.v1 import AppTest

from core.definitions import shipped
from core.domain.errors import QueueFull
from core.domain.job import JobState, LogLine
from core.domain.run import StepState


def graph(app: AppTest) -> dict[str, Any]:
    """What the browser draws the steps from."""
    found = [e.proto for e in app.get("bidi_component") if e.proto.component_name == "slipway_steps"]
    assert len(found) == 1
    drawn: dict[str, Any] = json.loads(found[0].json)
    return drawn


def drawn_steps(app: AppTest) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in graph(app)["steps"]}


def links(app: AppTest) -> dict[str, str]:
    """The links of the page: label -> page and what it is to show."""
    return {e.proto.label: f"{e.proto.page} {e.proto.query_string}".strip() for e in app.get("page_link")}


def frame(app: AppTest, column: str) -> Any:
    return next(table.value for table in app.dataframe if column in table.value)


# Published pipelines


def test_the_shipped_pipeline_is_published_by_its_button(visit, fake):
    app = visit("pipelines")

    app.button(key=f"pipelines.publish.{shipped()[0].name}").click().run()

    assert fake.called("pipelines.publish") == [(shipped()[0],)]
    assert "No runs yet" in text(app)


def test_several_pipelines_stand_in_a_list_with_their_last_runs(visit, bank):
    run_story.failed(bank, time.time())

    table = frame(visit("pipelines"), "Last run")

    assert table["Pipeline"].tolist() == ["Bankmarketing Train", "Nightly scores"]
    assert table["Last run"].tolist() == ["Running", "Failed"]
    assert table["State"].tolist() == ["Active", "Active"]


def test_the_steps_of_a_pipeline_are_drawn_before_it_runs(visit, bank):
    drawn = graph(visit("pipelines"))

    assert [(s["name"], s["layer"]) for s in drawn["steps"]] == [("prepare", 0), ("automl", 1), ("register", 2)]
    assert len(drawn["lines"]) == 2
    assert not drawn["opens"]


def test_a_run_is_started_with_the_values_of_the_form_and_opened(visit, bank):
    app = visit("pipelines")
    by_label(app.text_input, "Experiment").set_value("monday")
    by_label(app.number_input, "timeout_s").set_value(15)

    by_label(app.button, "Run now").click().run()

    assert bank.called("pipelines.trigger") == [
        ("Bankmarketing Train", "monday", {**shipped()[0].defaults, "timeout_s": 15})
    ]
    assert "Bankmarketing Train, run 3" in text(app)
    assert "experiment monday" in text(app)
    assert app.query_params["run"] == "r-3"


def test_a_required_parameter_that_is_empty_is_marked_in_its_place_and_starts_nothing(visit, bank):
    run_story.publish(bank, time.time())
    app = visit("pipelines", pipeline="Nightly scores")

    by_label(app.button, "Run now").click().run()

    assert ":red[:material/error: Give a value.]" in [each.value for each in app.markdown]
    assert not bank.called("pipelines.trigger")


def test_a_table_can_be_chosen_for_a_data_parameter(visit, bank):
    run_story.publish(bank, time.time())
    app = visit("pipelines", pipeline="Nightly scores")
    table = by_label(app.selectbox, "data :red[\\*]")
    assert table.options == ["bank-marketing", "bankmarketing-train:1"]

    table.select("bankmarketing-train:1")
    by_label(app.button, "Run now").click().run()

    values = {"data": "bankmarketing-train:1", "limit": 100, "urgent": False}
    assert bank.called("pipelines.trigger") == [("Nightly scores", "by-hand", values)]


def test_a_trigger_that_is_refused_says_why(visit, bank):
    bank.failures["pipelines.trigger"].append(QueueFull("100 pipeline runs wait already", hint="Try again later"))
    app = visit("pipelines")

    by_label(app.button, "Run now").click().run()

    assert "100 pipeline runs wait already" in app.error[0].value
    assert "Try again later" in app.error[0].value


def test_the_rest_call_stands_ready_to_be_copied(visit, bank):
    app = visit("pipelines", use="REST call")

    assert app.code[0].value == "http://127.0.0.1:8700/pipelines/p-1"
    curl, python = (code.value for code in app.code[1:3])
    assert curl.startswith("curl 'http://127.0.0.1:8700/pipelines/p-1'")
    assert "requests.post" in python
    assert frame(app, "Limits")["Parameter"].tolist() == list(shipped()[0].defaults)


def test_keys_are_fetched_when_asked_for_and_rotated(visit, bank):
    app = visit("pipelines", use="Keys")
    assert not bank.called("pipelines.keys")

    by_label(app.toggle, "Show the keys").set_value(True).run()
    assert [code.value for code in app.code] == ["key-one", "key-two"]
    by_label(app.button, "Rotate the primary key").click().run()

    assert bank.called("pipelines.rotate_key") == [("Bankmarketing Train", "primary")]


def test_another_version_becomes_the_default(visit, bank):
    bank.whole.pipelines.publish(run_story.SPEC)
    bank.whole.pipelines.publish(run_story.SPEC)
    app = visit("pipelines", pipeline="Nightly scores", use="Versions")
    assert frame(app, "Published")["Version"].tolist() == ["2", "1"]

    by_label(app.selectbox, "Default version").select(1).run()
    by_label(app.button, "Make it the default").click().run()

    assert bank.called("pipelines.set_default") == [("Nightly scores", 1)]
    assert frame(app, "Published")["Default"].tolist() == ["", "Yes"]


def test_a_disabled_pipeline_starts_nothing_until_it_is_activated(visit, bank):
    app = visit("pipelines", use="Versions")
    by_label(app.button, "Disable").click().run()
    assert bank.called("pipelines.enable") == [("Bankmarketing Train", False)]

    app = visit("pipelines", use="Run")
    run = by_label(app.button, "Run now")
    assert run.disabled
    assert run.help == "Bankmarketing Train is disabled: it starts no run."


# The list of runs


def test_runs_are_listed_and_filtered_by_what_the_address_says(visit, bank):
    run_story.failed(bank, time.time())

    assert frame(visit("pipelines", view="Runs"), "Started by")["Run"].tolist() == ["5", "2", "1"]
    table = frame(visit("pipelines", view="Runs", state="failed"), "Started by")
    assert table["Started by"].tolist() == ["Schedule every-night"]
    assert table["Steps"].tolist() == ["6 of 6"]
    assert frame(visit("pipelines", view="Runs", experiment="first"), "Started by")["Run"].tolist() == ["1"]
    assert "No such runs" in text(visit("pipelines", view="Runs", state="canceled"))


def test_older_runs_stand_on_further_pages(visit, bank):
    run_story.many(bank, time.time(), 120)
    app = visit("pipelines", view="Runs")
    assert frame(app, "Started by")["Run"].tolist()[0] == "120"

    by_label(app.button, "Older runs").click().run()

    assert frame(app, "Started by")["Run"].tolist()[0] == "70"
    assert app.query_params["before"] == "past-71"
    by_label(app.button, "Newest runs").click().run()
    assert frame(app, "Started by")["Run"].tolist()[0] == "120"


# A run


def test_a_run_at_its_own_address_shows_its_steps_as_they_stand(visit, bank):
    app = visit("pipelines", run=RUN_ID)

    assert "Bankmarketing Train, run 2" in text(app)
    assert "experiment nightly · version 1" in text(app)
    steps = drawn_steps(app)
    assert (steps["prepare"]["said"], steps["prepare"]["icon"]) == ("Reused", "cached")
    assert (steps["automl"]["said"], steps["automl"]["color"]) == ("Running {since}", "blue")
    assert (steps["register"]["said"], steps["register"]["color"]) == ("Waiting", "gray")
    assert graph(app)["head"] == "1 of 3 steps done · running for {since}"
    assert frame(app, "Parameter").query("Parameter == 'timeout_s'")[["Value", "Default"]].values.tolist() == [
        ["120", "60"]
    ]


def test_a_step_of_every_state_has_its_word_and_color(visit, bank):
    run = run_story.failed(bank, time.time())

    steps = drawn_steps(visit("pipelines", run=run.id))

    assert {name: (step["said"], step["color"]) for name, step in steps.items()} == {
        "prepare": ("Reused", "green"),
        "score": ("29 s, attempt 2", "green"),
        "check": ("Canceled, 39 s", "gray"),
        "send": ("9.0 s, attempt 3", "red"),
        "archive": ("Skipped", "gray"),
        "publish": ("Skipped", "gray"),
    }


def test_a_step_that_waits_to_be_tried_again_counts_down(visit, bank):
    run = run_story.waiting_to_retry(bank, time.time())

    app = visit("pipelines", run=run.id, step="send")

    assert (drawn_steps(app)["send"]["said"], drawn_steps(app)["send"]["color"]) == ("Tries again in {until}", "orange")
    assert "tries again at" in text(app)
    assert "The mail server did not answer" in app.error[0].value


def test_a_step_that_failed_says_why_with_its_hint_and_log(visit, bank):
    run = run_story.failed(bank, time.time())

    app = visit("pipelines", run=run.id, step="send")

    shown = text(app)
    assert "The mail server did not answer" in shown
    assert "Look at its address" in shown
    assert "Ran: parameter limit changed." in shown
    assert "3 attempts" in shown
    assert "no answer" in app.code[0].value
    assert graph(app)["opened"] == "send"


def test_a_step_shows_what_it_was_given_and_gives_with_links(visit, bank):
    app = visit("pipelines", run="r-1", step="automl")

    assert links(app)["Data bankmarketing-train:1"] == "explore data=bankmarketing-train%3A1"
    assert links(app)["Training"] == f"leaderboard job={AUTOML_ID}"
    assert frame(app, "Metrics").values.tolist() == [["AUC", 0.9492], ["Accuracy", 0.9182]]
    assert links(visit("pipelines", run="r-1", step="register"))["Model bank-marketing:3"] == (
        "deploy model=bank-marketing%3A3"
    )


def test_a_file_that_a_step_gave_can_be_downloaded(visit, bank):
    run = run_story.failed(bank, time.time())

    app = visit("pipelines", run=run.id, step="score")

    assert [e.proto.label for e in app.get("download_button")] == ["Download report"]
    assert not bank.called("pipelines.open_output")


def test_a_reused_step_links_to_the_run_that_made_it(visit, bank):
    app = visit("pipelines", run=RUN_ID, step="prepare")

    assert "Reused: same inputs as run 1." in text(app)
    assert links(app)["The run that made this"] == "pipelines run=r-1&step=prepare"


def test_an_address_of_a_run_or_step_that_does_not_exist_says_so(visit, bank):
    assert "There is no run **nowhere** here" in visit("pipelines", run="nowhere").warning[0].value
    assert "There is no step **nothing** here" in visit("pipelines", run="r-1", step="nothing").warning[0].value


def test_a_run_that_goes_on_is_canceled(visit, bank):
    app = visit("pipelines", run=RUN_ID)

    by_label(app.button, "Cancel the run").click().run()

    assert bank.called("pipelines.cancel") == [(RUN_ID,)]
    assert not [b for b in app.button if b.label == "Cancel the run"]


def test_a_run_that_failed_is_retried_from_there(visit, bank):
    run = run_story.failed(bank, time.time())
    app = visit("pipelines", run=run.id)

    by_label(app.button, "Retry from the failed step").click().run()

    assert bank.called("pipelines.retry") == [(run.id,)]
    assert "A retry of an earlier run" in text(app)
    assert links(app)["The run that this one retries"] == f"pipelines run={run.id}"


def test_a_run_is_started_again_with_its_own_values(visit, bank):
    app = visit("pipelines", run=RUN_ID)
    assert by_label(app.text_input, "Experiment").value == "nightly"
    assert by_label(app.number_input, "timeout_s").value == 120

    by_label(app.button, "Run now").click().run()

    _, _, values = bank.called("pipelines.trigger")[0]
    assert values["timeout_s"] == 120


def test_two_runs_stand_side_by_side(visit, bank):
    app = visit("pipelines", run=RUN_ID, compare="r-1")

    assert "Run 2 beside run 1" in text(app)
    assert ["Run", "Timeout s", "120", "60"] in frame(app, "What").values.tolist()
    assert frame(app, "Time in run 1")["Run 1"].tolist() == ["Succeeded"] * 3


def test_a_visitor_goes_back_to_the_list(visit, bank):
    app = visit("pipelines", run=RUN_ID)

    by_label(app.button, "All runs").click().run()

    assert frame(app, "Started by")["Run"].tolist() == ["2", "1"]
    assert "run" not in app.query_params


def test_a_link_to_a_tab_leaves_the_run_that_was_opened(visit, bank):
    app = visit("pipelines", run=RUN_ID)
    app.query_params.clear()
    app.query_params["view"] = "Runs"

    app.run()

    assert "Started by" in frame(app, "Started by")


def test_a_run_that_has_not_begun_says_what_it_waits_for(visit, bank):
    run = bank.whole.pipelines.trigger("Bankmarketing Train", "later")

    assert "Waiting for a free place" in text(visit("pipelines", run=run.id))


def test_the_log_of_a_running_step_is_shown(visit, bank: FakeWorkspace):
    bank.logs[f"{RUN_ID}/automl"] = [LogLine(time.time(), "info", "trial 3 of 9")]

    assert "trial 3 of 9" in visit("pipelines", run=RUN_ID, step="automl").code[0].value


@pytest.mark.parametrize("ended", [JobState.CANCELED, JobState.FAILED])
def test_a_run_without_a_definition_still_shows_its_steps(visit, bank, ended):
    bank.move(RUN_ID, state=ended, spec=None)

    app = visit("pipelines", run=RUN_ID)

    assert not app.exception
    assert [s["layer"] for s in graph(app)["steps"]] == [0, 1, 2]


def test_two_hundred_steps_are_drawn_in_time(visit, bank):
    run = run_story.wide(bank, time.time())
    app = visit("pipelines", run=run.id, step="part-150")

    started = time.process_time()
    app.run()
    took_ms = 1000 * (time.process_time() - started)

    assert len(drawn_steps(app)) == 200
    assert sum(step["turning"] for step in drawn_steps(app).values()) == 4
    assert drawn_steps(app)["part-150"]["color"] == "gray"
    assert run.steps[150].state is StepState.QUEUED
    assert took_ms < 300
