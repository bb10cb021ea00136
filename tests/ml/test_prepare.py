"""What is found out about a table before anything is trained on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tables import customers, write_table

from core.domain.data import ColumnKind, DataRef
from core.domain.errors import SpecInvalid, TableUnusable
from core.domain.metrics import TaskKind
from core.domain.training import GuardrailState, Task, TrainingSpec
from core.ml.data import encoding
from core.ml.data.folds import folds_for, folds_of, split
from core.ml.data.guardrails import check_target, useless_columns
from core.ml.data.prepare import Prepared, prepare
from core.ml.data.profile import profile_table
from core.ml.data.table import read_training
from core.predict.encoder import Encoder


def prepared(path: Path, target: str = "answer", **spec) -> Prepared:
    return prepare(path, TrainingSpec(DataRef("t"), target, **spec), profile_table(path, target))


def checked(path: Path, target: str = "answer"):
    return check_target(profile_table(path), path, target)


def balance(result: Prepared) -> str:
    """What the alert on the classes' balance says."""
    return next(g.detail for g in result.guardrails if g.name == "class_balance" and g.state is GuardrailState.ALERTED)


@pytest.fixture
def table(tmp_path):
    def table(**changes) -> Path:
        columns = {name: values for name, values in (customers() | changes).items() if values is not None}
        return write_table(tmp_path / "table.parquet", columns)

    return table


def test_a_missing_target_names_the_columns_that_exist(table):
    with pytest.raises(TableUnusable, match="no column 'y'") as e:
        checked(table(), "y")
    assert "customer, age, job" in e.value.hint


def test_a_target_of_one_class_is_refused(table):
    with pytest.raises(TableUnusable, match="one value 'yes'"):
        checked(table(answer=["yes"] * 400))


def test_a_target_without_a_value_is_refused(tmp_path):
    with pytest.raises(TableUnusable, match="no value in any row"):
        checked(write_table(tmp_path / "t.parquet", {"x": [1, 2], "answer": [None, None]}))


def test_a_target_of_more_than_100_classes_is_likely_a_regression(table):
    with pytest.raises(TableUnusable, match="400 different values") as e:
        checked(table(answer=[i / 7 for i in range(400)]))
    assert "regression" in e.value.hint


def test_numbers_beyond_those_of_the_learners_are_refused(table):
    path = table(answer=[(-1) ** i * 1e300 for i in range(400)])
    with pytest.raises(TableUnusable, match="values up to 1e\\+300, at most 1e\\+38"):
        check_target(profile_table(path), path, "answer", Task.REGRESSION)


def test_an_empty_table_is_refused(tmp_path):

    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"answer": pa.array([], pa.string())}), path)
    with pytest.raises(TableUnusable, match="no rows"):
        checked(path)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes"], ("no", "yes")),
        (["yes", "a"], ("a", "yes")),
        ([True, False], (False, True)),
        ([1, 0], (0, 1)),
        ([1.0, 0.0, None], (0, 1)),
        ([0.5, 1.5, None], (0.5, 1.5)),
        ([3, 10, 2], (2, 3, 10)),
        (["b", "c", "a"], ("a", "b", "c")),
    ],
)
def test_classes_keep_their_json_type_and_natural_order(table, values, classes):
    found = checked(table(answer=[values[i % len(values)] for i in range(400)])).classes
    assert found == classes
    assert [type(c) for c in found] == [type(c) for c in classes]


def test_the_problem_says_what_kind_it_is(table):
    assert prepared(table()).problem.kind is TaskKind.BINARY
    assert prepared(table(answer=[("a", "b", "c")[i % 3] for i in range(400)])).problem.kind is TaskKind.MULTICLASS


def test_of_two_classes_the_positive_one_is_last(table):
    rarer = ["bad" if i % 3 == 0 else "good" for i in range(400)]
    assert checked(table(answer=rarer)).classes == ("good", "bad")


def test_ids_constants_and_empty_columns_are_not_learned_from(table):
    path = table(same=["x"] * 400, nothing=[None] * 400, number=list(range(400)))
    result = prepared(path)
    assert [c.name for c in result.problem.signature.used] == ["age", "job", "balance", "member"]
    useless = next(g for g in result.guardrails if g.name == "useless_columns")
    assert useless.state is GuardrailState.DONE
    for part in ("'customer' is an id", "'number' is an id", "'same' is constant", "'nothing' is empty"):
        assert part in useless.detail


def test_excluded_columns_stay_in_the_signature_unused(table):
    signature = prepared(table(), exclude=("age", "customer")).problem.signature
    assert {c.name for c in signature.columns if not c.used} == {"age", "customer"}


def test_an_unknown_column_cannot_be_excluded(table):
    with pytest.raises(SpecInvalid, match="no column 'agee'"):
        prepared(table(), exclude=("agee",))


