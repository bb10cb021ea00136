"""What a model folder points at exists, or it is refused with a sentence: no cell of another row is ever read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.contract.signature import to_json
from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.domain.signature import Column, Signature
from core.predict.encoder import ColumnCode, Encoder
from core.predict.folder import load_model, part_arrays, part_json
from core.predict.members import Forest, Linear
from core.predict.part import Part

SIGNATURE = Signature(
    (
        Column("age", ColumnKind.INTEGER, False, typical=40, low=18, high=90),
        Column("job", ColumnKind.STRING, True, ("admin", "nurse"), True, "admin"),
    ),
    "answer",
    ("no", "yes"),
    "yes",
)
FOREST = Forest(
    roots=np.array([0], np.int32),
    feature=np.array([0, 1, 0, 0, 0], np.int32),
    threshold=np.array([40.0, 0.5, 0, 0, 0]),
    left=np.array([1, 2, 2, 3, 4], np.int32),
    right=np.array([4, 3, 2, 3, 4], np.int32),
    default_left=np.array([True, True, False, False, False]),
    value=np.array([0, 0, -1.0, 1.0, 2.0]),
    output=np.array([0], np.int32),
    base=np.zeros(1),
    fill=np.zeros(0),
)
LINEAR = Linear(
    numeric=np.array([0], np.int32),
    center=np.array([40.0]),
    scale=np.array([10.0]),
    coef=np.array([[1.0]]),
    absent=np.zeros((1, 1)),
    text=np.array([1], np.int32),
    start=np.array([0], np.int32),
    size=np.array([2], np.int32),
    table=np.array([[0.0], [1.0], [0.5]]),
    intercept=np.zeros(1),
)
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    codes = [ColumnCode("age", ColumnKind.INTEGER, fill=40.0), ColumnCode("job", ColumnKind.STRING, ("admin", "nurse"))]
    members = [part_json(Part(FOREST, 0.5), "f_"), part_json(Part(LINEAR, 0.5), "l_")]
    model = {"format": 1, "encoder": Encoder(codes).to_json(), "members": members, "info": {}}
    (tmp_path / "signature.json").write_text(json.dumps(to_json(SIGNATURE)))
    (tmp_path / "model.json").write_text(json.dumps(model))
    np.savez(tmp_path / "arrays.npz", **part_arrays(Part(FOREST), "f_"), **part_arrays(Part(LINEAR), "l_"))
    return tmp_path


def change_array(folder: Path, name: str, change: Any) -> None:
    with np.load(folder / "arrays.npz") as found:
        arrays = dict(found)
    arrays[name] = change(arrays[name])
    np.savez(folder / "arrays.npz", **arrays)


def put(at: int, value: float) -> Any:
    def change(array: np.ndarray) -> np.ndarray:
        array[at] = value
        return array

    return change


def test_a_model_whose_parts_fit_is_loaded(folder: Path) -> None:
    assert load_model(folder).probabilities([[30, 50], ["nurse", None]]).shape == (2, 2)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("f_feature", put(1, 2), r"a tree asks for column 2, and there are 2 \(counted from 0\)"),
        ("f_feature", put(3, 1000), "a tree asks for column 1000"),
        ("f_feature", put(0, -1), "a feature is negative"),
        ("f_left", put(0, 5), "a child or root is no node"),
        ("f_right", put(0, -1), "a child or root is no node"),
        ("f_left", put(1, 0), "its nodes form no trees"),
        ("f_right", put(2, 4), "a leaf has a child"),
        ("f_roots", put(0, 5), "a child or root is no node"),
        ("f_output", put(0, 1), "an output is out of range"),
        ("f_value", lambda values: np.tile(values[:, None], (1, 3)), "its leaves hold other than a number for each"),
        ("f_value", put(4, NAN), "a leaf of a tree holds no finite number"),
        ("f_base", put(0, INF), "a leaf of a tree holds no finite number"),
        ("f_threshold", put(1, NAN), "a threshold is no number"),
        ("f_fill", lambda _: np.zeros(1), "its trees fill 1 columns, and there are 2"),
        ("f_feature", lambda values: values.astype(float), "its arrays are of other types"),
        ("f_default_left", lambda values: values.astype(int), "its arrays are of other types"),
        ("f_threshold", lambda values: values[:, None], "its arrays are of other types"),
        ("l_numeric", put(0, 2), "a linear model asks for a column beyond the 2"),
        ("l_numeric", put(0, -1), "a linear model asks for a column beyond the 2"),
        ("l_text", put(0, 7), "a linear model asks for a column beyond the 2"),
        ("l_text", put(0, 0), "looks up 'age' as text, which it is not"),
        ("l_size", put(0, 1), "has 1 places for the 2 levels of 'job'"),
        ("l_size", put(0, 3), "do not fit together"),
        ("l_start", put(0, -1), "do not fit together"),
        ("l_table", put(1, NAN), "holds no finite number"),
        ("l_scale", put(0, 0.0), "or a scale of 0"),
        ("l_text", lambda values: values.astype(float), "do not fit together"),
    ],
)
def test_arrays_that_point_nowhere_are_refused_with_a_sentence(folder, name, change, problem) -> None:
    change_array(folder, name, change)
    with pytest.raises(ModelUnreadable, match=problem) as refused:
        load_model(folder)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"prefix": "l_", "weight": 0.5', '"prefix": "l_", "weight": 0.7', "do not add up to 1"),
        ('"prefix": "l_", "weight": 0.5', '"prefix": "l_", "weight": NaN', "a member's weight"),
        ('"scale": 1.0', '"scale": Infinity', "its scale is no finite number"),
        ('"fill": 40.0', '"fill": Infinity', "what stands for a missing 'age'"),
        ('"scale": 1.0', '"scale": "one"', "damaged"),
    ],
)
def test_numbers_that_are_none_are_refused_with_a_sentence(folder, old, new, problem) -> None:
    text = (folder / "model.json").read_text()
    assert old in text
    (folder / "model.json").write_text(text.replace(old, new))
    with pytest.raises(ModelUnreadable, match=problem):
        load_model(folder)


@pytest.mark.parametrize("seed", range(60))
def test_a_forest_with_random_indices_is_refused_or_answers_each_row_by_itself(folder, seed) -> None:
    random = np.random.default_rng(seed)
    name = random.choice(["f_feature", "f_left", "f_right", "f_roots", "f_output", "l_numeric", "l_text", "l_start"])
    change_array(folder, name, lambda values: put(random.integers(len(values)), random.integers(-2, 7))(values))
    try:
        predictor = load_model(folder)
    except ModelUnreadable:
        return
    rows = [[30, 50, 70], ["nurse", None, "admin"]]
    together = predictor.probabilities(rows)
    alone = [predictor.probabilities([[age], [job]])[0] for age, job in zip(*rows, strict=True)]
    assert together == pytest.approx(np.array(alone), abs=1e-12)
