"""The model folder: complete, exact, and readable without anything that made it."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from tables import customers, write_table

from core.contract import samples
from core.domain.data import DataAsset, DataRef, DataSource
from core.domain.errors import ModelUnreadable, TrainingFailed
from core.domain.training import Algorithm, TrainingSpec
from core.ml.data.profile import profile_table
from core.ml.drift.reference import Reference
from core.ml.executor import InProcessExecutor
from core.ml.finished import read_trial
from core.ml.learners.registry import LEARNERS
from core.ml.search import SearchResult, search
from core.ml.trial import train
from core.packaging.pyfunc import _load_pyfunc
from core.packaging.write import write_model
from core.predict.folder import load_model

CREATED_AT = 1_700_000_000.0
ASSET = DataAsset("customers", 3, DataSource.FILE, "somewhere/customers.csv", 300, ("age",), "ab" * 32, 9, 0.0)


def found(folder: Path, columns, *, trials: int = 4, **options) -> tuple[SearchResult, TrainingSpec]:
    """A real search over these columns, a few trials long."""
    table = write_table(folder / "table.parquet", columns)
    spec = TrainingSpec(
        DataRef("customers"), "answer", timeout_s=120, max_trials=trials, **{"n_cross_validations": 2, **options}
    )
    result = search(
        table,
        spec,
        profile_table(table, "answer"),
        folder=folder / "trials",
        executor=InProcessExecutor(train),
        clock=lambda: CREATED_AT,
        on_trial=lambda trial: None,
        should_stop=lambda: False,
    )
    return result, spec


def write(folder: Path, result: SearchResult, spec: TrainingSpec) -> Path:
    write_model(folder / "model", result, spec=spec, data=ASSET, job_id="job-1", created_at=CREATED_AT)
    return folder / "model"


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A vote of every kind of learner, whatever the search itself would have chosen."""
    result, spec = found(tmp_path_factory.mktemp("searched"), customers(300), trials=5)
    return replace(result, members=((0, 0.3), (1, 0.3), (2, 0.2), (4, 0.2))), spec


@pytest.fixture(scope="module")
def model(searched, tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("written"), *searched)


def parity(model: Path) -> tuple[dict, np.ndarray]:
    with np.load(model / "parity.npz", allow_pickle=False) as kept:
        return json.loads(kept["body"].tobytes()), kept["probabilities"]


def test_the_folder_tells_what_the_training_data_was_like_in_counts(searched, tmp_path):
    result, spec = searched
    folder = write(tmp_path, result, spec)
    written = (folder / "reference.json").read_bytes()
    told = Reference.from_json(json.loads(written))
    assert [column.name for column in told.columns] == [column.name for column in result.signature.used]
    assert {column.rows for column in told.columns} == {told.rows}
    assert told.score is not None
    assert told.score.rows == len(read_trial(result.folder / str(result.best.number)).oof())
    assert sum(told.importance.values()) == pytest.approx(1.0)
    assert len(written) < 60_000


def test_a_model_folder_holds_all_that_is_promised(model):
    names = {
        "signature.json",
        "model.json",
        "arrays.npz",
        "card.json",
        "MODEL_CARD.md",
        "parity.npz",
        "requirements.txt",
        "MLmodel",
    }
    assert names <= {path.name for path in model.iterdir()}
    assert not [path for path in model.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]


def test_the_folder_answers_its_parity_rows_as_the_learners_did(model):
    body, own = parity(model)
    assert set(body) == {"data"}
    assert own.shape == (500, 2)
    predictor = load_model(model)
    served = predictor.probabilities(samples.batch(predictor.signature, body["data"]))
    assert np.abs(served - own).max() <= 1e-6


def test_the_boosters_native_files_are_kept(searched, model):
    assert {path.name for path in (model / "native").iterdir()} >= {
        "0-0-lightgbm.txt", "0-1-lightgbm.txt", "2-0-xgboost.json", "2-1-xgboost.json"
    }  # fmt: skip
    for path in (model / "native").iterdir():
        assert path.read_text().startswith("tree\n") if path.suffix == ".txt" else json.loads(path.read_text())


