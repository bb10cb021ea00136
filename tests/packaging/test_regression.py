"""A model that gives a number: trained, packaged, documented and asked as every other, but for what classes have."""

import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from tables import write_table

from core.contract.decision import decide
from core.contract.openapi import SUPPORTED, document
from core.contract.payload import Decoder, encode_reply
from core.contract.samples import body, typical_row
from core.domain.data import DataAsset, DataRef, DataSource
from core.domain.endpoint import EndpointLimits
from core.domain.errors import PayloadInvalid, TableUnusable
from core.domain.training import Algorithm, Task, TrainingSpec, Trial
from core.ml import final
from core.ml.data.guardrails import check_target
from core.ml.data.profile import profile_table
from core.ml.ensembles.making import stacked
from core.ml.executor import InProcessExecutor
from core.ml.finished import read_trial
from core.ml.result import SearchResult
from core.ml.search import search
from core.ml.trial import train
from core.packaging.pyfunc import SlipwayModel
from core.packaging.write import write_model
from core.predict.combination import Stack, Vote
from core.predict.folder import Predictor, combination_json, load_model
from core.predict.part import bagged

ROWS = 240
DATA = DataAsset("houses", 1, DataSource.FILE, "houses.csv", ROWS, (), "ab" * 32, 1, 0.0)


def houses() -> dict[str, list]:
    rng = np.random.default_rng(5)
    area, town = rng.uniform(30, 200, ROWS).round(1), rng.choice(["Bonn", "Köln", "Ulm"], ROWS)
    price = area * np.where(town == "Ulm", 2000.0, 3000.0) + rng.normal(0, 5000, ROWS)
    return {"area": area.tolist(), "town": town.tolist(), "price": price.round(2).tolist()}


def spec(**changes) -> TrainingSpec:
    return TrainingSpec(DataRef("houses"), "price", **{
        "timeout_s": 60, "task": Task.REGRESSION, "max_trials": 2, "n_cross_validations": 2,
        "enable_early_termination": False,
        "allowed_training_algorithms": (Algorithm.LIGHTGBM, Algorithm.XGBOOST_REGRESSOR), **changes,
    })  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> SearchResult:
    folder = tmp_path_factory.mktemp("regression")
    table = write_table(folder / "houses.parquet", houses())
    found = search(
        table,
        spec(),
        profile_table(table, "price"),
        folder=folder / "trials",
        executor=InProcessExecutor(train),
        clock=time.time,
        on_trial=lambda trial: None,
        should_stop=lambda: False,
    )
    assert found.best.metrics["r2_score"] > 0.9
    return found


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("packaged") / "model"
    write_model(folder, trained, spec=spec(), data=DATA, job_id="j", created_at=0.0)
    return folder


@pytest.fixture(scope="module")
def predictor(model) -> Predictor:
    return load_model(model)


def test_it_answers_a_number_a_row_in_every_form(predictor):
    row = {"area": 100.0, "town": "Ulm"}
    for form, key in (("v1", "result"), ("v2", "Results"), ("mlflow", None)):
        request = Decoder(predictor.signature)(body([row, row], form))
        reply = encode_reply(request, predictor.signature, predictor.probabilities(request.columns))
        found = json.loads(reply)
        first, second = found[key] if key else found
        assert first == second == pytest.approx(200_000, rel=0.1)


def test_it_has_no_probabilities_and_says_so(predictor):
    for form in ("v1", "v2", "mlflow"):
        with pytest.raises(PayloadInvalid) as refused:
            Decoder(predictor.signature)(body([typical_row(predictor.signature)], form, "predict_proba"))
        assert 'expected "predict"' in str(refused.value.details[0])


@pytest.mark.parametrize("version", SUPPORTED)
def test_its_document_is_valid_and_offers_numbers_alone(predictor, version):
    found = document(predictor.signature, title="houses", version=version, limits=EndpointLimits())
    validate(found)
    text = str(found)
    assert "x-classes" not in text
    assert "predict_proba" not in text


