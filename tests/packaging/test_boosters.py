"""Native boosters that others trained are served as they answer; whatever cannot be is refused in a sentence."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.errors import SpecInvalid
from core.domain.signature import PARITY_LIMIT
from core.packaging.imported import take_over
from core.packaging.mlflow import CODE
from core.predict.folder import load_model

NAMES = ("age", "income", "calls per day")
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(400, 3))
X[RANDOM.random(X.shape) < 0.1] = np.nan
TWO = (np.nan_to_num(X[:, 0]) + 0.3 * np.nan_to_num(X[:, 1]) > 0).astype(int)
THREE = np.clip(np.round(np.nan_to_num(X[:, 0]) + 1), 0, 2).astype(int)


def mlmodel(folder: Path, flavor: str, *, columns=NAMES, kind: str = "double", **options) -> Path:
    """A folder as `mlflow.lightgbm` and `mlflow.xgboost` save it, without the model's own file."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [{"type": kind, "name": name, "required": True} for name in columns]
    signature = {"inputs": json.dumps(inputs), "outputs": '[{"type": "double"}]', "params": None}
    flavors = {flavor: options, "python_function": {"loader_module": f"mlflow.{flavor}", "data": options["data"]}}
    values = {"flavors": flavors, "mlflow_version": "2.22.0", "run_id": "calm_fig_1", "signature": signature}
    (folder / "MLmodel").write_text(yaml.safe_dump(values))
    return folder


def lightgbm_model(labels=TWO, rounds: int = 20, **params) -> lightgbm.Booster:
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, **params}
    return lightgbm.train(params, lightgbm.Dataset(X, labels, feature_name=list(NAMES)), rounds)


def xgboost_model(labels=TWO, rounds: int = 20, **params) -> xgboost.Booster:
    params = {"objective": "binary:logistic", "nthread": 1, "max_depth": 4, **params}
    return xgboost.train(params, xgboost.DMatrix(X, labels, feature_names=list(NAMES)), rounds)


def of_lightgbm(folder: Path, booster: lightgbm.Booster, **how) -> Path:
    mlmodel(folder, "lightgbm", **{"data": "model.lgb", "model_class": "lightgbm.basic.Booster", **how})
    booster.save_model(folder / "model.lgb")
    return folder


def of_xgboost(folder: Path, booster: xgboost.Booster, form: str = "json", **how) -> Path:
    name = f"model.{form}"
    mlmodel(folder, "xgboost", **{"data": name, "model_class": "xgboost.core.Booster", "model_format": form, **how})
    booster.save_model(folder / name)
    return folder


def answers(folder: Path, columns=NAMES) -> np.ndarray:
    """What the imported model says of X."""
    staged = folder.with_name("staged")
    take_over(folder, staged)
    predictor = load_model(staged)
    assert [column.name for column in predictor.signature.used] == list(columns)
    values = [[None if np.isnan(x) else float(x) for x in X[:, at]] for at in range(X.shape[1])]
    return predictor.probabilities(values)


def both(own: np.ndarray) -> np.ndarray:
    return own if own.ndim == 2 else np.column_stack((1 - own, own))


@pytest.mark.parametrize(
    ("labels", "params"),
    [
        (TWO, {}),
        (TWO, {"sigmoid": 0.7, "objective": "binary"}),
        (TWO, {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1}),
        (TWO, {"objective": "cross_entropy"}),
        (TWO, {"use_missing": False}),
        (THREE, {"objective": "multiclass", "num_class": 3}),
    ],
)
def test_a_lightgbm_model_answers_as_lightgbm_does(tmp_path: Path, labels, params):
    booster = lightgbm_model(labels, **params)
    assert np.abs(answers(of_lightgbm(tmp_path / "m", booster)) - both(booster.predict(X))).max() <= PARITY_LIMIT


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize(
    ("labels", "params"),
    [
        (TWO, {}),
        (TWO, {"base_score": 0.3}),
        (TWO, {"num_parallel_tree": 3, "subsample": 0.7, "eta": 1 / 3}),
        (THREE, {"objective": "multi:softprob", "num_class": 3}),
    ],
)
def test_an_xgboost_model_answers_as_xgboost_does(tmp_path: Path, labels, params, form: str):
    booster = xgboost_model(labels, **params)
    own = booster.predict(xgboost.DMatrix(X, feature_names=list(NAMES)))
    assert np.abs(answers(of_xgboost(tmp_path / "m", booster, form)) - both(own)).max() <= PARITY_LIMIT


