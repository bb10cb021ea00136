"""Contributions add up, whatever a model is made of, and fall to the columns of the table that they come from."""

from dataclasses import dataclass, field
from time import process_time
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from core.domain.data import ColumnKind
from core.domain.explanation import Method, Scale
from core.domain.metrics import TaskKind
from core.domain.signature import Column, Signature
from core.ml.explain.carried import carried
from core.ml.explain.contributions import Explainer
from core.ml.explain.dependence import dependence_of
from core.ml.explain.held import Held
from core.ml.explain.importance import importance_of
from core.ml.explain.sources import sources_of
from core.predict.arrays import Array
from core.predict.combination import Calibration, Stack, Vote
from core.predict.encoder import ColumnCode, Encoder
from core.predict.folder import Predictor
from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.part import Part

CODES = (
    ColumnCode("age", ColumnKind.NUMBER),
    ColumnCode("colour", ColumnKind.STRING, ("blue", "green", "red")),
    ColumnCode("day", ColumnKind.STRING, dates="ymd", part="days"),
    ColumnCode("day", ColumnKind.STRING, dates="ymd", part="month"),
)
RNG = np.random.default_rng(8)
ROWS = np.column_stack((RNG.normal(size=60), RNG.integers(0, 3, 60), RNG.normal(size=60), RNG.integers(1, 13, 60)))
ROWS[::9, 0] = np.nan
CLASSES = {1: (), 2: ("no", "yes"), 3: ("a", "b", "c")}


def signature(outputs: int) -> Signature:
    columns = tuple(Column(name, ColumnKind.NUMBER, True) for name in ("age", "colour", "day"))
    return Signature(columns, "y", CLASSES[outputs])


def forest(seed: int, outputs: int, link: str, *, cover: bool = True, of_each: int = 10, inner: int = 7) -> Forest:
    """Ten trees of three levels for each output, over four columns."""
    rng = np.random.default_rng(seed)
    trees = of_each * outputs
    nodes = 2 * inner + 1
    left = np.concatenate(
        [np.append(2 * np.arange(inner) + 1, np.arange(inner, nodes)) + nodes * t for t in range(trees)]
    )
    leaf = left == np.arange(trees * nodes)
    weight = rng.integers(1, 20, trees * nodes).astype(float)
    for node in reversed(np.flatnonzero(~leaf)):
        weight[node] = weight[left[node]] + weight[left[node] + 1]
    return Forest(
        (nodes * np.arange(trees)).astype(np.int32),
        rng.integers(0, 4, trees * nodes).astype(np.int32),
        rng.normal(size=trees * nodes),
        left.astype(np.int32),
        np.where(leaf, left, left + 1).astype(np.int32),
        rng.random(trees * nodes) < 0.5,
        rng.normal(0, 0.3, trees * nodes),
        (np.arange(trees) % outputs).astype(np.int32),
        rng.normal(size=outputs),
        np.zeros(0),
        cover=weight if cover else np.zeros(0),
        link=link,
    )


def linear(seed: int, outputs: int, link: str) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(
        np.array([0, 2, 3]), rng.normal(size=3), np.ones(3), rng.normal(size=(3, outputs)),
        rng.normal(size=(3, outputs)), np.array([1]), np.array([0]), np.array([3]), rng.normal(size=(4, outputs)),
        rng.normal(size=outputs), link,
    )  # fmt: skip