def test_the_card_says_where_the_model_comes_from(searched, model):
    result, spec = searched
    card = json.loads((model / "card.json").read_text())
    assert card["metrics"] == dict(result.best.metrics)
    assert card["data"] == {"name": "customers", "version": 3, "sha256": "ab" * 32, "source": "file", "rows": 300}
    assert card["job_id"] == "job-1"
    assert card["dropped"] == ["customer"]
    assert card["excluded"] == []
    assert sum(member["weight"] for member in card["members"]) == pytest.approx(1)
    assert {g["name"] for g in card["guardrails"]} == {g.name for g in result.guardrails}
    assert card["seed"] == spec.seed
    assert load_model(model).info["algorithm"] == result.best.algorithm


def test_the_card_reads_as_plain_text(searched, model):
    result, _ = searched
    text = (model / "MODEL_CARD.md").read_text()
    assert text.startswith("# customers\n\nPredicts `answer` (`no`, `yes`) from ")
    assert f"| AUC (`AUC_weighted`) | {result.best.metrics['AUC_weighted']:.4f} |" in text
    assert "| 0 | LightGBM | 0.300 |" in text
    assert "version 3 of `customers` (300 rows" in text
    assert all(guardrail.detail.replace("|", "\\|") in text for guardrail in result.guardrails)
    assert "lightgbm 4." in text
    assert "{" not in text


def test_the_card_says_that_class_weights_have_moved_the_probabilities(searched, model, tmp_path):
    result, spec = searched
    weighed = write(tmp_path, result, replace(spec, class_weights={"yes": 3.0}))
    assert "towards the classes that weigh more" in (weighed / "MODEL_CARD.md").read_text()
    assert json.loads((weighed / "card.json").read_text())["class_weights"] == {"yes": 3.0}
    assert "class weights" not in (model / "MODEL_CARD.md").read_text()


def changed(searched, folder: Path, **changes) -> Path:
    result, spec = searched
    return write(folder, replace(result, **changes), spec)


@pytest.mark.parametrize(
    "combination",
    [
        {
            "kind": "vote",
            "meta": {"weights": [0.3, 0.3, 0.2, 0.2], "calibration": {"slope": 1.4, "bias": [0.1, -0.1]}},
        },
        {"kind": "stack", "meta": {"weights": [0.5, 0.1, 0.0, 0.7], "bias": [0.0, 0.2]}},
    ],
    ids=["a calibrated vote", "a stack"],
)
def test_a_combination_answers_as_the_learners_would_be_combined(searched, model, tmp_path, combination):
    written = changed(searched, tmp_path, combination=combination)
    body, own = parity(written)
    served = load_model(written).probabilities(samples.batch(load_model(written).signature, body["data"]))
    assert np.abs(served - own).max() <= 1e-6
    assert np.abs(own - parity(model)[1]).max() > 1e-3
    assert json.loads((written / "card.json").read_text())["combination"] == combination


def test_a_threshold_decides_in_every_way_of_asking_the_folder(searched, tmp_path):
    signature = replace(searched[0].signature, threshold=0.3)
    written = changed(searched, tmp_path, signature=signature)
    predictor, body = load_model(written), parity(written)[0]
    columns = samples.batch(predictor.signature, body["data"])
    chances = predictor.probabilities(columns)
    expected = ["yes" if p >= 0.3 else "no" for p in chances[:, 1]]
    assert expected != [predictor.signature.classes[i] for i in chances.argmax(axis=1)]
    assert predictor.labels(chances) == expected
    frame = {c.name: values for c, values in zip(predictor.signature.used, columns, strict=True)}
    assert _load_pyfunc(str(written)).predict(frame).tolist() == expected
    card = (written / "MODEL_CARD.md").read_text()
    assert "from a probability of 0.3 up" in card
    assert "the most probable class is taken for the answer" in card
    assert json.loads((written / "card.json").read_text())["threshold"] == 0.3


