"""Leaderboard: ask for a training, watch it, open its trials, register them."""

import csv
import io
import time
from dataclasses import replace

import pytest
from bank_story import AUTOML_ID, GATE_ID, LEAK, REF, RUNNING_ID
from reading import by_label, text
from streamlit.testing.v1 import local_script_runner

from core.domain.data import ColumnKind, ColumnProfile, ColumnRole
from core.domain.endpoint import DeploymentSpec
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.job import JobState
from core.domain.ranking import ranked
from core.domain.search_space import EXAMPLE, space_from_json
from core.domain.training import Algorithm, Cost, GuardrailState, Task, TrainingSpec, TrialState
from core.ui.kit import words
from core.ui.leaderboard import train_columns, train_costs
from core.ui.leaderboard.board import Board
from core.ui.leaderboard.columns import as_csv

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
    assert not closed.get("number_input"), "nothing of the further settings is drawn"


def test_more_settings_reach_the_training_and_those_left_alone_keep_its_own_defaults(visit, bank):
    app = visit("leaderboard", **FORM)
    by_label(app.multiselect, "Only these algorithms").set_value([Algorithm.LIGHTGBM, Algorithm.KNN])
    by_label(app.checkbox, "Stack ensemble").uncheck()
    by_label(app.number_input, "Trial timeout (s)").set_value(20)
    by_label(app.number_input, "Stop at this score").set_value(0.95)
    by_label(app.selectbox, "Judge trials by").set_value("A share of the rows")
    by_label(app.selectbox, "Class weights").set_value("My own")
    by_label(app.checkbox, "Use a cost matrix").check().run()
    by_label(app.number_input, "Percent held out").set_value(25)
    by_label(app.number_input, "Weight of yes").set_value(3)
    by_label(app.number_input, "Cost of predicting no when it is yes").set_value(5)

    by_label(app.button, "Train").click().run()

    expected = TrainingSpec(
        REF, "y",
        allowed_training_algorithms=(Algorithm.LIGHTGBM, Algorithm.KNN), enable_stack_ensemble=False,
        trial_timeout_s=20.0, exit_score=0.95, validation_share=0.25, class_weights={"no": 1.0, "yes": 3.0},
        cost_matrix=(Cost("no", "yes", 1.0), Cost("yes", "no", 5.0)),
    )  # fmt: skip
    assert bank.called("jobs.submit") == [(expected,)]


def test_columns_and_a_search_space_of_ones_own_reach_the_training(visit, bank):
    app = visit("leaderboard", **FORM)
    by_label(app.multiselect, "Columns to treat in your own way").set_value(["age", "job", "campaign"]).run()
    by_label(app.selectbox, "Type of age").set_value("Categorical")
    by_label(app.selectbox, "Missing cells of job get").set_value("A constant")
    by_label(app.selectbox, "Missing cells of campaign get").set_value("The median").run()
    by_label(app.selectbox, "Constant for job").set_value("student")
    by_label(app.text_area, "Search space (JSON)").set_value(EXAMPLE)

    by_label(app.button, "Train").click().run()

    ((spec,),) = bank.called("jobs.submit")
    assert spec.featurization == Featurization(
        FeaturizationMode.CUSTOM,
        {"age": Purpose.CATEGORICAL},
        {"job": Imputation.CONSTANT, "campaign": Imputation.MEDIAN},
        {"job": "student"},
    )
    assert spec.search_space == space_from_json(EXAMPLE)