@dataclass(frozen=True)
class Nearest:
    """A member of which nothing is known but its answers."""

    kind: ClassVar[str] = "nearest"
    outputs: int = 2
    centers: Array = field(default_factory=lambda: np.random.default_rng(0).normal(size=(3, 4)))

    def probabilities(self, matrix: Array) -> Array:
        apart = ((np.nan_to_num(matrix)[:, None] - self.centers[: self.outputs]) ** 2).sum(axis=2)
        near = np.exp(-apart / 50)
        return near / near.sum(axis=1, keepdims=True)

    def arrays(self) -> dict[str, Any]:
        return {}

    def meta(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Crossed:
    """Adds the product of two columns."""

    kind: ClassVar[str] = "crossed"
    sources: ClassVar = ((0, 1),)

    def added(self, matrix: Array) -> Array:
        return (np.nan_to_num(matrix[:, 0]) * matrix[:, 1])[:, None]

    def arrays(self) -> dict[str, Any]:
        return {}

    def meta(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Doubled(Crossed):
    sources: ClassVar = ((3, 4),)


def predictor(outputs: int, *bags: tuple[Part, ...], combination=None) -> Predictor:
    combination = combination or Vote(tuple(1 / len(bags) for _ in bags))
    return Predictor(signature(outputs), Encoder(CODES), bags, combination)


LINKS = {1: ("value", 1), 2: ("sigmoid", 1), 3: ("softmax", 3)}


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("make", [forest, linear])
def test_a_single_models_contributions_add_up_to_its_margin(make, outputs):
    link, margins = LINKS[outputs]
    member = make(1, margins, link)
    explainer = Explainer(predictor(outputs, (Part(member),)), ROWS)
    for at in range(5):
        for place in range(outputs):
            found = explainer.explain(ROWS[at : at + 1], place)
            wanted = member.margins(ROWS[at : at + 1])[0]
            wanted = wanted[place] if margins > 1 or outputs == 1 else wanted[0] * (1 if place else -1)
            assert found.base + sum(found.contributions.values()) == pytest.approx(wanted, abs=1e-6)
            assert found.score == pytest.approx(wanted, abs=1e-6)
            assert set(found.contributions) == {"age", "colour", "day"}, "the parts of a date are one column"
            assert not found.estimated
    scales = {1: Scale.VALUE, 2: Scale.LOG_ODDS, 3: Scale.SCORE}
    assert found.scale is scales[outputs]
    assert found.method is (Method.TREE_SHAP if make is forest else Method.LINEAR_SHAP)


def test_the_base_is_the_average_rows_so_a_row_that_is_average_has_none():
    """The base is a property of the model, not of the row: it is the same for all."""
    explainer = Explainer(predictor(2, (Part(forest(1, 1, "sigmoid")),)), ROWS)
    bases = [explainer.explain(ROWS[at : at + 1], 1).base for at in range(10)]
    assert np.ptp(bases) < 1e-9


COMBINATIONS = {
    "vote": Vote((0.25, 0.75)),
    "calibrated vote": Vote((0.25, 0.75), Calibration(1.3, (0.1, -0.1))),
    "stack": Stack((0.8, 0.5), (0.2, -0.1)),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_an_ensembles_contributions_add_up_to_its_probability(name):
    folds = tuple(Part(forest(seed, 1, "sigmoid"), 1 / 3) for seed in range(3))
    other = (Part(linear(4, 1, "sigmoid"), 0.5), Part(forest(5, 1, "identity"), 0.5))
    made = predictor(2, folds, (other[0], Part(forest(6, 1, "sigmoid"), 0.5)), combination=COMBINATIONS[name])
    explainer = Explainer(made, ROWS)
    bases = []
    for at in range(8):
        found = explainer.explain(ROWS[at : at + 1], 1)
        said = made.of_matrix(ROWS[at : at + 1])[0]
        assert (found.scale, found.method) == (Scale.PROBABILITY, Method.COMBINED_SHAP)
        assert found.base + sum(found.contributions.values()) == pytest.approx(said[1], abs=1e-6)
        assert found.probabilities == pytest.approx(tuple(said))
        bases.append(found.base)
    assert np.ptp(bases) < 1e-6, "what is left over is not put into the base"


@pytest.mark.parametrize("combination", [None, Stack((0.8, 0.5), (0.2, -0.1, 0.0))])
def test_several_classes_add_up_too(combination):
    bags = [(Part(forest(seed, 3, "softmax")),) for seed in (1, 2)]
    made = predictor(3, *bags, combination=combination)
    explainer, bases = Explainer(made, ROWS), []
    for at in range(4):
        total = 0.0
        for place in range(3):
            found = explainer.explain(ROWS[at : at + 1], place)
            assert found.score == pytest.approx(made.of_matrix(ROWS[at : at + 1])[0, place])
            assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)
            total += found.contributions["age"]
        bases.append(found.base)
        if combination is None:
            assert total == pytest.approx(0, abs=0.05), "what one class gains the others lose, but for the steps"
    assert np.ptp(bases) < 1e-6


def test_a_regressions_bag_adds_up_to_its_number():
    made = predictor(1, tuple(Part(forest(seed, 1, "value"), 0.5) for seed in (1, 2)))
    found = Explainer(made, ROWS).explain(ROWS[:1], 0)
    assert found.scale is Scale.VALUE
    assert found.class_name is None
    assert found.base + sum(found.contributions.values()) == pytest.approx(made.of_matrix(ROWS[:1])[0, 0], abs=1e-6)


def test_a_model_of_unknown_kind_is_estimated_and_says_so():
    made = predictor(2, (Part(forest(1, 1, "sigmoid"), 0.5), Part(Nearest(), 0.5)))
    found = Explainer(made, np.nan_to_num(ROWS)).explain(np.nan_to_num(ROWS[:1]), 1)
    assert found.estimated
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-9)
    assert found == Explainer(made, np.nan_to_num(ROWS)).explain(np.nan_to_num(ROWS[:1]), 1), "the same again"


def test_a_forest_that_kept_no_cover_is_explained_by_rows_of_the_usual_kind():
    explainer = Explainer(predictor(2, (Part(forest(1, 1, "sigmoid", cover=False)),)), ROWS)
    found = explainer.explain(ROWS[:1], 1)
    assert found.method is Method.TREE_SHAP
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)


