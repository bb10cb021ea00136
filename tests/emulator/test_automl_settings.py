"""What an AutoML job asks for, as the training that it means."""

from typing import Any

import pytest

from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.training import Algorithm
from core.emulator.jobs import automl_tasks
from core.emulator.jobs.automl_settings import AutoML, read, seconds, shown, unused
from core.emulator.jobs.expressions import NothingThere, filled
from core.emulator.jobs.nodes import task_details
from core.emulator.messages import AzureError


def asked(**task: Any) -> AutoML:
    least = {"taskType": "Classification", "targetColumnName": "y", "trainingData": {"uri": "azureml:people:1"}}
    return read(shown(least | task))


def test_what_was_not_sent_has_azures_defaults() -> None:
    found = asked()
    assert (found.timeout_s, found.max_trials, found.metric, found.folds) == (6 * 3600, 1000, "AUC_weighted", 0)
    assert (found.allowed, found.blocked, found.vote, found.stack) == ((), (), True, True)
    assert (found.trial_timeout_s, found.validation, found.validation_share) == (0, "", 0)
    assert found.featurization == Featurization()
    assert found.early_termination
    assert found.exit_score is None


def test_settings_as_the_sdk_sends_them_are_understood() -> None:
    found = asked(
        primaryMetric="NormMacroRecall",
        limitSettings={
            "timeout": "PT1H30M",
            "trialTimeout": "PT4M",
            "maxTrials": 5,
            "maxConcurrentTrials": 3,
            "exitScore": 0.99,
            "enableEarlyTermination": False,
        },
        trainingSettings={"blockedTrainingAlgorithms": ["LightGBM", "KNN"], "enableVoteEnsemble": False},
        featurizationSettings={
            "mode": "custom",
            "columnNameAndTypes": {"id": "Ignore", "age": "Numeric", "work": "CategoricalHash"},
            "transformerParams": {
                "Imputer": [
                    {"fields": ["age", "size"], "parameters": {"strategy": "median"}},
                    {"fields": ["work"], "parameters": {"strategy": "constant", "fill_value": "none"}},
                ]
            },
        },
        nCrossValidations={"mode": "Custom", "value": 5},
        cvSplitColumnNames=["split"],
    )
    assert (found.timeout_s, found.max_trials, found.exit_score, found.folds) == (5400, 5, 0.99, 5)
    assert (found.trial_timeout_s, found.max_concurrent) == (240, 3)
    assert (found.allowed, found.blocked) == ((), (Algorithm.KNN, Algorithm.LIGHTGBM))
    assert (found.vote, found.stack) == (False, True)
    assert found.featurization == Featurization(
        FeaturizationMode.CUSTOM,
        {"age": Purpose.NUMERIC, "work": Purpose.CATEGORICAL},
        {"age": Imputation.MEDIAN, "size": Imputation.MEDIAN, "work": Imputation.CONSTANT},
        {"work": "none"},
    )
    assert found.exclude == ("split", "id")
    assert found.metric == "norm_macro_recall"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"trainingSettings": {"allowedTrainingAlgorithms": ["SGD"]}}, "allow none of these"),
        (
            {"trainingSettings": {"allowedTrainingAlgorithms": ["KNN"], "blockedTrainingAlgorithms": ["KNN"]}},
            "allow none of these",
        ),
        ({"weightColumnName": "weight"}, "cannot weigh rows by the column 'weight'"),
        *(
            ({"taskType": name}, "classification and regression of tables only")
            for name in automl_tasks.OTHERS.values()
            if name != "Regression"
        ),
    ],
)
def test_what_azure_would_train_and_the_emulation_cannot_is_accepted_with_the_reason(
    task: dict[str, Any], said: str
) -> None:
    assert said in asked(**task).refused


def test_a_regression_has_metrics_and_algorithms_of_its_own() -> None:
    found = asked(taskType="regression")
    assert (found.task, found.metric) == ("Regression", "normalized_root_mean_squared_error")
    found = asked(
        taskType="Regression",
        primaryMetric="SpearmanCorrelation",
        trainingSettings={"allowedTrainingAlgorithms": ["ElasticNet", "xg_boost_regressor", "LassoLars"]},
        validationData={"uri": "azureml:judges:2"},
    )
    assert (found.metric, found.validation) == ("spearman_correlation", "azureml:judges:2")
    assert found.allowed == (Algorithm.ELASTIC_NET, Algorithm.XGBOOST_REGRESSOR)
    assert not found.refused
    assert asked(taskType="Regression", validationDataSize=0.2).validation_share == 0.2


