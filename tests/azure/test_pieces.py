"""The pieces of which the way to Azure's assets and jobs consists: names, kept values, times, leaderboards, logs."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.azure.automl_terms import check, metrics
from core.azure.job_errors import hint_of
from core.azure.job_logs import chosen, read_log
from core.azure.kept import PIECE_CHARS, found, kept
from core.azure.leaderboard import best_told, told
from core.azure.names import ASSET, asset_name, named, own_name, version_number
from core.azure.training import minutes, notes, trial_minutes
from core.azure.translate import seconds
from core.domain.data import DataRef
from core.domain.earlier import training_with_azure_names
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode
from core.domain.metrics import PRIMARY_METRICS, REGRESSION_METRICS
from core.domain.search_space import Distribution, DistributionKind
from core.domain.training import Algorithm, BestTrial, Cost, Sampling, Task, TrainingSpec

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=80)
LEAVES = Distribution(DistributionKind.CHOICE, (15, 31))
SPECS = st.builds(
    TrainingSpec,
    data=st.builds(DataRef, TEXTS.filter(str.strip), st.integers(0, 999)),
    target=TEXTS.filter(str.strip),
    timeout_s=st.floats(5, 90_000),
    allowed_training_algorithms=st.lists(
        st.sampled_from([Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.SVM]), unique=True
    ).map(tuple),
    max_trials=st.integers(1, 500),
    seed=st.integers(0, 2**31 - 1),
)


@given(TEXTS)
def test_any_name_has_one_that_azure_takes_and_is_known_again(name):
    assert ASSET.fullmatch(asset_name(name))
    assert own_name(asset_name(name), named(name)) == name


@given(st.sets(TEXTS, min_size=2, max_size=2))
def test_two_names_never_meet(names):
    one, other = names
    assert asset_name(one) != asset_name(other)


@given(SPECS)
def test_a_spec_is_kept_in_properties_and_found_again(spec):
    pieces = kept("slipway.about", spec)
    assert all(len(piece) <= PIECE_CHARS for piece in pieces.values())
    assert found("slipway.about", {**pieces, "other": "x"}, TrainingSpec) == spec


@given(st.dictionaries(st.sampled_from(["a.0", "a.1", "a"]), st.text(max_size=40)))
def test_what_somebody_else_wrote_there_is_no_value_of_ours(properties):
    assert found("a", properties, TrainingSpec) is None


def test_what_azure_has_no_room_for_is_refused():
    noise = tuple(f"{i * 7919 % 1_000_003:x}-{i * i % 999_983:x}-{i * 31 % 65_537:x}" for i in range(20_000))
    with pytest.raises(SpecInvalid, match="no room"):
        kept("a", {"columns": noise})


@pytest.mark.parametrize(
    ("version", "number"), [("1", 1), (7, 7), ("2024-05", None), ("0", None), ("", None), ("²", None), (None, None)]
)
def test_only_whole_numbers_are_versions(version, number):
    assert version_number(version) == number


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2022-09-16T02:37:35.7504422+00:00", 1663295855.750442),
        ("2022-09-16T02:37:35.75Z", 1663295855.75),
        ("2022-09-16T02:37:35Z", 1663295855.0),
        ("2022-09-16T02:37:35", 1663295855.0),
        ("soon", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_a_time_is_read_as_azure_writes_it(written, expected):
    assert seconds(written) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("timeout_s", "cells", "asked"),
    [(60, 0, 15), (900, 0, 15), (901, 0, 16), (3600, 0, 60), (3600, 20_000_000, 61), (7200, 20_000_000, 120)],
)
def test_the_time_limit_is_whole_minutes_and_at_least_fifteen(timeout_s, cells, asked):
    spec = TrainingSpec(DataRef("t"), "y", timeout_s=timeout_s)
    assert minutes(spec, cells) == asked
    said = notes(spec, asked)
    assert bool(said) == (asked * 60 != timeout_s)
    assert all(f"{asked} minutes" in note for note in said)


@pytest.mark.parametrize(
    ("trial_timeout_s", "asked"), [(0, 20), (30, 1), (60, 1), (61, 2), (600, 10), (1200, 20), (9000, 20)]
)
def test_the_time_limit_of_a_trial_is_whole_minutes_and_at_most_the_jobs(trial_timeout_s, asked):
    spec = TrainingSpec(DataRef("t"), "y", timeout_s=1200, trial_timeout_s=trial_timeout_s)
    assert trial_minutes(spec, 20) == asked
    assert len(notes(spec, 20)) == (trial_timeout_s not in (0, asked * 60))


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        *((Task.CLASSIFICATION, metric) for metric in PRIMARY_METRICS),
        *((Task.REGRESSION, metric) for metric in REGRESSION_METRICS),
    ],
)
def test_a_metric_that_automl_cannot_optimize_is_refused_before(task, metric):
    spec = TrainingSpec(DataRef("t"), "y", task=task, primary_metric=metric)
    known = metrics(spec.regression)
    if metric in known:
        check(spec)
        return
    with pytest.raises(SpecInvalid, match=metric) as refused:
        check(spec)
    assert refused.value.hint == f"One of: {', '.join(known)}"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (
            {"search_space": {"LightGBM": {"num_leaves": LEAVES}}},
            "no search_space",
        ),
        ({"sampling_algorithm": Sampling.RANDOM}, "no sampling_algorithm"),
        ({"class_weights": "balanced"}, "no class_weights"),
        ({"cost_matrix": (Cost("yes", "no", 5.0),)}, "no cost_matrix"),
        ({"max_predict_ms": 1.0}, "no max_predict_ms"),
        ({"allowed_training_algorithms": (Algorithm.LIGHTGBM, Algorithm.CATBOOST)}, "no algorithm 'CatBoost'"),
        ({"allowed_training_algorithms": (Algorithm.NEURAL_NETWORK,)}, "no algorithm 'NeuralNetwork'"),
        ({"exclude": ("x",), "featurization": Featurization(FeaturizationMode.OFF)}, "`exclude` names 'x'"),
    ],
)
def test_what_automl_does_not_have_is_refused_by_its_name_with_a_way_on(asked, named):
    with pytest.raises(SpecInvalid, match=f"AutoML on Azure .*{named}") as refused:
        check(TrainingSpec(DataRef("t"), "y", **asked))
    assert refused.value.hint


def test_the_leaderboard_is_told_by_tags_in_one_piece_as_azure_recorded_it():
    tags = {
        "score": "<0.9101669195751139>;",
        "run_algorithm": "<LightGBM>;",
        "iteration": "<0>;",
        "automl_best_child_run_id": "some_name_0",
    }
    assert best_told(tags, "accuracy") == BestTrial(0, "LightGBM", {"accuracy": 0.9101669195751139})


def test_the_leaderboard_is_told_by_tags_in_numbered_pieces():
    tags = {
        "score_000": "0.7;NaN",
        "score_001": "0.9;0.8",
        "run_algorithm_000": "LightGBM;SVM;",
        "run_algorithm_001": "XGBoostClassifier;VotingEnsemble",
        "iteration_000": "0;1",
        "iteration_001": "3;2",
        "run_preprocessor_000": "MaxAbsScaler;StandardScalerWrapper",
        "run_preprocessor_001": "SparseNormalizer;",
    }
    known = told(tags)
    assert known.algorithms == {0: "LightGBM", 1: "SVM", 3: "XGBoostClassifier", 2: "VotingEnsemble"}
    assert known.featurizers == {0: "MaxAbsScaler", 1: "StandardScalerWrapper", 3: "SparseNormalizer"}
    assert known.scores == {0: 0.7, 3: 0.9, 2: 0.8}
    assert best_told(tags, "AUC_weighted") == BestTrial(3, "XGBoostClassifier", {"AUC_weighted": 0.9})


@given(
    st.dictionaries(
        st.sampled_from(["score", "score_000", "iteration", "run_algorithm_000", "automl_best_child_run_id"]),
        st.text(string.printable, max_size=60),
    )
)
def test_tags_of_any_kind_are_read_without_a_failure(tags):
    best_told(tags, "log_loss")


def test_a_log_is_read_with_the_time_of_each_line():
    written = "2026-01-02 03:04:05,678 - INFO - begun\nTraceback\n  File\n2026-01-02T03:04:07Z ERROR it broke\n"
    lines = read_log(written, 1.0)
    assert [line.text for line in lines] == ["INFO - begun", "Traceback", "  File", "ERROR it broke"]
    assert [line.level for line in lines] == ["info", "info", "info", "error"]
    assert [line.at - lines[0].at for line in lines] == pytest.approx([0, 0, 0, 1.322])
    assert [line.at for line in read_log("no time\n", 5.0)] == [5.0]


def test_the_files_that_say_most_are_read():
    files = {"user_logs/std_log.txt": "a", "system_logs/cs.log": "b", "azureml-logs/70_driver_log.txt": "c"}
    assert chosen(files) == ["a"]
    assert chosen({"azureml-logs/70_driver_log.txt": "c", "x.png": "d"}) == ["c"]
    assert chosen({}) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"error": {"code": "UserError", "innerError": {"code": "QuotaExceeded"}}}, "Quotas"),
        ({"error": {"code": "UserError", "message": "Target column 'z' not found"}}, "data profile"),
        ({}, "job logs"),
    ],
)
def test_why_a_job_failed_comes_with_a_way_out(error, said):
    assert said in hint_of(error, str(msgspec.json.encode(error)))


def test_a_training_that_an_earlier_release_has_kept_is_read_by_todays_names():
    before = {"data": {"name": "t", "version": 1}, "target": "y", "algorithms": ["LightGBM"], "folds": 4}
    read = found("slipway.about", kept("slipway.about", before), TrainingSpec, training_with_azure_names)
    assert read is not None
    assert (read.allowed_training_algorithms, read.n_cross_validations) == ((Algorithm.LIGHTGBM,), 4)
    assert not read.enable_vote_ensemble