def test_mlflow_gets_the_same_numbers(predictor):
    columns = {"area": [100.0, 50.0], "town": ["Ulm", "Bonn"]}
    said = SlipwayModel(predictor).predict(columns)
    assert said == pytest.approx(decide(predictor.signature, predictor.probabilities(list(columns.values()))))


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_number_is_answered_as_it_is(predictor, values):
    assert decide(predictor.signature, np.array(values)[:, None]) == values


@pytest.mark.parametrize(
    ("target", "why"),
    [("town", "no column of numbers"), ("area", "")],
)
def test_only_a_column_of_numbers_can_be_its_target(tmp_path, target, why):
    table = write_table(tmp_path / "houses.parquet", houses())
    profile = profile_table(table, target)
    if not why:
        assert check_target(profile, table, target, Task.REGRESSION).rows == (ROWS,)
        return
    with pytest.raises(TableUnusable, match=why):
        check_target(profile, table, target, Task.REGRESSION)


def test_votes_and_stacks_of_numbers_are_packaged_with_their_proof(tmp_path, trained):
    for at, combination in enumerate((Vote((0.3, 0.7)), Stack((0.4, 0.7), (-1500.0,)))):
        weights = tuple(zip((0, 1), combination.weights, strict=True))
        made = replace(trained, members=weights, combination=combination_json(combination), refitted=())
        write_model(tmp_path / str(at), made, spec=spec(), data=DATA, job_id="j", created_at=0.0)
        one, other = (bagged(bag, MATRIX) for bag in load_model(tmp_path / str(at)).bags)
        shift = combination.bias[0] if isinstance(combination, Stack) else 0.0
        expected = shift + combination.weights[0] * one + combination.weights[1] * other
        assert load_model(tmp_path / str(at)).of_matrix(MATRIX) == pytest.approx(expected)


def test_a_search_for_a_number_makes_a_vote_and_a_stack_that_are_packaged(tmp_path, monkeypatch):
    monkeypatch.setattr(final, "stacked", partial(stacked, sure=-np.inf))  # kept though it does not surely win
    rng, heard = np.random.default_rng(6), dict[str, Trial]()
    area, floor = rng.uniform(30, 200, ROWS), rng.uniform(0, 9, ROWS)
    price = 1000 * area + 40_000 * (floor > 4) * (area > 90) + rng.normal(0, 20_000, ROWS)
    columns = {"area": area.tolist(), "floor": floor.tolist(), "price": price.tolist()}
    table = write_table(tmp_path / "houses.parquet", columns)
    algorithms = (Algorithm.ELASTIC_NET, Algorithm.EXTRA_TREES, Algorithm.RANDOM_FOREST)
    wanted = spec(max_trials=4, allowed_training_algorithms=algorithms)
    found = search(
        table,
        wanted,
        profile_table(table, "price"),
        folder=tmp_path / "trials",
        executor=InProcessExecutor(train),
        clock=time.time,
        on_trial=lambda trial: heard.update({trial.algorithm: trial}),
        should_stop=lambda: False,
    )
    for name in (Algorithm.VOTING_ENSEMBLE, Algorithm.STACK_ENSEMBLE):
        ensemble = read_trial(tmp_path / "trials" / str(heard[name].number))
        assert ensemble.trial.metrics["r2_score"] > 0.7
        members = tuple(zip(ensemble.trial.members, ensemble.weights, strict=True))
        made = replace(found, best=ensemble.trial, members=members, combination=ensemble.combination, refitted=())
        write_model(tmp_path / name, made, spec=wanted, data=DATA, job_id="j", created_at=0.0)
        said = load_model(tmp_path / name).of_matrix(np.array([[60.0, 2.0], [150.0, 8.0]]))
        assert said[:, 0] == pytest.approx([60_000, 190_000], abs=25_000)


MATRIX = np.array([[100.0, 0.0], [50.0, 2.0], [np.nan, 1.0]])
