"""Leaderboard: ask for a training, watch it, register its best."""

from dataclasses import replace

from bank_story import AUTOML_ID, LEAK, RUNNING_ID
from reading import by_label, text

from core.domain.job import JobState
from core.domain.training import TrainingSpec


def test_the_form_submits_exactly_what_was_asked(visit, bank):
    app = visit("leaderboard")
    by_label(app.selectbox, "Predict").set_value("y")
    by_label(app.select_slider, "Time for the whole search").set_value(30)
    by_label(app.selectbox, "Best by").set_value("log_loss")
    by_label(app.multiselect, "Do not learn from").set_value(["duration"])
    by_label(app.text_input, "Experiment").set_value("without-duration")

    by_label(app.button, "Train").click().run()

    asset = bank.assets[0]
    expected = TrainingSpec(asset.ref, "y", 30.0, "log_loss", exclude=("duration",), experiment_name="without-duration")
    assert bank.called("jobs.submit") == [(expected,)]
    assert by_label(app.selectbox, "Training job").value == bank.jobs[0].id, "the new job is opened"
    assert "The first trial starts in a moment" in text(app)


def test_trials_stand_best_first_and_those_without_a_score_last(visit, bank):
    board = visit("leaderboard", job=AUTOML_ID).dataframe[0].value

    assert list(board["Trial"]) == [8, 7, 5, 4, 0, 2, 3, 1, 6]
    assert board["Rank"].iloc[-1] == "–"
    assert board["Algorithm"].iloc[0] == "Voting ensemble"


def test_another_metric_ranks_anew_in_its_own_direction(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)

    by_label(app.selectbox, "Metric").set_value("log_loss").run()

    losses = list(app.dataframe[0].value["Log loss"])[:-1]
    assert losses == sorted(losses)


def test_what_leaks_and_what_was_guarded_is_said(visit, bank):
    shown = text(visit("leaderboard", job=AUTOML_ID))

    assert LEAK in shown
    assert "Look here" in shown
    assert "The smallest class holds 11.2 % of the rows" in shown


def test_a_running_job_can_be_stopped(visit, bank):
    app = visit("leaderboard", job=RUNNING_ID)

    by_label(app.button, "Stop here").click().run()

    assert bank.called("jobs.cancel") == [(RUNNING_ID,)]
    assert by_label(app.button, "Stop here").disabled


def test_the_best_model_is_registered_and_leads_to_deploy(visit, bank):
    bank.models = [replace(bank.models[0], job_id="another")]
    app = visit("leaderboard", job=AUTOML_ID)

    by_label(app.button, "Register the best model").click().run()

    assert bank.called("models.register") == [("bankmarketing-train", AUTOML_ID)]
    assert "Registered as **bankmarketing-train, version 1**" in text(app)


def test_a_job_that_failed_says_why_and_what_to_do(visit, bank):
    bank.jobs = [replace(bank.jobs[0], state=JobState.FAILED, message="No trial succeeded", hint="Give it more time")]

    app = visit("leaderboard")

    assert "No trial succeeded" in app.error[0].value
    assert "Give it more time" in app.error[0].value
