"""`job automl` asks for everything that a training understands; `job leaderboard` shows what came of it."""

import json

import pytest

from core.cli.main import parser
from core.cli.training import training_spec
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.search_space import Distribution, DistributionKind
from core.domain.training import Algorithm, Cost, Sampling, Task, TrainingSpec

ASK = ["job", "automl", "--data", "bank:2", "--target", "y"]


def asked(*options: str) -> TrainingSpec:
    return training_spec(parser(["job"]).parse_args([*ASK, *options]))


def test_without_options_a_training_has_its_own_defaults():
    assert asked() == TrainingSpec(DataRef("bank", 2), "y")


def test_its_former_name_asks_for_the_same():
    assert training_spec(parser(["job"]).parse_args(["job", "submit", *ASK[2:]])) == asked()


def test_every_option_says_what_it_is_called_after():
    spec = asked(
        *("--metric", "log_loss", "--exclude", "duration", "--algorithm", "LightGBM", "--algorithm", "KNN"),
        *("--block", "KNN", "--max-trials", "9", "--concurrent", "1", "--trial-timeout", "20", "--exit-score", "0.2"),
        *("--no-early-termination", "--no-vote-ensemble", "--no-stack-ensemble", "--sampling", "random"),
        *("--folds", "4", "--class-weight", "yes=3", "--class-weight", "no=1", "--cost", "yes", "no", "5"),
        *("--max-predict-ms", "2", "--seed", "3", "--experiment", "mine", "--compute", "small", "--model", "m"),
        *("--purpose", "job=Text", "--impute", "age=median"),
    )

    assert spec == TrainingSpec(
        DataRef("bank", 2), "y", primary_metric="log_loss", exclude=("duration",),
        allowed_training_algorithms=(Algorithm.LIGHTGBM, Algorithm.KNN), blocked_training_algorithms=(Algorithm.KNN,),
        max_trials=9, max_concurrent_trials=1, trial_timeout_s=20, exit_score=0.2, enable_early_termination=False,
        enable_vote_ensemble=False, enable_stack_ensemble=False, sampling_algorithm=Sampling.RANDOM,
        n_cross_validations=4, class_weights={"yes": 3, "no": 1}, cost_matrix=(Cost("yes", "no", 5),),
        max_predict_ms=2, seed=3, experiment_name="mine", compute="small", model_name="m",
        featurization=Featurization(
            FeaturizationMode.CUSTOM, {"job": Purpose.TEXT}, {"age": Imputation.MEDIAN}
        ),
    )  # fmt: skip


def test_a_number_is_predicted_by_its_own_metric_and_judged_on_a_table_or_a_share():
    assert asked("--task", "regression").primary_metric == "normalized_root_mean_squared_error"
    assert asked("--task", "regression", "--metric", "r2_score").task is Task.REGRESSION
    assert asked("--validation-data", "kept:1").validation_data == DataRef("kept", 1)
    assert asked("--validation-share", "0.2").validation_share == 0.2
    assert asked("--class-weight", "balanced").class_weights == "balanced"
    assert asked("--featurization", "off").featurization.mode is FeaturizationMode.OFF


def test_a_search_space_comes_from_a_file(tmp_path):
    space = tmp_path / "space.json"
    space.write_text('{"LightGBM": {"learning_rate": {"kind": "loguniform", "low": 0.01, "high": 0.3}}}')

    found = asked("--search-space", str(space)).search_space

    assert found == {"LightGBM": {"learning_rate": Distribution(DistributionKind.LOG_UNIFORM, low=0.01, high=0.3)}}


@pytest.mark.parametrize(
    "options",
    [
        ("--metric", "r2_score"),
        ("--class-weight", "yes"),
        ("--cost", "yes", "no", "much"),
        ("--search-space", "nowhere.json"),
        ("--folds", "3", "--validation-share", "0.2"),
        ("--block", "VotingEnsemble"),
        ("--purpose", "job=Colour"),
        ("--featurization", "off", "--impute", "age=median"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked_for(options):
    with pytest.raises(SpecInvalid):
        asked(*options)


def test_the_leaderboard_is_best_first_and_has_everything_in_json(cli):
    cli("data register adult")
    job = json.loads(cli("job automl --data adult --target income --json")[1])["id"]

    rows = json.loads(cli(f"job leaderboard {job} --json")[1])

    assert [(row["rank"], row["number"]) for row in rows] == [(1, 0), (2, 1)]
    assert rows[0]["AUC_weighted"] == rows[0]["metrics"]["AUC_weighted"] >= rows[1]["AUC_weighted"]
    assert {"label", "featurizer", "fold_scores", "spread", "params", "predict_ms", "size_bytes"} <= set(rows[0])
    head = cli(f"job leaderboard {job}")[1].splitlines()[0].split()
    assert head[:3] == ["rank", "label", "AUC_weighted"]


def test_one_trial_is_canceled_and_the_job_goes_on(cli):
    cli("data register adult")
    job = json.loads(cli("job automl --data adult --target income --json")[1])["id"]

    code, out, _ = cli(f"job cancel {job} --trial 1 --json")

    assert code == 1
    assert "jobs.cancel_trial" in json.loads(out)["error"]["message"], "this backend cannot, and says so"