def test_a_column_is_offered_only_what_it_can_be_and_get():
    def column(kind: ColumnKind, dates: str = "") -> ColumnProfile:
        return ColumnProfile("x", kind, ColumnRole.FEATURE, 9, 1, 3, dates=dates)

    number, word, flag = (column(kind) for kind in (ColumnKind.NUMBER, ColumnKind.STRING, ColumnKind.BOOLEAN))
    date = column(ColumnKind.STRING, "ymd")

    assert train_columns.purposes(number) == (Purpose.NUMERIC, Purpose.CATEGORICAL)
    assert train_columns.purposes(word) == (Purpose.CATEGORICAL,)
    assert train_columns.purposes(date) == (Purpose.CATEGORICAL, Purpose.DATE_TIME)
    assert train_columns.imputations(number, None) == tuple(Imputation)
    assert Imputation.MEAN not in train_columns.imputations(number, Purpose.CATEGORICAL)
    assert train_columns.imputations(flag, None) == (Imputation.MOST_FREQUENT,)
    assert train_columns.imputations(date, None) == ()
    assert Imputation.CONSTANT in train_columns.imputations(date, Purpose.CATEGORICAL)


def test_costs_of_several_classes_are_asked_for_in_a_table_of_true_by_predicted(visit, bank):
    app = visit("leaderboard", train="bankmarketing-train:1", target="marital")
    by_label(app.checkbox, "Use a cost matrix").check().run()
    table = app.dataframe[0].value
    classes = list(table["actual"])
    assert len(classes) > 2
    assert [list(row)[1:] for row in table.itertuples(index=False)] == [
        [float(row != column) for column in classes] for row in classes
    ]

    by_label(app.button, "Train").click().run()

    ((spec,),) = bank.called("jobs.submit")
    assert spec.cost_matrix == tuple(Cost(a, b, 1.0) for a in classes for b in classes if a != b)


def test_an_empty_cell_of_a_cost_matrix_is_as_usual_and_a_right_answer_may_earn():
    rows = [[-2.0, 5.0, None], [1.0, 0.0, 1.0], [None, None, None]]
    assert train_costs.matrix(["a", "b", "c"], rows) == (
        Cost("a", "a", -2.0), Cost("a", "b", 5.0), Cost("b", "a", 1.0), Cost("b", "c", 1.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("{not JSON", "The search space is not JSON"),
        ('{"LightGBM": {"learning_rate": {"kind": "loguniform", "low": 0.3, "high": 0.1}}}', "needs a low below its"),
        ('{"Magic": {"depth": {"kind": "randint", "high": 9}}}', "names the algorithm 'Magic'"),
        ('{"LightGBM": {"depth": {"kind": "choice", "values": [[1]]}}}', "takes texts, numbers, true, false and null"),
    ],
)
def test_a_search_space_that_makes_no_sense_is_refused_in_the_form(visit, bank, typed, said):
    app = visit("leaderboard", **FORM)
    by_label(app.text_area, "Search space (JSON)").set_value(typed)

    by_label(app.button, "Train").click().run()

    assert said in app.error[0].value
    assert bank.called("jobs.submit") == []


def test_a_number_is_predicted_where_the_column_has_many(visit, bank):
    app = visit("leaderboard", train="bankmarketing-train:1", target="age")
    by_label(app.get("button_group"), "What to predict").set_value(Task.REGRESSION).run()
    assert "Class weights" not in {box.label for box in app.selectbox}

    by_label(app.button, "Train").click().run()

    ((spec,),) = bank.called("jobs.submit")
    assert (spec.task, spec.primary_metric) == (Task.REGRESSION, "normalized_root_mean_squared_error")


def test_what_makes_no_sense_is_refused_in_the_form(visit, bank):
    app = visit("leaderboard", **FORM)
    by_label(app.multiselect, "Only these algorithms").set_value([Algorithm.KNN])
    by_label(app.multiselect, "Not these algorithms").set_value([Algorithm.KNN])

    by_label(app.button, "Train").click().run()

    assert "No algorithm is left" in app.error[0].value
    assert bank.called("jobs.submit") == []


def test_trials_stand_best_first_and_those_without_a_score_last(visit, bank):
    board = visit("leaderboard", job=AUTOML_ID).dataframe[0].value

    assert list(board["Trial"]) == [8, 7, 5, 4, 0, 2, 3, 1, 6]
    assert board["Rank"].iloc[-1] == "–"
    assert board["Algorithm"].iloc[0] == "VotingEnsemble"


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


