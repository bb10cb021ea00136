import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.contract.signature import to_json
from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable
from core.domain.signature import Column, Signature
from core.predict.encoder import ColumnCode, Encoder
from core.predict.folder import load_model, part_arrays, part_json
from core.predict.members import Linear
from core.predict.part import Part

SIGNATURE = Signature(
    (
        Column("age", ColumnKind.INTEGER, False, typical=40, low=18, high=90),
        Column("id", ColumnKind.STRING, False, used=False),
        Column("job", ColumnKind.STRING, True, ("admin", "nurse"), True, "admin"),
    ),
    "answer",
    ("no", "yes"),
    "yes",
)


def older(weight: float) -> Linear:
    """Yes from 40 on, and for nurses."""
    return Linear(
        numeric=np.array([0], np.int32),
        center=np.array([40.0]),
        scale=np.array([10.0]),
        coef=np.array([[weight]]),
        absent=np.zeros((1, 1)),
        text=np.array([1], np.int32),
        start=np.array([0], np.int32),
        size=np.array([2], np.int32),
        table=np.array([[0.0], [1.0], [0.0]]),
        intercept=np.zeros(1),
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    codes = [ColumnCode("age", ColumnKind.INTEGER), ColumnCode("job", ColumnKind.STRING, ("admin", "nurse"))]
    members = {"a_": (0.25, older(1.0)), "b_": (0.75, older(3.0))}
    described = [part_json(Part(member, weight), prefix) for prefix, (weight, member) in members.items()]
    model = {"format": 1, "encoder": Encoder(codes).to_json(), "members": described, "info": {"algorithm": "Vote"}}
    (tmp_path / "signature.json").write_text(json.dumps(to_json(SIGNATURE)))
    (tmp_path / "model.json").write_text(json.dumps(model))
    arrays = {
        name: a for prefix, (_, member) in members.items() for name, a in part_arrays(Part(member), prefix).items()
    }
    np.savez(tmp_path / "arrays.npz", **arrays)
    return tmp_path


def change_model(folder: Path, **changes) -> None:
    model = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(model | changes))


def test_a_model_answers_with_the_weighted_mean_of_its_members(folder):
    predictor = load_model(folder)
    answers = predictor.probabilities([[40, 50], ["nurse", None]])
    one, three, four = (1 / (1 + np.exp(-m)) for m in (1.0, 3.0, 1.0))
    assert answers[:, 1] == pytest.approx([0.25 * one + 0.75 * four, 0.25 * one + 0.75 * three])
    assert answers.sum(axis=1) == pytest.approx([1, 1])
    assert predictor.info["algorithm"] == "Vote"


def test_labels_are_the_most_probable_class_or_follow_the_threshold(folder):
    predictor = load_model(folder)
    answers = np.array([[0.6, 0.4], [0.2, 0.8]])
    assert predictor.labels(answers) == ["no", "yes"]
    (folder / "signature.json").write_text(json.dumps(to_json(SIGNATURE) | {"threshold": 0.3}))
    assert load_model(folder).labels(answers) == ["yes", "yes"]


@pytest.mark.parametrize("name", ["signature.json", "model.json", "arrays.npz"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelUnreadable, match=name):
        load_model(folder)


@pytest.mark.parametrize("name", ["signature.json", "model.json", "arrays.npz"])
def test_a_torn_file_is_named(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelUnreadable, match=name):
        load_model(folder)


def test_a_model_of_a_newer_format_says_what_it_found(folder):
    change_model(folder, format=3)
    with pytest.raises(ModelUnreadable, match="format 3, expected 2"):
        load_model(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"members": []},
        {"members": [{"kind": "forest"}]},
        {"members": [{"kind": "oracle", "prefix": "a_", "weight": 1.0, "meta": {}}]},
        {"encoder": [{"name": "age", "kind": "integer"}]},
    ],
)
def test_parts_that_do_not_belong_together_are_refused_at_load(folder, changes):
    change_model(folder, **changes)
    with pytest.raises(ModelUnreadable):
        load_model(folder)


def test_another_number_of_classes_than_the_signature_says_is_refused(folder):
    (folder / "signature.json").write_text(json.dumps(to_json(SIGNATURE) | {"classes": ["a", "b", "c"]}))
    with pytest.raises(ModelUnreadable, match="classes"):
        load_model(folder)


def test_pickled_arrays_are_refused(folder):
    np.savez(folder / "arrays.npz", a_numeric=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ModelUnreadable, match=r"arrays\.npz"):
        load_model(folder)


def test_predicting_loads_no_learner_and_no_frame_library(folder):
    code = (
        "import sys; from pathlib import Path; from core.predict.folder import load_model; "
        f"load_model(Path({str(folder)!r})).probabilities([[40], ['nurse']]); "
        "print(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "pyarrow", "duckdb", "scipy", "sklearn", "lightgbm", "xgboost", "streamlit", "azure"}
    assert not heavy & set(json.loads(done.stdout.replace("'", '"')))
