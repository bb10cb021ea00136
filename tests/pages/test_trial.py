"""A trial's page: what it predicts, what it goes by, one row, groups; and trials side by side."""

from dataclasses import replace

import pytest
from bank_story import AUTOML_ID, RUNNING_ID
from reading import by_label, text

from core.domain.errors import Conflict
from core.domain.training import TrainingResult

OPEN = {"job": AUTOML_ID, "trial": "5"}


def figures(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_one_threshold_drives_every_figure_and_begins_where_the_model_decides(visit, bank):
    app = visit("leaderboard", **OPEN, tab="Predictions")
    assert app.slider[0].value == 0.5
    assert figures(app)["Recall"] == "88.0 %"

    app.slider[0].set_value(0.25).run()

    assert figures(app)["Recall"] == "98.0 %"
    assert len(bank.called("jobs.thresholds")) == 1, "the table is asked for once, whatever the threshold"
    for name in ("ROC", "Precision and recall", "Calibration", "Lift", "Cumulative gains", "Confusion matrix"):
        assert f"**{name}**" in text(app)


def test_of_several_classes_the_slider_says_that_the_model_decides_without_a_threshold(visit, bank):
    assert "itself predicts it from 0.5 up" in visit("leaderboard", **OPEN, tab="Predictions").slider[0].help
    bank.curves = replace(bank.curves, classes=("maybe", "no", "yes"), confusion=((1, 0, 0), (0, 1, 0), (0, 0, 1)))

    help_ = visit("leaderboard", **(OPEN | {"trial": "4"}), tab="Predictions", **{"class": "yes"}).slider[0].help

    assert "itself predicts the class that is most probable" in help_


def test_what_decisions_are_worth_finds_the_best_threshold(visit, bank):
    app = visit("leaderboard", **OPEN, tab="Predictions")
    by_label(app.number_input, "False negative").set_value(-20.0).run()
    before = app.slider[0].value

    by_label(app.button, "Use the best threshold").click().run()

    assert app.slider[0].value < before, "where misses are dear, more rows are predicted to be of the class"
    assert by_label(app.button, "Use the best threshold").disabled


def test_each_metric_stands_with_every_fold(visit, bank):
    app = visit("leaderboard", **OPEN)
    metrics = app.table[0].value
    assert list(metrics.columns) == ["Metric", "Score", "± folds", "Fold 1", "Fold 2", "Fold 3"]
    assert metrics["Fold 3"].iloc[0] == "0.9481"


def test_a_trial_whose_predictions_are_gone_keeps_its_metrics_and_says_why_there_are_no_charts(visit, bank):
    gone = Conflict("The predictions of trial 5 are gone", hint="Train again")
    bank.failures["jobs.fold_metrics"].append(gone)
    bank.failures["jobs.curves"].append(gone)

    assert "Fold 1" not in visit("leaderboard", **OPEN).table[0].value
    assert "The predictions of trial 5 are gone" in visit("leaderboard", **OPEN, tab="Predictions").error[0].value


def test_the_columns_it_goes_by_and_how_its_answer_changes_with_one(visit, bank):
    app = visit("leaderboard", **OPEN, tab="Columns", column="job")

    assert "Which columns matter" in text(app)
    assert bank.called("jobs.partial_dependence")[-1][2] == "job"
    assert "the average prediction for 500 rows in which only this column is changed" in text(app)


def test_a_row_is_explained_and_a_change_of_it_compared(visit, bank):
    app = visit("leaderboard", **OPEN, tab="One row")
    by_label(app.number_input, "age").set_value(40)
    by_label(app.button, "Explain").click().run()
    assert "Shapley values of the trees" in text(app)

    by_label(app.number_input, "age").set_value(60)
    by_label(app.button, "Explain").click().run()

    assert bank.called("jobs.explain")[-1][2]["age"] == 60
    assert "-10.0 percentage points compared with the previous row" in text(app)


def test_groups_of_any_column_are_compared_and_the_largest_gap_is_said(visit, bank):
    app = visit("leaderboard", **OPEN, tab="Groups", group="job")

    assert bank.called("jobs.fairness")[-1][2:4] == ("job", 0.5)
    assert "most often for **admin.** (12.0 % of the rows) and least often for **blue-collar** (3.0 %" in text(app)
    assert "unknown** (" not in text(app), "five rows say nothing"


def test_an_ensemble_names_its_members_with_their_weights(visit, bank):
    job = next(job for job in bank.jobs if job.id == AUTOML_ID)
    assert isinstance(job.result, TrainingResult)
    found = replace(job.result, members=((7, 0.6), (5, 0.4)))
    bank.jobs[bank.jobs.index(job)] = replace(job, result=found)

    members = visit("leaderboard", job=AUTOML_ID, trial="8").table[0].value

    assert list(members["Weight"]) == ["60.0 %", "40.0 %"]
    assert list(members["Trial"]) == ["7", "5"]


def test_only_the_tab_that_is_looked_at_is_computed(visit, bank):
    visit("leaderboard", **OPEN)
    asked = {name for name, _ in bank.calls}
    assert not asked & {"jobs.curves", "jobs.thresholds", "jobs.importance", "jobs.fairness", "jobs.explain"}


@pytest.mark.parametrize(
    ("picks", "said"),
    [
        ((7, 8), "**Trial 8: Voting ensemble** is better than Trial 7: LightGBM by AUC"),
        ((8, 5), "**Trial 5: XGBoost** is worse than Trial 8: Voting ensemble by AUC"),
        ((7, 5), "**Trial 5: XGBoost** and Trial 7: LightGBM cannot be told apart by AUC"),
    ],
)
def test_better_is_said_of_two_trials_only_where_it_is_so(visit, bank, picks, said):
    app = visit("leaderboard", job=AUTOML_ID, compare=",".join(f"{AUTOML_ID}:{number}" for number in picks))
    assert said in text(app)
    assert app.query_params["compare"].count(AUTOML_ID) == 2


def test_a_trial_of_another_job_that_an_address_names_is_compared_though_it_is_not_its_best(visit, bank):
    bank.job_trials[RUNNING_ID] = [replace(bank.job_trials[AUTOML_ID][5], number=77)]

    app = visit("leaderboard", job=AUTOML_ID, compare=f"{AUTOML_ID}:8,{RUNNING_ID}:77,j-gone:1,{AUTOML_ID}:500")

    assert app.query_params["compare"] == f"{AUTOML_ID}:8,{RUNNING_ID}:77"
    assert list(app.dataframe[1].value)[1] == "1. Trial 8"
    assert list(app.dataframe[1].value)[2].startswith("2. Trial 77 of the training of ")
    assert list(app.dataframe[1].value)[2].count(":") == 2, "the time is whole"


def test_trials_on_other_rows_are_compared_by_their_figures_alone(visit, bank):
    bank.failures["jobs.compare_pair"].append(Conflict("They were judged on different rows"))
    app = visit("leaderboard", job=AUTOML_ID, compare=f"{AUTOML_ID}:7,{AUTOML_ID}:5")

    assert "They were judged on different rows" in text(app)
    assert app.dataframe[1].value["Metric"].iloc[0] == "AUC"


def test_each_job_keeps_its_own_trial_open(visit, bank):
    app = visit("leaderboard", **OPEN)
    by_label(app.selectbox, "Training job").set_value(RUNNING_ID).run()
    assert "**Trial 5: XGBoost**" not in text(app)
    assert "trial" not in app.query_params

    by_label(app.selectbox, "Training job").set_value(AUTOML_ID).run()

    assert "**Trial 5: XGBoost**" in text(app)
    assert app.query_params["trial"] == "5"