def test_rows_without_a_target_are_left_out_and_counted(table):
    answers = customers()["answer"]
    result = prepared(table(answer=[None if i % 10 == 0 else a for i, a in enumerate(answers)]))
    assert result.problem.rows == len(result.target) == 360
    assert any("40 of 400 rows have no value of 'answer'" in g.detail for g in result.guardrails)


def test_a_small_class_and_one_smaller_than_the_folds_are_alerted(table):
    rare = ["no"] * 350 + ["yes"] * 50
    assert any(
        g.state is GuardrailState.ALERTED and "12.5 %" in g.detail for g in prepared(table(answer=rare)).guardrails
    )
    tiny = ["no"] * 397 + ["yes"] * 3
    assert any("too few" in g.detail for g in prepared(table(answer=tiny), n_cross_validations=5).guardrails)


def test_the_matrix_is_what_the_server_will_make_of_the_same_cells(table):
    columns = customers() | {"when": [None if i % 9 == 0 else f"2024-01-{1 + i % 28:02d}" for i in range(400)]}
    problem = prepared(table(**columns)).problem
    matrix, _ = read_training(problem)
    encoder = Encoder(problem.codes)
    served = encoder([columns[name] for name in encoder.names])
    assert np.array_equal(matrix, served, equal_nan=True)


def test_a_column_may_be_called_as_the_one_that_numbers_the_rows(table):
    columns = customers() | {"File_Row_Number": [i % 7 for i in range(400)], "word": ["a", None, "b", "c"] * 100}
    problem = prepared(table(**columns)).problem
    matrix, _ = read_training(problem)
    encoder = Encoder(problem.codes)
    assert np.array_equal(matrix, encoder([columns[name] for name in encoder.names]), equal_nan=True)


DAYS = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(400)]


@pytest.mark.parametrize("levels", [20, 400])
def test_dates_are_open_no_id_and_learned_from_in_parts(table, levels):
    when = [DAYS[i % levels] for i in range(400)]
    result = prepared(table(when=when))
    (column,) = [c for c in result.problem.signature.used if c.name == "when"]
    assert not column.closed
    parts = {c.part: c for c in result.problem.codes if c.name == "when"}
    assert list(parts) == ["days", "month", "day", "weekday"]
    assert {c.kind for c in parts.values()} == {ColumnKind.NUMBER}
    assert parts["month"].fill in range(1, 13), "a date that cannot be read is taken as the typical one"
    assert any(g.name == "dates" and "'when'" in g.detail for g in result.guardrails)


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["2024-03-01 10:00:00", "2024-03-02 11:30:00"], "ymd+time"),
        (["13.03.2024", "01.04.2024"], "dmy"),
        (["03/13/2024", "04/01/2024"], "mdy"),
        (["13/03/2024", "01/04/2024"], "dmy"),
        (["03/04/2024", "01/02/2024"], "mdy"),
        (["03.04.2024", "01.02.2024"], "dmy"),
        (["14.09.22", "01.10.22"], "dmy"),
        (["9/14/2022 1:05 PM", "10/1/2022 12:10 AM"], "mdy+time"),
        (["14-Sep-22", "01-Oct-22"], "dby"),
        (["14. März 2022", "1. Mai 2022"], "dby"),
        (["Mar 14, 2022", "May 1, 2022"], "bdy"),
        (["1.2.3", "1.2.4"], ""),
        (["may", "june"], ""),
        (["13/13/2024", "01/02/2024"], ""),
        (["soon", "2024-03-01"], ""),
        (["10:30", "11:45"], ""),
    ],
)
def test_the_order_of_dates_is_told_by_all_of_them(table, cells, dates):
    path = table(when=[cells[i % 2] for i in range(400)])
    assert profile_table(path).column("when").dates == dates


def test_measures_that_were_left_as_text_are_no_id(table):
    cells = [f"{i}.5" if i % 20 else "calm" for i in range(400)]
    assert "wind" not in useless_columns(profile_table(table(wind=cells)), "answer")


def test_the_labels_follow_the_table_order(table):
    result = prepared(table())
    assert [result.problem.signature.classes[at] for at in result.target] == customers()["answer"]


def test_text_with_very_many_levels_keeps_the_frequent_ones(table, monkeypatch):
    words = [f"w{i % 280}" for i in range(400)]  # the first 120 come twice
    monkeypatch.setattr(encoding, "LEVELS_MAX", 255)
    codes = {c.name: c for c in prepared(table(word=words)).problem.codes}
    assert len(codes["word"].levels) == 255
    assert {f"w{i}" for i in range(120)} <= set(codes["word"].levels)
    assert codes["word"].fill is None


