"""Rows that no model was trained on: told apart by their values, however each table happens to write them."""

from pathlib import Path

import numpy as np
import pytest
from tables import write_table

from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature
from core.ml.data import fresh

OURS = {"a": [1, 2, 3, None], "b": ["x", "y", None, "x"], "c": [0.1, 0.25, -0.0, 1e300]}


def seen(folder: Path, theirs: dict[str, list], *columns: str) -> list[bool]:
    ours, trained = write_table(folder / "ours", OURS), write_table(folder / "theirs", theirs)
    return fresh.seen(ours, trained, columns or ("a", "b", "c")).tolist()


def test_the_same_values_are_the_same_row_whatever_their_types_and_order(tmp_path: Path) -> None:
    theirs = {"c": [1e300, 0.0, 0.1], "b": ["x", None, "x"], "a": [None, 3.0, 1.0]}
    assert seen(tmp_path, theirs) == [True, False, True, True]


def test_a_missing_cell_is_no_empty_text_and_a_near_number_is_another(tmp_path: Path) -> None:
    assert seen(tmp_path, {"a": [3, 1], "b": ["", "x"], "c": [0.0, 0.1 + 1e-16 * 8]}) == [False] * 4


def test_values_do_not_run_into_each_other(tmp_path: Path) -> None:
    ours = write_table(tmp_path / "ours", {"a": ["x", "1"], "b": ["yz", "23"]})
    theirs = write_table(tmp_path / "theirs", {"a": ["xy", "12"], "b": ["z", "3"]})
    assert not fresh.seen(ours, theirs, ("a", "b")).any()


def test_a_column_that_one_table_lacks_tells_no_rows_apart(tmp_path: Path) -> None:
    assert seen(tmp_path, {"a": [2, 7], "b": ["y", "y"], "d": [0, 0]}) == [False, True, False, False]
    assert seen(tmp_path, {"a": [9, 9], "b": ["y", "x"]}, "b") == [True, True, False, True]
    assert seen(tmp_path, {"d": [1]}) == [True] * 4, "where nothing can be compared, nothing is fresh"


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes", None, "maybe"], ("no", "yes")),
        ([0.0, 1.0, None, 2.0], (0, 1)),
        ([False, True, None, None], (False, True)),
        (["0", "1", None, "x"], (0, 1)),
    ],
)
def test_a_class_is_found_by_its_value(tmp_path: Path, values: list, classes: tuple[Scalar, ...]) -> None:
    table = write_table(tmp_path / "t", {"y": values})
    assert fresh.classes_of(table, "y", classes).tolist() == [0, 1, fresh.UNKNOWN, fresh.UNKNOWN]


def test_a_model_gets_each_cell_in_the_kind_that_it_knows(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t", {"n": ["1.5", "x", "2"], "s": [1.0, 2.5, None], "b": ["true", "no", "false"]})
    kinds = {"s": ColumnKind.STRING, "n": ColumnKind.NUMBER, "b": ColumnKind.BOOLEAN}
    signature = Signature(tuple(Column(name, kind, nullable=True) for name, kind in kinds.items()), "y", ("no", "yes"))
    (whole,) = fresh.cells(table, signature, np.ones(3, bool))
    assert whole == [["1", "2.5", None], [1.5, None, 2.0], [True, False, False]]
    (some,) = fresh.cells(table, signature, np.array([False, True, True]))
    assert [column[0] for column in some] == ["2.5", None, False]
