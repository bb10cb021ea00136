"""Columns that a trial adds: fitted on training rows alone, never with a row's own target, and served as trained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.data import ColumnKind
from core.domain.errors import SpecInvalid
from core.domain.metrics import TaskKind
from core.domain.signature import Column, Signature
from core.ml.featurize import SETS, featurize, worthwhile
from core.ml.task import LearningProblem
from core.predict.encoder import ColumnCode
from core.predict.steps import Arithmetic, widened

TOWNS = tuple(f"town {n:02}" for n in range(40))
CODES = (
    ColumnCode("town", ColumnKind.STRING, TOWNS),
    ColumnCode("kind", ColumnKind.STRING, ("a", "b", "c")),
    ColumnCode("x", ColumnKind.NUMBER),
    ColumnCode("y", ColumnKind.NUMBER),
)
CLASSES = {TaskKind.BINARY: ("no", "yes"), TaskKind.MULTICLASS: ("p", "q", "r"), TaskKind.REGRESSION: ()}


def problem(kind: TaskKind = TaskKind.BINARY) -> LearningProblem:
    columns = tuple(Column(code.name, code.kind, True, code.levels, typical=0.0) for code in CODES)
    signature = Signature(columns, "goal", CLASSES[kind])
    return LearningProblem("nowhere", signature, CODES, 0, 2, 7, kind, "AUC_weighted")


def matrix(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = np.column_stack(
        [rng.integers(0, 40, rows), rng.integers(0, 3, rows), rng.normal(0, 1, rows).round(2), rng.exponential(1, rows)]
    )
    made[rng.random(made.shape) < 0.05] = np.nan
    return made


def target(kind: TaskKind, rows: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind is TaskKind.REGRESSION:
        return np.nan_to_num(rows[:, 2]) + rng.normal(0, 1, len(rows))
    return rng.integers(0, len(CLASSES[kind]), len(rows))


@given(
    kind=st.sampled_from(list(CLASSES)),
    seed=st.integers(0, 1000),
    rows=st.integers(4, 200),
    named=st.lists(st.sampled_from(SETS), unique=True, min_size=1).map("+".join),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_rows_can_be_widened_and_new_ones_as_they_were(kind, seed, rows, named):
    known = matrix(seed, rows)
    made = featurize({"features": named}, (known, target(kind, known, seed)), problem(kind))
    assert made.matrix.shape == (rows, len(made.codes))
    new = widened(matrix(seed + 1, 30), made.steps)
    assert new.shape == (30, len(made.codes))
    assert not np.isinf(new).any()
    np.testing.assert_array_equal(made.matrix[:, : len(CODES)], known)


def test_a_column_that_means_nothing_says_nothing_of_its_own_rows():
    """Each row of its own town: the town's mean would be the row's own answer."""
    rows = 40
    known = np.column_stack([np.arange(rows), np.zeros(rows), np.zeros(rows), np.zeros(rows)])
    goal = np.arange(rows) % 2
    made = featurize({"features": "target"}, (known, goal), problem())
    seen = made.matrix[:, len(CODES)]
    assert set(seen[goal == 1].round(9)) == set(seen[goal == 0].round(9)), "the means of other rows, by inner fold"


def test_rare_levels_lie_near_the_mean_and_unseen_ones_upon_it():
    rng = np.random.default_rng(0)
    towns = np.concatenate([np.zeros(2000), np.ones(3)])
    goal = np.concatenate([rng.random(2000) < 0.9, [False, False, False]]).astype(int)
    known = np.column_stack([towns, *np.zeros((3, len(towns)))])
    made = featurize({"features": "target"}, (known, goal), problem())
    often, rarely, unseen = widened(np.array([[0.0, 0, 0, 0], [1, 0, 0, 0], [30, 0, 0, 0]]), made.steps)[:, len(CODES)]
    assert often == pytest.approx(0.9, abs=0.02)
    assert goal.mean() > rarely > 0.7
    assert unseen == pytest.approx(goal.mean())


def test_what_two_columns_say_together_is_found_and_nothing_where_they_say_nothing():
    known = matrix(1, 4000)
    apart = ((known[:, 1] == 1) ^ (known[:, 2] > 0)).astype(int)
    made = featurize({"features": "cross"}, (known, apart), problem())
    assert (1, 2) in {tuple(sorted(source)) for step in made.steps for source in step.sources}
    noise = np.random.default_rng(2).integers(0, 2, len(known))
    assert featurize({"features": "cross+arithmetic"}, (known, noise), problem()).steps == ()


def test_a_ratio_that_decides_is_found():
    rng = np.random.default_rng(3)
    known = np.column_stack([np.zeros((4000, 2)), rng.uniform(1, 9, (4000, 2))])
    made = featurize({"features": "arithmetic"}, (known, (known[:, 2] / known[:, 3] > 1.2).astype(int)), problem())
    (step,) = made.steps
    assert isinstance(step, Arithmetic)
    assert {2, 3} <= {column for source in step.sources for column in source}


def test_features_that_there_are_not_are_refused_by_name():
    with pytest.raises(SpecInvalid, match="no features 'magic'"):
        featurize({"features": "target+magic"}, (matrix(0, 9), np.arange(9) % 2), problem())


def test_only_sets_that_can_add_something_are_worthwhile():
    assert worthwhile(problem()) == SETS