def test_what_training_never_met_is_taken_as_typical(table):
    codes = {c.name: c for c in prepared(table()).problem.codes}
    assert codes["job"].levels[int(codes["job"].fill)] == "admin"
    assert codes["balance"].fill is None
    assert codes["balance"].kind is ColumnKind.NUMBER


def test_folds_are_stratified_balanced_and_the_same_for_the_same_seed():
    labels = np.array([0] * 90 + [1] * 9 + [2])
    fold = split(labels, 3, 7)
    assert np.bincount(fold).tolist() == [34, 33, 33]
    assert np.bincount(fold[labels == 1]).tolist() == [3, 3, 3]
    assert np.array_equal(fold, split(labels, 3, 7))
    assert not np.array_equal(fold, split(labels, 3, 8))


def held_out(found: Prepared, share: float, target: np.ndarray) -> np.ndarray:
    return folds_of(replace(found.problem, validation_share=share), target).judged


def test_the_share_that_judges_is_the_one_that_was_asked_for_and_leaves_rows_of_every_class(table):
    found, target = prepared(table()), np.repeat([0, 1, 2], [300, 97, 3])
    for share in (0.15, 0.3, 0.4, 0.75, 0.9):
        held = held_out(found, share, target)
        assert held.sum() == pytest.approx(400 * share, abs=1)
        assert set(target[~held]) == {0, 1, 2}


def test_a_share_of_one_row_in_so_many_is_a_fold(table):
    found, target = prepared(table()), np.repeat([0, 1, 2], [300, 97, 3])
    for rows in (2, 3, 5, 10):
        assert np.array_equal(held_out(found, 1 / rows, target), split(target, rows, found.problem.seed) == 0)


def test_a_table_whose_rows_are_held_out_is_not_said_to_have_folds(table):
    tiny = prepared(table(answer=["no"] * 397 + ["yes"] * 3), validation_share=0.3)
    assert tiny.problem.models == 1
    assert "fold" not in " ".join(guardrail.detail for guardrail in tiny.guardrails)


@pytest.mark.parametrize(("rows", "folds"), [(12, 6), (30, 10), (2_000, 5), (25_000, 3)])
def test_fewer_rows_are_cut_into_more_folds_and_so_many_columns_into_few(tmp_path, rows, folds):
    columns = {"x": [i % 17 for i in range(rows)], "answer": [i % 2 for i in range(rows)]}
    assert prepared(write_table(tmp_path / "t.parquet", columns)).problem.folds == folds
    assert folds_for(rows, columns=2_000) == 3


def test_the_rarer_of_two_classes_has_a_row_in_each_fold(tmp_path):
    columns = {"x": [i % 17 for i in range(40)], "answer": [int(i < 3) for i in range(40)]}
    assert prepared(write_table(tmp_path / "t.parquet", columns)).problem.folds == 3


def test_the_job_may_choose_its_folds(table):
    assert prepared(table(), n_cross_validations=4).problem.folds == 4


def test_a_column_that_is_nearly_the_answer_is_named(table):
    answers = customers()["answer"]
    result = prepared(table(refund=[a == "yes" for a in answers]))
    assert len(result.notes) == 1
    assert result.notes[0].startswith("'refund' may leak: alone it nearly tells 'answer' (AUC 1.00)")


def test_a_column_that_carries_most_of_the_answer_is_named(table):
    rng = np.random.default_rng(1)
    answers = np.array(customers()["answer"]) == "yes"
    calls = rng.normal(size=400) + 1.7 * answers
    columns = dict.fromkeys(("age", "balance", "member")) | {"noise": rng.normal(size=400).tolist()}
    result = prepared(table(calls=calls.tolist(), **columns))
    assert "'calls' may leak: alone it predicts 'answer'" in result.notes[0]


def test_an_ordinary_table_has_no_leak(table):
    assert prepared(table()).notes == ()


def test_the_bank_table_says_why_duration_leaks(tmp_path):
    rng = np.random.default_rng(2)
    answers = rng.random(2000) < 0.3
    columns = {
        "contact": rng.choice(["cellular", "telephone"], 2000).tolist(),
        "duration": (rng.gamma(2, 100, 2000) * (1 + 2 * answers)).astype(int).tolist(),
        "campaign": rng.integers(1, 9, 2000).tolist(),
        "pdays": rng.choice([999, 3, 6], 2000).tolist(),
        "previous": rng.integers(0, 3, 2000).tolist(),
        "poutcome": rng.choice(["failure", "nonexistent"], 2000).tolist(),
        "y": np.where(answers, "yes", "no").tolist(),
    }
    path = write_table(tmp_path / "bank.parquet", columns)
    assert "known only after the call has ended" in prepared(path, "y").notes[0]
    assert prepared(path, "y", exclude=("duration",)).notes == ()