def test_featurization_that_is_off_stays_off() -> None:
    found = asked(featurizationSettings={"mode": "off", "columnNameAndTypes": {"id": "Numeric"}})
    assert found.featurization == Featurization(FeaturizationMode.OFF)
    assert asked(featurizationSettings={"mode": "auto", "columnNameAndTypes": {"id": "Text"}}).featurization == (
        Featurization()
    )


def test_what_is_not_looked_at_is_told() -> None:
    task = {
        "testData": {"uri": "azureml:x:1"},
        "limitSettings": {"maxConcurrentTrials": 4, "trialTimeout": "PT5M"},
        "cvSplitColumnNames": ["split"],
        "featurizationSettings": {"mode": "custom", "blockedTransformers": ["TfIdf"]},
    }
    assert [each.partition(" is not used")[0] for each in unused(task)] == [
        "testData", "cvSplitColumnNames", "featurizationSettings: TfIdf",
    ]  # fmt: skip
    assert unused({"validationData": {"uri": "azureml:x:1"}}) == []


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"taskType": "Divination"}, "no task 'Divination'"),
        ({"targetColumnName": ""}, "targetColumnName"),
        ({"trainingData": {"uri": "azureml:x:1", "jobInputType": "uri_file"}}, "mltable only"),
        ({"primaryMetric": "R2Score"}, "a classification has no metric 'R2Score'"),
        ({"taskType": "Regression", "primaryMetric": "Accuracy"}, "a regression has no metric 'Accuracy'"),
        ({"taskType": "Regression", "targetColumnName": ""}, "a regression needs the name"),
        (
            {"taskType": "Regression", "trainingSettings": {"allowedTrainingAlgorithms": ["LogisticRegression"]}},
            "Regression has no algorithm 'LogisticRegression'",
        ),
        ({"limitSettings": {"timeout": "PT10M"}}, "at least 15 minutes"),
        ({"limitSettings": {"maxTrials": 0}}, "maxTrials"),
        ({"trainingSettings": {"allowedTrainingAlgorithms": ["Prophet"]}}, "no algorithm 'Prophet'"),
        ({"nCrossValidations": {"mode": "Custom", "value": 1}}, "nCrossValidations"),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_users_error(task: dict[str, Any], said: str) -> None:
    with pytest.raises(AzureError, match=said) as caught:
        asked(**task)
    assert (caught.value.status, caught.value.code) == (400, "UserError")


def test_a_node_of_a_pipeline_means_the_same_as_a_job() -> None:
    node = {
        "task": "classification", "target_column_name": "y", "training_data": "${{parent.inputs.rows}}",
        "primary_metric": "auc_weighted", "n_cross_validations": 3,
        "limits": {"max_trials": 2, "timeout_minutes": 30, "exit_score": 0.9},
        "training": {"allowed_training_algorithms": ["light_gbm"], "enable_vote_ensemble": False},
    }  # fmt: skip
    found = read(shown(task_details(node, lambda value: {"uri": "azureml:people:1"})))
    assert (found.max_trials, found.timeout_s, found.folds, found.exit_score) == (2, 1800, 3, 0.9)
    assert (found.allowed, found.vote) == ((Algorithm.LIGHTGBM,), False)


@pytest.mark.parametrize(("text", "expected"), [("PT15M", 900), ("P1DT2H", 93_600), ("PT1M40S", 100), ("PT0.5S", 0.5)])
def test_durations_are_read(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_a_command_is_filled_and_its_optional_parts_go_without_their_input() -> None:
    line = "run --n ${{inputs.n}} $[[--more ${{inputs.more}}]] > ${{ outputs.o }}/x"
    assert filled(line, {"inputs.n": "3", "outputs.o": "/o"}) == "run --n 3  > /o/x"
    assert filled(line, {"inputs.n": "3", "outputs.o": "/o", "inputs.more": "y"}) == "run --n 3 --more y > /o/x"
    with pytest.raises(NothingThere, match="inputs"):
        filled(line, {})