def test_a_trial_that_is_opened_stands_below_its_table_and_is_brought_into_sight_once(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID, trial="3")

    assert [each.key for each in app.segmented_control] == ["choice.tab", "choice.chart"]
    assert brought(app) == 1
    assert brought(app.run()) == 0


def brought(app) -> int:
    """How often the page asks the browser to scroll to the trial."""
    return sum("slipwayBring?.(" in str(each.proto) for each in app.get("html"))


def test_an_address_that_names_no_job_or_trial_says_so(visit, bank):
    assert "There is no training job **nothing** here" in text(visit("leaderboard", job="nothing"))
    assert f"There is no training job **{GATE_ID}** here" in text(visit("leaderboard", job=GATE_ID))
    assert "There is no trial **77** here" in text(visit("leaderboard", job=AUTOML_ID, trial="77"))


def test_a_training_older_than_those_listed_is_found_by_its_address(visit, bank):
    bank.jobs = [*(replace(bank.jobs[0], id=f"newer-{n}") for n in range(100)), *bank.jobs[1:]]
    assert by_label(visit("leaderboard", job=AUTOML_ID).selectbox, "Training job").value == AUTOML_ID


def test_columns_are_added_and_trials_left_out_as_the_visitor_wants(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)
    assert list(app.dataframe[0].value["Rank"])[:2] == ["1 ★", "2"], "what the training has chosen is marked"
    assert list(app.dataframe[0].value) == [
        "Rank",
        "Algorithm",
        "AUC",
        "Trial",
        "± folds",
        "State",
        "Fit time",
        "Predict time",
    ]

    by_label(app.multiselect, "Columns").set_value(["metric:log_loss", "size"])
    by_label(app.multiselect, "Algorithms").set_value([Algorithm.XGBOOST]).run()

    board = app.dataframe[0].value
    assert list(board) == ["Rank", "Algorithm", "AUC", "Trial", "Log loss", "Size"]
    assert list(board["Trial"]) == [5, 2]
    assert list(board["Rank"]) == ["3", "6"], "among all"
    assert "2 of 9 trials" in text(app)


def test_the_table_is_given_as_csv_with_everything_there_is_to_a_trial(bank):
    tried = bank.job_trials[AUTOML_ID]
    board = Board(bank.workspace, bank.workspace.jobs.get(AUTOML_ID), tuple(tried), (), None, 0.0)

    first, *others = csv.DictReader(io.StringIO(as_csv(board, ranked(tried, "log_loss"), "log_loss").decode()))

    assert (first["trial"], first["label"], first["state"]) == ("8", "VotingEnsemble", "succeeded")
    assert first["AUC_weighted"] == "0.9492"
    assert len(others) == 8
    assert others[0]["param.num_leaves"] == "31"


def test_the_charts_show_speed_and_hyperparameters(visit, bank):
    bank.job_trials[AUTOML_ID] = [
        replace(t, predict_ms=0.1 * (t.number + 1), featurizer="MaxAbsScaler") for t in bank.job_trials[AUTOML_ID]
    ]

    fast = visit("leaderboard", job=AUTOML_ID, chart="speed")
    assert "no other trial beats in both score and speed: 5 trials" in text(fast)
    assert fast.dataframe[0].value["Algorithm"].iloc[1] == "MaxAbsScaler, LightGBM"
    tuned = visit("leaderboard", job=AUTOML_ID, chart="params")
    assert by_label(tuned.selectbox, "Algorithm").value == Algorithm.LIGHTGBM
    assert not tuned.exception


def test_why_the_best_won_is_said_in_one_sentence_once_the_job_has_ended(visit, bank):
    assert "Trial 8 (Voting ensemble) won, significantly better" in text(visit("leaderboard", job=AUTOML_ID))
    visit("leaderboard", job=RUNNING_ID)
    assert bank.called("jobs.winner") == [(AUTOML_ID,)]