def test_no_row_of_the_table_is_in_the_folder(model):
    secrets = {f"c-{i:05d}" for i in range(300)}
    for path in model.rglob("*"):
        if path.is_file():
            assert not any(secret.encode() in path.read_bytes() for secret in list(secrets)[:20])


def test_nobody_else_may_look_into_the_folder(model):
    assert model.stat().st_mode & 0o077 == 0


def test_the_folder_is_small(model):
    assert sum(path.stat().st_size for path in model.rglob("*")) < 2_000_000


def test_a_model_that_does_not_answer_as_trained_gets_no_folder(searched, tmp_path):
    result, spec = searched
    broken = tmp_path / "trials"
    for number, _ in result.members:
        (broken / str(number)).mkdir(parents=True)
        for path in (result.folder / str(number)).iterdir():
            if path.is_file():
                (broken / str(number) / path.name).write_bytes(path.read_bytes())
        kept = np.load(broken / str(number) / "parity.npy")
        np.save(broken / str(number) / "parity.npy", kept[::-1])
    with pytest.raises(TrainingFailed, match="apart from the trained one"):
        write(tmp_path, replace(result, folder=broken), spec)
    assert not list(tmp_path.glob("*model*"))


def test_writing_again_replaces_the_folder(searched, tmp_path):
    model = write(tmp_path, *searched)
    (model / "arrays.npz").write_bytes(b"torn")
    with pytest.raises(ModelUnreadable):
        load_model(model)
    write(tmp_path, *searched)
    assert load_model(model).signature == searched[0].signature
    assert os.listdir(tmp_path) == ["model"]


def test_requirements_are_pinned_and_no_more_than_the_code_imports(model):
    pinned = dict(line.split("==") for line in (model / "requirements.txt").read_text().split())
    assert set(pinned) == {"numpy", "msgspec"}
    imported = set()
    for path in (model / "code").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"core", "numpy", "msgspec"}


def test_mlflows_file_names_a_loader_that_works_from_the_folder_alone(model, tmp_path):
    flavor = yaml.safe_load((model / "MLmodel").read_text())["flavors"]["python_function"]
    body, own = parity(model)
    (tmp_path / "rows.json").write_text(
        json.dumps({name: [row[name] for row in body["data"]] for name in body["data"][0]})
    )
    code = (
        "import sys, json, importlib\n"
        f"sys.path.insert(0, {str(model / flavor['code'])!r})\n"
        f"model = importlib.import_module({flavor['loader_module']!r})._load_pyfunc({str(model)!r})\n"
        "columns = json.load(open('rows.json'))\n"
        "print(json.dumps([model.predict(columns).tolist(), "
        "model.predict(columns, {'method': 'predict_proba'}).tolist()]))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    labels, probabilities = json.loads(ran.stdout)
    assert np.abs(np.array(probabilities) - own).max() <= 1e-6
    assert labels == [("no", "yes")[at] for at in own.argmax(axis=1)]


def test_mlflows_signature_types_every_column_that_is_read(model):
    signature = yaml.safe_load((model / "MLmodel").read_text())["signature"]
    inputs = {column["name"]: (column["type"], column["required"]) for column in json.loads(signature["inputs"])}
    assert inputs == {
        "age": ("long", True), "job": ("string", True), "balance": ("double", False), "member": ("boolean", True)
    }  # fmt: skip


DATES = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(120)]
AWKWARD = {
    "boolean target": {"answer": [i % 3 == 0 for i in range(120)]},
    "integer target": {"answer": [i % 3 * 5 for i in range(120)]},
    "a class with one row": {"answer": ["rare"] + ["a", "b"] * 59 + ["a"]},
    "a hundred classes": {"answer": [f"k{i % 100}" for i in range(120)]},
    "holes in the target": {"answer": [None if i % 7 == 0 else "ab"[i % 2] for i in range(120)]},
    "holes in integers": {"age": [None if i % 5 == 0 else i % 13 for i in range(120)]},
    "holes in flags": {"member": [None if i % 4 == 0 else i % 3 == 0 for i in range(120)]},
    "dates as text": {"when": DATES},
    "text with many levels": {"word": [f"w{i * 7 % 90}" for i in range(120)]},
    "infinite numbers": {"balance": [float("inf") if i == 3 else float(i) for i in range(120)]},
    "huge numbers": {"balance": [1e300 if i == 3 else float(i) for i in range(120)]},
    "odd names": {
        'a "b"; DROP': list(range(60)) * 2,
        "ünï": ["é", "ß"] * 60,
        "A": [0.5, 1.5] * 60,
        "a": [1, 2, 3] * 40,
    },
}


