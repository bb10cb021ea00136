"""A finished training made a pipeline: what it was told becomes parameters, and any table can be the table."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions import parse_pipeline, plan, write_pipeline
from core.definitions.from_job import pipeline_from_training, table_again
from core.definitions.pipelines import check_pipeline, training_spec
from core.domain.data import DataAsset, DataRef, DataSource, Reading
from core.domain.metrics import PRIMARY_METRICS
from core.domain.pipeline import PipelineSpec
from core.domain.training import Algorithm, TrainingSpec

LEARNED = TrainingSpec(DataRef("people"), "y").algorithms
ASSET = DataAsset("people", 3, DataSource.FILE, "/tables/people.csv", 30, ("age", "y"), "0" * 64, 1, 0.0)
TRAINED = TrainingSpec(
    DataRef("people", 3),
    "y",
    timeout_s=90,
    primary_metric="accuracy",
    exclude=("age",),
    allowed_training_algorithms=(Algorithm.LIGHTGBM,),
    max_trials=7,
    n_cross_validations=3,
    seed=11,
    compute="large",
)


def made(spec: TrainingSpec = TRAINED, asset: DataAsset = ASSET, **wanted: object) -> PipelineSpec:
    pipeline = pipeline_from_training(spec, asset, name="people", model="people", **wanted)  # type: ignore[arg-type]
    check_pipeline(pipeline)
    assert parse_pipeline(write_pipeline(pipeline)) == pipeline
    return pipeline


def test_run_as_it_is_it_trains_as_the_training_did_and_every_setting_can_be_changed() -> None:
    prepare, automl, register = plan(made(), {})
    assert prepare.settings == {"data": "/tables/people.csv", "target": "y", "name": "people"}
    assert training_spec(automl, TRAINED.data) == TRAINED
    assert register.settings == {"model": "people"}
    _, changed, _ = plan(
        made(), {"timeout_s": 5, "target": "age", "exclude": [], "allowed_training_algorithms": [], "seed": 1}
    )
    assert training_spec(changed, TRAINED.data) == replace(
        TRAINED, timeout_s=5, target="age", exclude=(), allowed_training_algorithms=(), seed=1
    )


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({}, "prepare automl register"),
        ({"endpoint": "people"}, "prepare automl register deploy"),
        ({"endpoint": "people", "gate": True}, "prepare automl register deploy gate"),
        ({"endpoint": "people", "promote": True}, "prepare automl register deploy gate promote"),
        (
            {"endpoint": "people", "promote": True, "when_better": True},
            "prepare automl evaluate register deploy gate promote",
        ),
        ({"when_better": True}, "prepare automl register"),
    ],
)
def test_what_comes_after_the_training_is_chosen(wanted: dict[str, object], kinds: str) -> None:
    steps = plan(made(**wanted), {})
    assert [step.kind for step in steps] == kinds.split()
    known = {step.name: step for step in steps}
    if "promote" in known:
        assert "gate" in known["promote"].waits_for
    if "evaluate" in known:
        assert known["prepare"].settings["holdout_pct"] == 10
        assert known["register"].when == "evaluate.better"


@pytest.mark.parametrize(
    ("asset", "table"),
    [
        (ASSET, "/tables/people.csv"),
        (replace(ASSET, source=DataSource.UPLOAD, origin="people.csv"), "people:latest"),
        (replace(ASSET, source=DataSource.TWIN, origin="a twin"), "bank-marketing"),
        (replace(ASSET, source=DataSource.DOWNLOAD, origin="https://x/y.csv"), "bank-marketing"),
        (replace(ASSET, source=DataSource.CACHE, origin="/c/bankmarketing_train.csv"), "bankmarketing_train"),
        (replace(ASSET, reading=Reading(target="y")), "/tables/people.csv"),
        (replace(ASSET, reading=Reading(delimiter=";")), "people:latest"),
    ],
)
def test_the_table_is_prepared_again_from_where_it_came(asset: DataAsset, table: str) -> None:
    assert table_again(asset) == table
    assert made(asset=asset).defaults["data"] == table
    assert made(asset=asset, as_registered=True).defaults["data"] == "people:latest"


@settings(max_examples=30, derandomize=True, deadline=None)
@given(
    st.builds(
        TrainingSpec,
        st.just(DataRef("people", 3)),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
            lambda t: t.strip() and "${" not in t
        ),
        timeout_s=st.integers(5, 10**6) | st.floats(5, 1e6),
        primary_metric=st.sampled_from(PRIMARY_METRICS),
        allowed_training_algorithms=st.lists(st.sampled_from(LEARNED), max_size=3, unique=True).map(tuple),
        max_trials=st.integers(1, 10**6),
        n_cross_validations=st.just(0) | st.integers(2, 20),
        seed=st.integers(0, 2**31 - 1),
    )
)
def test_every_training_can_be_done_again(spec: TrainingSpec) -> None:
    automl = plan(made(spec), {})[1]
    assert training_spec(automl, spec.data) == spec
