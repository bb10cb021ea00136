"""A pipeline's training can be told all that a training can be told, in YAML and by a training that is done again."""

from dataclasses import fields, replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.definitions.from_job import pipeline_from_training
from core.definitions.parsing import parse_pipeline
from core.definitions.pipelines import plan, training_spec
from core.definitions.writing import write_pipeline
from core.domain.automl_settings import AutomlSettings
from core.domain.costs import Cost
from core.domain.data import DataAsset, DataRef, DataSource
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.search_space import Distribution, DistributionKind
from core.domain.training import Algorithm, Sampling, Task, TrainingSpec

DATA = DataRef("people", 3)
ASSET = DataAsset("people", 3, DataSource.FILE, "/tables/people.csv", 10, ("a", "y"), "0" * 64, 1, 0.0)
YAML = """
name: p
parameters:
  good: {type: number, default: 0.9}
steps:
  - {name: prepare, kind: prepare, settings: {data: people.csv}}
  - name: automl
    kind: automl
    settings:
      target: y
      exit_score: ${good}
      sampling_algorithm: random
      search_space:
        LightGBM:
          learning_rate: {kind: loguniform, low: 0.01, high: 0.3}
          num_leaves: {kind: choice, values: [7, 31]}
      featurization:
        column_purposes: {age: Categorical}
        imputations: {age: most_frequent, job: constant}
        constants: {job: none}
      class_weights: {yes: 3, no: 1}
      cost_matrix:
        - {actual: "yes", predicted: "no", cost: 5}
      validation_data: people-test:2
"""


def step(yaml: str) -> TrainingSpec:
    return training_spec(plan(parse_pipeline(yaml), {})[1], DATA)


def test_yaml_says_all_that_a_training_can_be_told():
    assert step(YAML) == TrainingSpec(
        DATA,
        "y",
        exit_score=0.9,
        sampling_algorithm=Sampling.RANDOM,
        search_space={
            "LightGBM": {
                "learning_rate": Distribution(DistributionKind.LOG_UNIFORM, low=0.01, high=0.3),
                "num_leaves": Distribution(DistributionKind.CHOICE, (7, 31)),
            }
        },
        featurization=Featurization(
            FeaturizationMode.CUSTOM,
            {"age": Purpose.CATEGORICAL},
            {"age": Imputation.MOST_FREQUENT, "job": Imputation.CONSTANT},
            {"job": "none"},
        ),
        class_weights={"yes": 3, "no": 1},
        cost_matrix=(Cost("yes", "no", 5),),
        validation_data=DataRef("people-test", 2),
    )


def test_every_field_of_a_training_is_a_setting_but_those_of_the_run():
    told = {each.name for each in fields(AutomlSettings)}
    assert {each.name for each in fields(TrainingSpec)} - told == {"data", "experiment_name"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"search_space": {"LightGBM": {"x": {"kind": "gauss"}}}}, "no distribution 'gauss'"),
        ({"search_space": {"LightGBM": {"x": {"kind": "uniform", "min": 1}}}}, "A distribution is"),
        ({"search_space": ["LightGBM"]}, "The search space is"),
        ({"search_space": {"GPT": {"x": {"kind": "choice", "values": [1]}}}}, "names the algorithm 'GPT'"),
        ({"featurization": "maybe"}, "The mode is 'maybe'"),
        ({"featurization": {"purposes": {}}}, "featurization is"),
        ({"featurization": {"column_purposes": {"age": "Number"}}}, "purpose of column 'age' is 'Number'"),
        ({"class_weights": "even"}, "class_weights is 'even'"),
        ({"class_weights": [1, 2]}, "class_weights is"),
        ({"class_weights": {"yes": "much"}}, "weight of class 'yes'"),
        ({"cost_matrix": [{"actual": "yes", "cost": 5}]}, "expected actual, predicted and cost"),
        ({"cost_matrix": "none"}, "expected a list"),
        ({"exit_score": 0.9, "validation_data": "t", "n_cross_validations": 3}, "are given"),
    ],
)
def test_what_a_training_cannot_do_is_refused_when_the_pipeline_is_made(wrong, said):
    with pytest.raises(SpecInvalid) as refused:
        AutomlSettings("y", **wrong)
    assert said in refused.value.message


numbers = st.floats(-100, 100).filter(bool)
words = st.text("abcd_", min_size=1, max_size=4)
distributions = st.one_of(
    st.builds(Distribution, st.just(DistributionKind.CHOICE), st.lists(numbers | words, min_size=1).map(tuple)),
    st.builds(Distribution, st.just(DistributionKind.UNIFORM), low=st.just(0.0), high=st.floats(1, 9)),
    st.builds(
        Distribution, st.just(DistributionKind.Q_NORMAL), mean=numbers, deviation=st.just(2.0), step=st.just(1.0)
    ),
)
featurizations = st.builds(Featurization, st.sampled_from([FeaturizationMode.AUTO, FeaturizationMode.OFF])) | st.builds(
    lambda purposes, constants: Featurization(
        FeaturizationMode.CUSTOM, purposes, dict.fromkeys(constants, Imputation.CONSTANT), constants
    ),
    st.dictionaries(words, st.sampled_from(Purpose), min_size=1),
    st.dictionaries(words, words | st.floats(0, 9)),
)
judged = st.sampled_from(
    [{}, {"n_cross_validations": 4}, {"validation_share": 0.25}, {"validation_data": DataRef("a:b")}]
)
trainings = st.builds(
    lambda judged, task, **given: TrainingSpec(DATA, "y", task=task, **judged, **given),
    judged,
    st.just(Task.CLASSIFICATION),
    exit_score=st.none() | numbers,
    search_space=st.dictionaries(
        st.sampled_from([Algorithm.LIGHTGBM, Algorithm.XGBOOST]), st.dictionaries(words, distributions, min_size=1)
    ),
    featurization=featurizations,
    class_weights=st.sampled_from(["", "balanced"]) | st.dictionaries(words, st.floats(0.1, 9), min_size=1),
    cost_matrix=st.lists(st.builds(Cost, words | st.booleans(), words | st.integers(), numbers)).map(tuple),
    sampling_algorithm=st.sampled_from(Sampling),
    trial_timeout_s=st.floats(0, 9),
    max_concurrent_trials=st.integers(0, 9),
    enable_vote_ensemble=st.booleans(),
    enable_early_termination=st.booleans(),
    max_predict_ms=st.floats(0, 9),
)


@settings(max_examples=40, derandomize=True, deadline=None, phases=[Phase.generate])
@given(trainings)
def test_a_training_of_any_kind_is_done_again_as_it_was_also_by_way_of_yaml(spec):
    pipeline = pipeline_from_training(spec, ASSET, name="people", model="people")
    for made in (pipeline, parse_pipeline(write_pipeline(pipeline))):
        assert training_spec(plan(made, {})[1], DATA) == spec


def test_a_regression_is_done_again_as_one():
    spec = TrainingSpec(DATA, "y", task=Task.REGRESSION, exit_score=0.1)
    made = plan(pipeline_from_training(spec, ASSET, name="people", model="people"), {})[1]
    assert training_spec(made, DATA) == spec
    assert training_spec(made, replace(DATA, version=4)) == replace(spec, data=DataRef("people", 4))