@pytest.mark.filterwarnings("ignore:The number of unique classes is greater")  # a hundred of them in 120 rows
@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD.keys())
def test_an_awkward_table_becomes_an_exact_model(tmp_path, changes, request):
    many = "hundred" in request.node.name  # a booster grows a tree a class and round
    options = {"allowed_training_algorithms": (Algorithm.EXTRA_TREES,), "trials": 1} if many else {"trials": 3}
    result, spec = found(tmp_path, customers(120) | changes, **options)
    predictor = load_model(write(tmp_path, result, spec))
    classes = predictor.signature.classes
    assert [type(c) for c in classes] == [type(classes[0])] * len(classes)
    answers = predictor.probabilities(samples.batch(result.signature, samples.rows(result.signature, 20, 1)))
    assert answers.sum(axis=1) == pytest.approx(np.ones(20))


@pytest.mark.parametrize("algorithm", [a for a in (Algorithm.CATBOOST, Algorithm.NEURAL_NETWORK) if a in LEARNERS])
def test_a_model_with_columns_of_its_learners_own_making_is_exact(tmp_path, algorithm):
    table = customers(300) | {"word": [f"w{i * 7 % 40}" if i % 9 else None for i in range(300)]}
    result, spec = found(tmp_path, table, trials=1, allowed_training_algorithms=(algorithm,))
    written = write(tmp_path, result, spec)
    body, own = parity(written)
    predictor = load_model(written)
    columns = [[row[column.name] for row in body["data"]] for column in predictor.signature.used]
    assert any(part.steps for parts in predictor.bags for part in parts)
    assert np.abs(predictor.probabilities(columns) - own).max() < 1e-6


def test_thirty_rows_are_enough_for_a_search(tmp_path):
    result, spec = found(tmp_path, customers(30), trials=5)
    names = {json.loads((tmp_path / f"trials/{n}/trial.json").read_text())["trial"]["algorithm"] for n in range(5)}
    assert len(names) >= 3
    assert load_model(write(tmp_path, result, spec)).signature.classes == ("no", "yes")


def test_a_frame_without_rows_gets_as_many_answers(model):
    frame = pa.table({"age": [], "job": [], "balance": [], "member": []}).to_pandas()
    loaded = _load_pyfunc(str(model))
    assert (loaded.predict(frame).shape, loaded.predict(frame).dtype.kind) == ((0,), "U")
    assert loaded.predict(frame, {"method": "predict_proba"}).shape == (0, 2)


def test_the_loader_reads_a_frame_with_any_kind_of_missing_cell(model):

    frame = pa.table(
        {"age": [30, 40], "job": ["pilot", "nurse"], "balance": [None, 10.5], "member": [True, False]}
    ).to_pandas()
    loaded = _load_pyfunc(str(model))
    expected = load_model(model).probabilities([[30, 40], ["pilot", "nurse"], [None, 10.5], [True, False]])
    assert np.array_equal(loaded.predict(frame, {"method": "predict_proba"}), expected)
    assert np.array_equal(
        loaded.predict(frame.drop(columns="balance"), None), loaded.predict(frame.assign(balance=None))
    )