def test_a_linear_models_contributions_are_its_terms_about_their_mean():
    random = np.random.default_rng(3)
    x = random.normal(2, 1, size=(200, 2))
    model = LogisticRegression().fit(x, x @ [1, -2] + random.normal(size=200) > -2)
    member = Linear(
        np.array([0, 1]), np.zeros(2), np.ones(2), model.coef_.T, np.zeros((2, 1)), np.zeros(0, int),
        np.zeros(0, int), np.zeros(0, int), np.zeros((0, 1)), model.intercept_,
    )  # fmt: skip
    codes = (ColumnCode("a", ColumnKind.NUMBER), ColumnCode("b", ColumnKind.NUMBER))
    made = Predictor(signature(2), Encoder(codes), ((Part(member),),))
    found = Explainer(made, x).explain(x[:1], 1)
    assert [*found.contributions.values()] == pytest.approx(model.coef_[0] * (x[0] - x.mean(axis=0)))
    assert found.base == pytest.approx(model.decision_function(x).mean())


def test_what_a_step_adds_falls_to_the_columns_that_it_is_made_from():
    shares = sources_of([Crossed(), Doubled()], 4)
    assert shares[:4] == pytest.approx(np.eye(4))
    assert shares[4] == pytest.approx([0.5, 0.5, 0, 0])
    assert shares[5] == pytest.approx([0.25, 0.25, 0, 0.5]), "one that is made of it and of another"
    part = Part(forest(2, 1, "sigmoid"), 1.0, (Crossed(),))
    found = Explainer(predictor(2, (part,)), ROWS).explain(ROWS[1:2], 1)
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=4),
    st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    st.integers(0, 2**31),
)
def test_what_is_carried_adds_up_to_what_comes_out(start, move, seed):
    begin = np.array(start)
    end = begin + np.array(move[: len(start)])
    weights = np.random.default_rng(seed).normal(size=len(start))

    def function(points):
        return np.tanh(points @ weights) + (points**2).sum(axis=1) / 10

    factors = carried(function, begin, end)
    gained = function(end[None])[0] - function(begin[None])[0]
    assert factors @ (end - begin) == pytest.approx(gained, abs=1e-6)
    assert np.isfinite(factors).all()


def test_carrying_through_a_sum_gives_its_weights():
    weights = np.array([0.2, 0.5, 0.3])
    factors = carried(lambda points: points @ weights, np.zeros(3), np.array([1.0, 0.0, -2.0]))
    assert factors == pytest.approx(weights)


@pytest.fixture(scope="module")
def by_age():
    """A model of two folds that goes by age alone, with rows whose class does too."""
    x = np.nan_to_num(ROWS)
    member = Linear(
        np.array([0]), np.zeros(1), np.ones(1), np.array([[3.0]]), np.zeros((1, 1)), np.zeros(0, int),
        np.zeros(0, int), np.zeros(0, int), np.zeros((0, 1)), np.zeros(1),
    )  # fmt: skip
    made = predictor(2, (Part(member, 0.5), Part(member, 0.5)))
    return made, Held(x, (x[:, 0] > 0).astype(int), np.arange(60)[:, None] % 2)


def test_importance_finds_the_column_that_a_model_goes_by(by_age):
    found = importance_of(*by_age, "AUC_weighted", TaskKind.BINARY, 1)
    first, *others = found.columns
    assert first.column == "age"
    assert first.permutation > 0.3
    assert first.shap > 0.5
    assert all((c.permutation, c.shap) == (0, 0) for c in others)
    assert (found.rows, found.metric, found.scale, found.class_name) == (60, "AUC_weighted", Scale.LOG_ODDS, "yes")
    loss = importance_of(*by_age, "log_loss", TaskKind.BINARY, 1)
    assert loss.columns[0].permutation > 0, "a loss that grows is worse"


def test_the_importance_of_a_large_model_takes_seconds_of_a_processor_however_busy_the_machine_is():
    large = [Part(forest(seed, 1, "sigmoid", of_each=1_000, inner=127), 0.5) for seed in range(2)]
    random = np.random.default_rng(3)
    rows = np.column_stack([random.choice(ROWS[:, at], 50_000) for at in range(4)])
    held = Held(rows, random.integers(0, 2, len(rows)), np.arange(len(rows))[:, None] % 2)
    before = process_time()
    found = importance_of(predictor(2, tuple(large)), held, "AUC_weighted", TaskKind.BINARY, 1)
    assert process_time() - before < 20.0
    assert all(column.shap for column in found.columns)


def test_partial_dependence_follows_the_model(by_age):
    found = dependence_of(*by_age, "age", (), 1)
    assert found.averages == pytest.approx(1 / (1 + np.exp(-3 * np.array(found.values))))
    assert found.low == pytest.approx(found.high), "nothing else moves the answer"
    colours = dependence_of(*by_age, "colour", (), 1)
    assert set(colours.values) == {"blue", "green", "red"}
    days = dependence_of(*by_age, "day", ("2024-03-01", "2023-05-01", "no day"), 1)
    assert days.values == ("2023-05-01", "2024-03-01")
