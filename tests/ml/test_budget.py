"""How a search keeps the time that it was given, on tables and machines on which everything takes longer."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.data import DataRef
from core.domain.metrics import TaskKind
from core.domain.signature import Signature
from core.domain.training import TrainingSpec
from core.ml.data.folds import share_for
from core.ml.data.thinning import thinned
from core.ml.final import writing_s
from core.ml.plan.budget import IN_TIME_MIN, Budget
from core.ml.plan.pace import CELLS_FIRST, ROW_CELLS, Pace
from core.ml.plan.portfolio import portfolio
from core.ml.task import TRAINING_ROWS, LearningProblem

SPEC = TrainingSpec(DataRef("d"), "y", timeout_s=20.0)
FIRST = next(portfolio(SPEC))


@pytest.mark.parametrize(
    ("columns", "prepared_s", "least", "most"),
    [(20, 0.0, 1.0, 1.1), (20, 0.4, 1.0, 1.1), (20, 60.0, 2.0, 2.1), (5_000, 1.4, 4.0, 5.0), (5_000, 4.0, 8.0, 9.0)],
)
def test_writing_is_planned_for_by_the_columns_and_by_how_slow_the_machine_is(columns, prepared_s, least, most):
    assert least <= writing_s(columns, prepared_s) <= most


def budget(now: float, **limits: int) -> Budget:
    spec = TrainingSpec(DataRef("d"), "y", timeout_s=20.0, **limits)
    return Budget(spec, lambda: now, 0.0, lambda: 0.0, lambda: 0.0, lambda: False)


@pytest.mark.parametrize(("now", "share"), [(1.0, 1.0), (10.0, 1.0), (15.0, 0.5), (25.0, IN_TIME_MIN)])
def test_a_search_whose_start_was_slow_looks_at_fewer_rows_first(now, share):
    pace = Pace(rows=1_000_000, columns=20)
    assert budget(now).in_time() == share
    rows = pace.first(FIRST, share).params[TRAINING_ROWS]
    assert rows * 20 <= share * CELLS_FIRST < 2 * rows * 20


def test_a_plan_that_looks_at_no_clock_does_not_look_at_its_start():
    assert budget(15.0, max_concurrent_trials=1).in_time() == 1.0


def test_the_first_model_of_a_long_table_of_few_columns_comes_from_some_of_its_rows():
    rows = Pace(rows=2_000_000, columns=2).first(FIRST).params[TRAINING_ROWS]
    assert rows * ROW_CELLS <= CELLS_FIRST


@pytest.mark.parametrize(
    ("rows", "share"),
    [((999_000, 999), 0.0), ((900_000, 90_000), 0.0), ((900_000, 100_000), 0.1), ((1_000_000,), 0.1), ((50, 50), 0.0)],
)
def test_of_a_million_rows_a_tenth_judges_where_no_class_is_rare(rows, share):
    assert share_for(rows) == share


def test_how_many_rows_a_model_learns_from_follows_from_how_it_is_judged():
    signature = Signature((), "y", ("no", "yes"))
    problem = LearningProblem("t", signature, (), 300, folds=3, seed=0, kind=TaskKind.BINARY, metric="accuracy")
    assert problem.learned == 200
    assert replace(problem, validation_share=0.1).learned == 270
    assert replace(problem, validation_table="other").learned == 300


def test_of_some_of_the_rows_every_class_has_one():
    labels = np.repeat(np.arange(50), np.arange(1, 51))
    matrix = labels[:, None].astype(float)
    some, theirs = thinned((matrix, labels), 60, TaskKind.MULTICLASS, 3)
    assert set(theirs) == set(range(50))
    assert len(theirs) < 110
    assert (some[:, 0] == theirs).all()