def test_the_best_is_offered_with_what_to_expect_of_it_on_new_rows(visit, bank):
    job = next(job for job in bank.jobs if job.id == AUTOML_ID)
    honest = replace(job.result, best=replace(job.result.best, metrics={"AUC_weighted": 0.9488}))
    bank.jobs[bank.jobs.index(job)] = replace(job, result=honest)

    app = visit("leaderboard", job=AUTOML_ID)

    assert "On new rows expect AUC 0.9488" in text(app)
    assert "Its row in the table says 0.9492" in text(app)


def test_the_trial_that_the_job_has_chosen_leads_though_another_is_higher_by_a_hair(visit, bank):
    trials = bank.job_trials[AUTOML_ID]
    above = replace(trials[0], number=99, metrics=trials[0].metrics | {"AUC_weighted": 0.9493})
    bank.job_trials[AUTOML_ID] = [*trials, above]

    app = visit("leaderboard", job=AUTOML_ID)

    assert "best AUC 0.9492 (Voting ensemble)" in text(app)


def test_five_hundred_trials_are_not_heavy(visit, bank, monkeypatch):
    sent: list[int] = []
    parse = local_script_runner.parse_tree_from_messages
    monkeypatch.setattr(
        local_script_runner,
        "parse_tree_from_messages",
        lambda messages: sent.append(sum(m.ByteSize() for m in messages)) or parse(messages),
    )
    like = bank.job_trials[AUTOML_ID][0]
    bank.job_trials[AUTOML_ID] = [replace(like, number=n, started_at=like.started_at + n) for n in range(500)]

    app = visit("leaderboard", job=AUTOML_ID)

    assert len(app.dataframe[0].value) == 500
    assert sent[-1] < 250_000, "a look at all of it, in bytes"
    began = time.process_time()
    app.run()
    assert time.process_time() - began < 0.5, "processor seconds of another look: some 0.04, and 0.03 with 9 trials"


def test_a_running_trial_shows_its_folds_and_is_canceled_alone(visit, bank):
    going = bank.job_trials[RUNNING_ID]
    going[-1] = replace(going[-1], fold_scores=(0.9461, 0.9476), folds=5)
    app = visit("leaderboard", job=RUNNING_ID)
    assert "fold 3 of 5 · AUC 0.9461, 0.9476" in text(app)

    by_label(app.button, "Cancel this trial").click().run()

    assert bank.called("jobs.cancel_trial") == [(RUNNING_ID, going[-1].number)]
    assert "Cancel this trial" not in {button.label for button in app.button}
    assert not by_label(app.button, "Stop training").disabled


def test_an_ended_training_is_continued_with_more_time_and_its_new_job_is_opened(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)
    next(s for s in app.select_slider if s.key == "leaderboard.more_s").set_value(300)

    by_label(app.button, "Continue").click().run()

    assert bank.called("jobs.extend") == [(AUTOML_ID, 300.0)]
    assert by_label(app.selectbox, "Training job").value == bank.jobs[0].id


def test_one_click_registers_and_deploys_a_trial_without_traffic(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID, trial="3")

    next(b for b in app.button if b.key == f"leaderboard.deploy.trial.{AUTOML_ID}.3").click().run()

    assert bank.called("models.register") == [("bankmarketing-train", AUTOML_ID, 3)]
    assert bank.called("endpoints.deploy") == [(DeploymentSpec("bankmarketing-train", "bankmarketing-train", 1),)]
    assert not bank.workspace.endpoints.get("bankmarketing-train").traffic


def test_what_leaks_and_what_was_guarded_is_said(visit, bank):
    app = visit("leaderboard", job=AUTOML_ID)
    assert LEAK in app.warning[0].value, "before the figures"
    shown = text(app)

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
    by_label(app.button, "Register the best model: AUC 0.9451").click().run()
    assert bank.called("models.register") == [("bankmarketing-train", RUNNING_ID, 0)]


def test_the_best_model_is_registered_by_its_metric_and_leads_to_deploy(visit, bank):
    bank.models = [replace(bank.models[0], job_id="another")]
    app = visit("leaderboard", job=AUTOML_ID)

    by_label(app.button, "Register the best model: AUC 0.9492").click().run()

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