def test_an_xgboost_classifier_answers_with_its_best_rounds(tmp_path: Path):
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=3, n_jobs=1, learning_rate=0.6)
    model.fit(X[:300], THREE[:300], eval_set=[(X[300:], THREE[300:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    folder = of_xgboost(tmp_path / "m", model.get_booster(), model_class="xgboost.sklearn.XGBClassifier")
    assert np.abs(answers(folder) - model.predict_proba(X)).max() <= PARITY_LIMIT


def test_the_folder_that_is_written_is_complete_and_the_same_every_time(tmp_path: Path):
    folder = of_xgboost(tmp_path / "m", xgboost_model(), "ubj")
    first, second = take_over(folder, tmp_path / "one"), take_over(folder, tmp_path / "two")
    assert first.digest == second.digest
    assert first.card["algorithm"] == "XGBoostClassifier"
    assert first.card["job_id"] == "calm_fig_1"
    assert (tmp_path / "one/native/xgboost.ubj").read_bytes() == (folder / "model.ubj").read_bytes()
    assert all((tmp_path / "one/code/core" / room).is_dir() for room in CODE)


def test_columns_are_matched_by_name_whatever_their_order_in_the_signature(tmp_path: Path):
    booster = lightgbm_model()
    folder = of_lightgbm(tmp_path / "m", booster, columns=NAMES[::-1])
    assert np.abs(answers(folder) - both(booster.predict(X))).max() <= PARITY_LIMIT


def test_without_a_signature_the_booster_names_its_columns(tmp_path: Path):
    booster = xgboost_model()
    folder = of_xgboost(tmp_path / "m", booster)
    values = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump({**values, "signature": None}))
    answers(folder)


def categorical_frame(letter: str = "e") -> tuple[pd.DataFrame, np.ndarray]:
    """A column of numbers, one of text with holes and one of categories by number."""
    random = np.random.default_rng(5)
    jobs, kinds = random.choice(["admin", f"blue, or {letter}", 'the "q"'], 400), random.integers(0, 5, 400)
    frame = pd.DataFrame({"age": random.normal(size=400), "job": pd.Categorical(jobs), "kind": pd.Categorical(kinds)})
    frame.loc[random.random(400) < 0.1, "job"] = None
    labels = (frame["age"] > 0) ^ (frame["job"] == "admin").to_numpy() ^ (kinds == 3)
    return frame, labels.to_numpy().astype(int)


def frame_signature(folder: Path, flavor: str, **options) -> Path:
    mlmodel(folder, flavor, columns=("age", "job", "kind"), **options)
    values = yaml.safe_load((folder / "MLmodel").read_text())
    inputs = values["signature"]["inputs"].replace('"double", "name": "job"', '"string", "name": "job"')
    (folder / "MLmodel").write_text(yaml.safe_dump({**values, "signature": {**values["signature"], "inputs": inputs}}))
    return folder


def frame_answers(folder: Path, frame: pd.DataFrame) -> np.ndarray:
    staged = folder.with_name("staged")
    take_over(folder, staged)
    return load_model(staged).probabilities([
        frame["age"].tolist(), [None if pd.isna(job) else job for job in frame["job"]], frame["kind"].tolist()
    ])  # fmt: skip


def test_text_that_lightgbm_knows_as_categories_is_served_as_text(tmp_path: Path):
    frame, labels = categorical_frame("é")
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5, "cat_smooth": 1.0}
    booster = lightgbm.train(params, lightgbm.Dataset(frame, labels, params={"verbosity": -1}), 15)
    folder = frame_signature(tmp_path / "m", "lightgbm", data="model.lgb")
    booster.save_model(folder / "model.lgb")
    assert np.abs(frame_answers(folder, frame) - both(booster.predict(frame))).max() <= PARITY_LIMIT


@pytest.mark.parametrize("form", ["json", "ubj"])
def test_text_that_xgboost_knows_as_categories_is_served_as_text(tmp_path: Path, form: str):
    frame, labels = categorical_frame()
    matrix = xgboost.DMatrix(frame, labels, enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 4}, matrix, 15)
    folder = frame_signature(tmp_path / "m", "xgboost", data=f"model.{form}")
    booster.save_model(folder / f"model.{form}")
    assert np.abs(frame_answers(folder, frame) - both(booster.predict(matrix))).max() <= PARITY_LIMIT


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_categories_without_names_are_the_numbers_that_are_sent(tmp_path: Path, library: str):
    levels = np.where(np.isnan(X), np.nan, np.clip(np.round(np.abs(X) * 4), 0, 9))
    if library == "lightgbm":
        params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
        told = {"categorical_feature": [0, 1], "params": {"verbosity": -1}, "feature_name": list(NAMES)}
        booster = lightgbm.train(params, lightgbm.Dataset(levels, TWO, **told), 15)
        own, folder = booster.predict(X), of_lightgbm(tmp_path / "m", booster)
    else:
        told = {"feature_types": ["c", "c", "q"], "enable_categorical": True, "feature_names": list(NAMES)}
        booster = xgboost.train(
            {"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(levels, TWO, **told), 15
        )
        own, folder = booster.predict(xgboost.DMatrix(X, **told)), of_xgboost(tmp_path / "m", booster)
    assert np.abs(answers(folder) - both(own)).max() <= PARITY_LIMIT


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_categories_that_are_numbers_of_their_own_are_refused(tmp_path: Path, library: str):
    frame, labels = categorical_frame()
    frame["kind"] = pd.Categorical(frame["kind"].astype(int) * 7 + 3)
    if library == "lightgbm":
        booster = lightgbm.train({"objective": "binary", "verbosity": -1}, lightgbm.Dataset(frame, labels), 2)
    else:
        matrix = xgboost.DMatrix(frame, labels, enable_categorical=True)
        booster = xgboost.train({"objective": "binary:logistic"}, matrix, 2)
    folder = frame_signature(tmp_path / "m", library, data="model.json")
    booster.save_model(folder / "model.json")
    with pytest.raises(SpecInvalid, match="The categories of its feature 2 are numbers of their own, as 3"):
        take_over(folder, tmp_path / "staged")


def test_names_of_levels_that_xgboost_cuts_are_refused(tmp_path: Path):
    frame, labels = categorical_frame("é")
    matrix = xgboost.DMatrix(frame, labels, enable_categorical=True)
    folder = frame_signature(tmp_path / "m", "xgboost", data="model.json")
    xgboost.train({"objective": "binary:logistic"}, matrix, 2).save_model(folder / "model.json")
    with pytest.raises(SpecInvalid, match="other letters than ASCII's"):
        take_over(folder, tmp_path / "staged")


def test_few_bytes_cannot_ask_for_vast_sets(tmp_path: Path):
    frame, labels = categorical_frame()
    matrix = xgboost.DMatrix(frame, labels, enable_categorical=True)
    folder = frame_signature(tmp_path / "m", "xgboost", data="model.json")
    xgboost.train({"objective": "binary:logistic"}, matrix, 3).save_model(folder / "model.json")
    document = json.loads((folder / "model.json").read_text())
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        tree["categories"] = [2**31 for _ in tree["categories"]]
    (folder / "model.json").write_text(json.dumps(document))
    with pytest.raises(SpecInvalid, match="more than are read here"):
        take_over(folder, tmp_path / "staged")


def _other(flavor: str, **options) -> Callable[[Path], Path]:
    return lambda folder: mlmodel(folder, flavor, **options)


def _binary(folder: Path) -> Path:
    mlmodel(folder, "xgboost", data="model.xgb")
    (folder / "model.xgb").write_bytes(b"binf\x00\x00")
    return folder


def _pickled(folder: Path) -> Path:
    mlmodel(folder, "lightgbm", data="model.pkl", model_class="lightgbm.sklearn.LGBMClassifier")
    (folder / "model.pkl").write_bytes(b"\x80\x04.")
    return folder


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: of_lightgbm(f, lightgbm_model(objective="regression")), "objective is 'regression'"),
        (lambda f: of_lightgbm(f, lightgbm_model(THREE, objective="multiclassova", num_class=3)), "multiclassova"),
        (lambda f: of_lightgbm(f, lightgbm_model(linear_tree=True)), "linear models as leaves"),
        (lambda f: of_lightgbm(f, lightgbm_model(zero_as_missing=True)), "take 0 as missing"),
        (lambda f: of_xgboost(f, xgboost_model(objective="reg:squarederror")), "objective is 'reg:squarederror'"),
        (lambda f: of_xgboost(f, xgboost_model(objective="rank:pairwise")), "objective is 'rank:pairwise'"),
        (lambda f: of_xgboost(f, xgboost_model(booster="dart")), "booster is dart"),
        (lambda f: of_xgboost(f, xgboost_model(booster="gblinear", max_depth=None)), "booster is gblinear"),
        (lambda f: of_xgboost(f, xgboost_model(), columns=("age", "income")), "2 columns and its booster 3 features"),
        (lambda f: of_xgboost(f, xgboost_model(), columns=("age", "income", "x")), "'calls_per_day' is not in both"),
        (lambda f: of_xgboost(f, xgboost_model(), kind="string"), "'age' is text"),
        (lambda f: of_xgboost(f, xgboost_model(), kind="datetime"), "type 'datetime'"),
        (_other("sklearn", data="elsewhere.bin"), "not a model folder"),
        (_other("xgboost", data="../MLmodel"), "is not in the folder"),
        (_other("xgboost", data="model.json"), "there is no model.json"),
        (_binary, "older binary form"),
        (_pickled, "is a pickle"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(tmp_path: Path, make: Callable[[Path], Path], said: str):
    with pytest.raises(SpecInvalid, match=said):
        take_over(make(tmp_path / "m"), tmp_path / "staged")


def test_a_pickle_is_refused_with_the_way_to_train_without_one(tmp_path: Path):
    with pytest.raises(SpecInvalid) as caught:
        take_over(_pickled(tmp_path / "m"), tmp_path / "staged")
    assert "job.set_training(enable_onnx_compatible_models=True)" in caught.value.hint


@dataclass(frozen=True)
class Sound:
    folder: Path
    file: Path
    content: bytes


@pytest.fixture(scope="module", params=["lightgbm", "json", "ubj"])
def sound(request, tmp_path_factory) -> Sound:
    folder = tmp_path_factory.mktemp("sound") / "m"
    if request.param == "lightgbm":
        of_lightgbm(folder, lightgbm_model(rounds=2))
        file = folder / "model.lgb"
    else:
        of_xgboost(folder, xgboost_model(rounds=2), request.param)
        file = folder / f"model.{request.param}"
    return Sound(folder, file, file.read_bytes())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_served_or_refused_and_never_a_traceback(sound: Sound, tmp_path_factory, data):
    content = bytearray(sound.content)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    sound.file.write_bytes(bytes(content)[: data.draw(st.integers(0, len(content)))])
    with suppress(SpecInvalid):
        take_over(sound.folder, tmp_path_factory.mktemp("damaged") / "staged")
