"""What a job says of its columns: what each is taken for, and what stands for a missing cell."""

import math

import numpy as np
import pytest
from search_doubles import Searching
from tables import customers, write_table

from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.training import TrainingSpec
from core.ml.data.prepare import Prepared, prepare
from core.ml.data.profile import profile_table
from core.ml.data.table import read_training
from core.ml.featurize import worthwhile
from core.predict.encoder import Encoder

CUSTOM = FeaturizationMode.CUSTOM


@pytest.fixture(scope="module")
def searching(tmp_path_factory) -> Searching:
    """The customers' table: age (a whole number), job (text), balance (a number, some missing), married, answer."""
    return Searching(tmp_path_factory.mktemp("customers"))


def prepared(searching: Searching, **how) -> Prepared:
    spec = TrainingSpec(DataRef("customers"), "answer", featurization=Featurization(**{"mode": CUSTOM, **how}))
    return prepare(searching.table, spec, searching.profile)


def test_a_column_of_numbers_may_be_one_of_categories_and_is_served_as_it_was_trained(searching):
    found = prepared(searching, column_purposes={"age": Purpose.CATEGORICAL}).problem
    code = next(code for code in found.codes if code.name == "age")
    matrix, _ = read_training(found)
    assert code.numbers
    assert set(matrix[:, 0]) <= set(range(len(code.levels)))
    again = Encoder.from_json(Encoder(found.codes).to_json())
    row = [[int(float(code.levels[3]))], ["nurse"], [10.5], [True]]
    assert again(row)[0, 0] == 3
    assert math.isnan(again([[-7], *row[1:]])[0, 0]), "an age that training never met"


def test_a_zero_with_a_sign_is_a_category_as_one_without(searching):
    columns = customers() | {"shift": [(-0.0, 0.0, 1.5)[i % 3] for i in range(400)], "member": [True, None] * 200}
    table = write_table(searching.folder / "signed.parquet", columns)
    how = Featurization(CUSTOM, {"shift": Purpose.CATEGORICAL}, {"member": Imputation.MEAN})
    found = prepare(table, TrainingSpec(DataRef("t"), "answer", featurization=how), profile_table(table)).problem
    codes = {code.name: code for code in found.codes}
    assert codes["shift"].levels == ("0.0", "1.5")
    assert codes["member"].fill == 1.0
    encoder = Encoder(found.codes)
    served = encoder([columns[name] for name in encoder.names])
    assert np.array_equal(read_training(found)[0], served, equal_nan=True)


def test_an_ignored_column_stays_in_the_contract_and_is_not_read(searching):
    signature = prepared(searching, column_purposes={"job": Purpose.IGNORE}).problem.signature
    assert [c.used for c in signature.columns if c.name == "job"] == [False]


@pytest.mark.parametrize(
    ("how", "constant"), [(Imputation.MEAN, None), (Imputation.MEDIAN, None), (Imputation.CONSTANT, -1.5)]
)
def test_a_missing_number_gets_what_was_asked_for(searching, how, constant):
    constants = {} if constant is None else {"balance": constant}
    found = prepared(searching, imputations={"balance": how}, constants=constants).problem
    matrix, _ = read_training(found)
    at = [code.name for code in found.codes].index("balance")
    plain, _ = read_training(prepared(searching, mode="auto").problem)
    known = plain[:, at][~(plain[:, at] != plain[:, at])]
    expected = {Imputation.MEAN: known.mean(), Imputation.MEDIAN: float(sorted(known)[len(known) // 2])}
    filled = set(matrix[:, at][plain[:, at] != plain[:, at]])
    assert len(filled) == 1
    assert filled.pop() == pytest.approx(constant if constant is not None else expected[how], rel=0.2)


def test_a_missing_text_gets_the_most_frequent_or_a_value_of_its_column(searching):
    found = prepared(searching, imputations={"job": Imputation.CONSTANT}, constants={"job": "nurse"}).problem
    code = next(code for code in found.codes if code.name == "job")
    assert code.levels[int(code.fill)] == "nurse"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"column_purposes": {"job": Purpose.NUMERIC}}, "holds text"),
        ({"column_purposes": {"job": Purpose.DATE_TIME}}, "no dates"),
        ({"column_purposes": {"job": Purpose.TEXT}}, "word by word"),
        ({"column_purposes": {"jobs": Purpose.IGNORE}}, "'jobs', which is no column"),
        ({"imputations": {"job": Imputation.MEAN}}, "no column of numbers"),
        ({"imputations": {"job": Imputation.CONSTANT}, "constants": {"job": "king"}}, "none of its values"),
        ({"imputations": {"age": Imputation.CONSTANT}, "constants": {"age": "old"}}, "expected a number"),
        ({"imputations": {"age": Imputation.CONSTANT}, "constants": {"age": "nan"}}, "expected a number"),
        ({"imputations": {"age": Imputation.CONSTANT}, "constants": {"age": [1]}}, "expected a number"),
        (
            {
                "column_purposes": {"age": Purpose.CATEGORICAL},
                "imputations": {"age": Imputation.CONSTANT},
                "constants": {"age": "old"},
            },
            "expected a number",
        ),
    ],
)
def test_what_a_column_cannot_be_is_refused_in_a_sentence(searching, how, why):
    with pytest.raises(SpecInvalid, match=why):
        prepared(searching, **how)


def test_switched_off_no_trial_adds_columns(searching):
    assert worthwhile(prepared(searching, mode="auto").problem)
    assert worthwhile(prepared(searching, mode="off").problem) == ()
