"""ONNX models answer as ONNX Runtime does, without it; whatever is not read is refused by its name."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import ModelUnreadable, SpecInvalid
from core.domain.signature import PARITY_LIMIT
from core.packaging.foreign.protobuf import decode
from core.packaging.imported import take_over
from core.predict.folder import Predictor, load_model

MODELS = Path(__file__).parent / "onnx"
NAMES = sorted(path.stem for path in MODELS.glob("*.onnx"))


def automl(folder: Path, name: str, resources: object = None) -> Path:
    """A folder as AutoML leaves it."""
    folder.mkdir(parents=True)
    shutil.copy(MODELS / f"{name}.onnx", folder / "model.onnx")
    if resources is not None:
        (folder / "model_onnx.json").write_text(json.dumps(resources))
    return folder


def imported(folder: Path) -> Predictor:
    take_over(folder, folder.with_name("staged"))
    return load_model(folder.with_name("staged"))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_answers_as_onnx_runtime_does(tmp_path: Path, name: str):
    told = json.loads((MODELS / f"{name}.json").read_text())
    predictor = imported(automl(tmp_path / "m", name))
    assert np.abs(predictor.probabilities(told["columns"]) - told["probabilities"]).max() <= PARITY_LIMIT


def test_columns_have_the_names_of_the_table_that_automl_kept(tmp_path: Path):
    kept = {"RawColumnNameToOnnxNameMap": {"the age": "age", "job": "job"}, "InputRawColumnSchema": {}}
    signature = imported(automl(tmp_path / "m", "mixed", kept)).signature
    assert [column.name for column in signature.used] == ["the age", "income", "job", "city"]
    assert signature.classes == ("no", "yes")
    assert signature.columns[2].levels == ("admin", "chef", "none")


def test_a_model_that_mlflow_saved_has_the_names_of_its_signature(tmp_path: Path):
    folder = automl(tmp_path / "m", "rf")
    inputs = json.dumps([{"name": name, "type": "float"} for name in "abcd"])
    flavors = {"onnx": {"data": "model.onnx"}, "python_function": {}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors, "signature": {"inputs": inputs}}))
    assert [column.name for column in imported(folder).signature.used] == list("abcd")


def test_a_missing_number_is_refused_where_the_model_has_no_answer_to_it(tmp_path: Path):
    assert not any(column.nullable for column in imported(automl(tmp_path / "plain" / "m", "lr")).signature.used)
    assert all(column.nullable for column in imported(automl(tmp_path / "imputed" / "m", "lr2")).signature.used)


def field(number: int, value: bytes | str | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def node(op: str, domain: str = "", attribute: bytes = b"") -> bytes:
    return field(1, field(1, "X") + field(2, "Y") + field(4, op) + field(7, domain) + attribute)


INPUT = field(11, field(1, "X") + field(2, field(1, field(1, 1) + field(2, field(1, b"") + field(1, field(1, 4))))))
EXTERNAL = field(5, field(8, "w") + field(2, 1) + field(14, 1))
NESTED = field(5, field(1, "body") + field(6, b""))


def model(graph: bytes, more: bytes = b"") -> bytes:
    return field(1, 8) + field(7, graph) + more


def spoiled(name: str, old: bytes, new: bytes) -> bytes:
    content = (MODELS / f"{name}.onnx").read_bytes()
    assert old in content
    return content.replace(old, new)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (model(node("Conv") + INPUT), "uses Conv, which is not read"),
        (model(node("TreeEnsembleRegressor", "ai.onnx.ml") + INPUT), "a regression is not served here"),
        (model(node("Identity", "com.microsoft.mlfeaturizers") + INPUT), "uses com.microsoft.mlfeaturizers.Identity"),
        (model(node("Identity") + INPUT), "0 classifiers"),
        (model(node("Identity", attribute=NESTED) + INPUT), "graphs within graphs"),
        (model(EXTERNAL + INPUT), "keeps data outside itself"),
        (model(INPUT, field(25, b"")), "functions or sparse constants"),
        (model(node("Identity")), "takes no column"),
        (model(node("Identity") * 5_001 + INPUT), "at most 5,000"),
        (spoiled("lr2", b"LOGISTIC", b"PROBITIC"), "ends in PROBITIC"),
        (spoiled("rf", b"BRANCH_LEQ", b"BRANCH_NEQ"), "compare by BRANCH_NEQ"),
        (spoiled("mixed", b"OneHotEncoder", b"ColdHotEncode"), "ColdHotEncode"),
        (b"", "no graph"),
        (b"PK\x03\x04", "ONNX"),
    ],
)
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, content: bytes, said: str):
    folder = automl(tmp_path / "m", "rf")
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(SpecInvalid, match=said):
        take_over(folder, tmp_path / "staged")


def _with_a_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04.")


def _with_odd_names(folder: Path) -> None:
    (folder / "model_onnx.json").write_text('{"RawColumnNameToOnnxNameMap": 3}')


@pytest.mark.parametrize(
    ("spoil", "said"), [(_with_a_pickle, "model.pkl is a pickle"), (_with_odd_names, "model_onnx.json is damaged")]
)
def test_what_lies_beside_a_model_is_looked_at_too(tmp_path: Path, spoil: Callable[[Path], None], said: str):
    folder = automl(tmp_path / "m", "rf")
    spoil(folder)
    with pytest.raises(SpecInvalid, match=said) as caught:
        take_over(folder, tmp_path / "staged")
    assert caught.value.hint


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_damaged(content: bytes):
    with suppress(ModelUnreadable):
        assert isinstance(decode(content), dict)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_served_or_refused_and_never_a_traceback(tmp_path_factory, data):
    content = bytearray((MODELS / f"{data.draw(st.sampled_from(NAMES))}.onnx").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "model.onnx").write_bytes(bytes(content))
    with suppress(SpecInvalid):
        take_over(folder, folder / "staged")
