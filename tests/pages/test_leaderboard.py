"""Leaderboard: ask for a training, watch it, open its trials, register them."""

from dataclasses import replace

from bank_story import AUTOML_ID, GATE_ID, LEAK, REF, RUNNING_ID
from reading import by_label, text

from core.domain.job import JobState
from core.domain.training import GuardrailState, TrainingSpec, TrialState
from core.ui.kit import words

FORM = {"train": "bankmarketing-train:1", "target": "y"}


def test_the_form_submits_exactly_what_was_asked_and_closes(visit, bank):
    app = visit("leaderboard", **FORM)
    assert by_label(app.selectbox, "Predict").value == "y"
    by_label(app.select_slider, "Search time").set_value(30)
    by_label(app.selectbox, "Optimize for").set_value("log_loss")
    by_label(app.multiselect, "Exclude columns").set_value(["duration"])
    by_label(app.text_input, "Experiment").set_value("without-duration")

    by_label(app.button, "Train").click().run()

    asset = bank.assets[0]
    expected = TrainingSpec(asset.ref, "y", 30.0, "log_loss", exclude=("duration",), experiment_name="without-duration")
    assert bank.called("jobs.submit") == [(expected,)]
    assert by_label(app.selectbox, "Training job").value == bank.jobs[0].id, "the new job is opened"
    assert "The first trial starts in a moment" in text(app)
    assert "Optimize for" not in {box.label for box in app.selectbox}, "its work is done"
    assert "train" not in app.query_params


def test_an_address_opens_the_form_with_its_table_and_target_and_a_closed_one_computes_nothing(visit, bank):
    app = visit("leaderboard", train="bankmarketing-train:1", target="loan")
    assert by_label(app.selectbox, "Table").value == "bankmarketing-train:1"
    assert by_label(app.selectbox, "Predict").value == "loan"

    closed = visit("leaderboard")
    assert [box.label for box in closed.selectbox] == ["Training job", "Metric"]


def test_trials_stand_best_first_and_those_without_a_score_last(visit, bank):
    board = visit("leaderboard", job=AUTOML_ID).dataframe[0].value

    assert list(board["Trial"]) == [8, 7, 5, 4, 0, 2, 3, 1, 6]
    assert board["Rank"].iloc[-1] == "–"
    assert board["Algorithm"].iloc[0] == "Voting ensemble"


def test_another_metric_ranks_anew_in_its_own_direction_and_stands_in_the_address(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)

    by_label(app.selectbox, "Metric").set_value("log_loss").run()

    losses = list(app.dataframe[0].value["Log loss"])[:-1]
    assert losses == sorted(losses)
    assert app.query_params["metric"] == "log_loss"
    again = visit("leaderboard", job=AUTOML_ID, metric="log_loss")
    assert list(again.dataframe[0].value["Log loss"])[:-1] == losses


def test_a_trial_in_the_address_is_open_and_keeps_its_selection_and_its_table_as_trials_land(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID, trial="5")
    assert "**Trial 5: XGBoost**" in text(app)
    before = app.dataframe[0].proto
    assert before.selection_state == '{"selection": {"rows": [2], "columns": [], "cells": []}}'

    better = replace(bank.job_trials[AUTOML_ID][8], number=9, metrics={"AUC_weighted": 0.99})
    bank.job_trials[AUTOML_ID].append(better)
    app.run()

    after = app.dataframe[0].proto
    assert after.id == before.id, "one table, not mounted anew"
    assert after.selection_state == '{"selection": {"rows": [3], "columns": [], "cells": []}}'
    assert "**Trial 5: XGBoost**" in text(app)


def test_an_address_that_names_no_job_or_trial_says_so(visit, bank):
    assert "There is no training job **nothing** here" in text(visit("leaderboard", job="nothing"))
    assert f"There is no training job **{GATE_ID}** here" in text(visit("leaderboard", job=GATE_ID))
    assert "There is no trial **77** here" in text(visit("leaderboard", job=AUTOML_ID, trial="77"))


def test_a_training_older_than_those_listed_is_found_by_its_address(visit, bank):
    bank.jobs = [*(replace(bank.jobs[0], id=f"newer-{n}") for n in range(100)), *bank.jobs[1:]]
    assert by_label(visit("leaderboard", job=AUTOML_ID).selectbox, "Training job").value == AUTOML_ID


def test_what_leaks_and_what_was_guarded_is_said(visit, bank):
    shown = text(visit("leaderboard", job=AUTOML_ID))

    assert LEAK in shown
    assert words.state(GuardrailState.ALERTED).label in shown
    assert "The smallest class holds 11.2 % of the rows" in shown


def test_a_running_job_can_be_stopped(visit, bank):
    app = visit("leaderboard", job=RUNNING_ID)

    by_label(app.button, "Stop training").click().run()

    assert bank.called("jobs.cancel") == [(RUNNING_ID,)]
    assert by_label(app.button, "Stop training").disabled
    assert "Stopping" in text(app)


def test_a_stopped_training_says_what_it_kept_and_gives_it(visit, bank):
    stopped = replace(bank.jobs[0], state=JobState.CANCELED, cancel_requested=True)
    bank.jobs[0] = stopped
    app = visit("leaderboard", job=RUNNING_ID)

    assert "Stopping" not in text(app)
    assert "Kept: 4 finished trials" in text(app)
    by_label(app.button, "Register the best model (AUC 0.9451)").click().run()
    assert bank.called("models.register") == [("bankmarketing-train", RUNNING_ID, 0)]


def test_the_best_model_is_registered_by_its_metric_and_leads_to_deploy(visit, bank):
    bank.models = [replace(bank.models[0], job_id="another")]
    app = visit("leaderboard", job=AUTOML_ID)

    by_label(app.button, "Register the best model (AUC 0.9492)").click().run()

    assert bank.called("models.register") == [("bankmarketing-train", AUTOML_ID, 8)]
    assert "Registered as **bankmarketing-train, version 1**" in text(app)
    assert "model=bankmarketing-train%3A1" in links(app)


def test_any_trial_is_registered_from_where_it_is_opened_but_none_that_failed(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID, trial="3")

    by_label(app.button, "Register this model").click().run()

    assert bank.called("models.register") == [("bankmarketing-train", AUTOML_ID, 3)]
    assert "Registered as **bankmarketing-train, version 1**" in text(app)
    failed = visit("leaderboard", job=AUTOML_ID, trial="6")
    assert bank.job_trials[AUTOML_ID][6].state is TrialState.FAILED
    assert "more than 4,096 MB" in text(failed)
    assert "Register this model" not in {button.label for button in failed.button}


def test_a_newer_training_from_elsewhere_is_told_and_leads_there_while_the_shown_one_stays(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)
    bank.workspace.jobs.submit(TrainingSpec(REF, "loan"))

    app.run()

    assert by_label(app.selectbox, "Training job").value == AUTOML_ID
    assert "A newer training is under way: Train on bankmarketing-train to predict loan" in text(app)
    assert f"job={bank.jobs[0].id}" in links(app)
    assert len(by_label(app.selectbox, "Training job").options) == 3


def test_the_models_of_a_job_are_asked_for_by_the_job(visit, bank):
    visit("leaderboard", job=AUTOML_ID)
    assert bank.kwargs("models.list") == [{"job_id": AUTOML_ID}]


def test_a_job_that_failed_says_why_and_what_to_do(visit, bank):
    bank.jobs = [replace(bank.jobs[0], state=JobState.FAILED, message="No trial succeeded", hint="Give it more time")]

    app = visit("leaderboard")

    assert "No trial succeeded" in app.error[0].value
    assert "Give it more time" in app.error[0].value


def links(app) -> str:
    """The queries of all links on the page."""
    return " ".join(link.proto.query_string for link in app.get("page_link"))
