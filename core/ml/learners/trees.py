"""Extremely randomised trees and random forests by scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from core.domain.training import Algorithm
from core.ml.features import lowest, scores_of
from core.ml.learners.forest import Tree, joined
from core.ml.learners.learner import NUMBERS, SCORES, Always, Fitted, Learner, Setup, leaf_rows, spread
from core.ml.task import Labels, Param, Rows, TrialStopped
from core.predict.members import Array, Forest, Member
from core.predict.scores import Scores
from core.predict.steps import Step, widened

TREES_AT_ONCE = 10
"""Trees are grown in such steps, between which the time is looked at."""


SEVERAL_ROWS = 20_000
"""From so many rows on several threads grow trees; at a thousand they cost a quarter more and take as long."""
AT_BORDERS: Any = {"invalid": "ignore", "over": "ignore"}
"""scikit-learn adds all values up to see whether one is infinite; those at float32's borders add up to no number."""


@dataclass(frozen=True, slots=True)
class _Trees:
    model: Any
    fill: Array
    classes: int
    steps: tuple[Step, ...]
    """Scores, which it reads in place of numbers that have them."""
    rounds: int = 0
    curves: tuple[Array, ...] = ()

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        seen = widened(matrix, self.steps)
        known = np.where(np.isnan(seen), self.fill, seen)
        with np.errstate(**AT_BORDERS):
            if not self.classes:
                return np.asarray(self.model.predict(known).reshape(-1, 1))
            return spread(self.model.predict_proba(known), self.model.classes_, self.classes)

    def member(self, rounds: int = 0) -> Member:
        forest = sklearn_forest([e.tree_ for e in self.model.estimators_], self.fill)
        return with_all_classes(forest, self.model.classes_, self.classes) if self.classes else forest

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "", b""


def fit(forest: str, setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """The forest of that name (`ExtraTrees`); a missing value is lower than every known one."""
    import sklearn.ensemble

    matrix, target = rows
    if setup.classes and len(found := np.unique(target)) < 2:
        return Always(int(found[0]), setup.classes)
    steps = _steps(setup, matrix)
    seen = widened(matrix, steps)
    fill = lowest(seen)
    if steps:
        # Random cuts of a number that ranges far would all fall among its few largest values.
        seen[:, steps[0].column] = fill[steps[0].column] = 0.0
    wanted = {name: value for name, value in setup.params.items() if name != NUMBERS}
    wanted["min_samples_leaf"] = leaf_rows(setup.params["min_samples_leaf"], len(target))
    trees = int(wanted.pop("n_estimators") or 1)
    kind = getattr(sklearn.ensemble, forest + ("Classifier" if setup.classes else "Regressor"))
    jobs = setup.threads if len(target) >= SEVERAL_ROWS else 1
    model = kind(n_jobs=jobs, random_state=setup.seed, warm_start=True, **wanted)
    known = np.where(np.isnan(seen), fill, seen)
    for grown in range(TREES_AT_ONCE, trees + TREES_AT_ONCE, TREES_AT_ONCE):
        with np.errstate(**AT_BORDERS):
            model.set_params(n_estimators=min(grown, trees)).fit(known, target, setup.weights(target))
        if setup.stop():
            raise TrialStopped
        if setup.late():
            break
    return _Trees(model, fill, setup.classes, steps)


def _steps(setup: Setup, matrix: Array) -> tuple[Scores, ...]:
    text = set(setup.text)
    numeric = [at for at in range(matrix.shape[1]) if at not in text]
    return (scores_of(matrix, numeric),) if setup.params.get(NUMBERS) == SCORES and numeric else ()


def sklearn_forest(trees: Sequence[Any], fill: Array) -> Forest:
    """From scikit-learn's trees, whose leaves hold the shares of the classes and which compare float32 with `<=`.

    The leaves of a regression hold one number each.
    """
    made, classes = [_sklearn_tree(tree) for tree in trees], trees[0].value.shape[2]
    if classes == 1:
        output = np.zeros(len(made))
        return joined(made, output, np.zeros(1), fill, link="value", cast32=True, scale=1.0 / len(made))
    base = np.zeros(1 if classes == 2 else classes)
    output = np.zeros(len(made) if classes == 2 else 0)
    return joined(made, output, base, fill, link="identity", cast32=True, scale=1.0 / len(made))


def with_all_classes(forest: Forest, present: Labels, classes: int) -> Forest:
    """The forest with leaves that hold the share of every class, where its training rows had only some."""
    if len(present) == classes:
        return forest
    shares = forest.value if forest.value.ndim == 2 else np.column_stack((1.0 - forest.value, forest.value))
    inner = forest.left != np.arange(len(forest.left))
    shares = spread(np.where(inner[:, None], 0.0, shares), present, classes)
    return replace(forest, value=shares, output=forest.output[:0], base=np.zeros(classes))


def _sklearn_tree(tree: Any) -> Tree:
    leaf, own = tree.children_left < 0, np.arange(tree.node_count)
    shares = tree.value[:, 0, :]
    classes = shares.shape[1]
    if classes > 1:
        shares = shares / shares.sum(axis=1, keepdims=True)
    shares = np.where(leaf[:, None], shares, 0.0)
    return Tree(
        np.where(leaf, 0, tree.feature),
        np.where(leaf, 0.0, tree.threshold),
        np.where(leaf, own, tree.children_left),
        np.where(leaf, own, tree.children_right),
        np.zeros(len(own), dtype=bool),
        shares[:, -1] if classes <= 2 else shares,
        tree.weighted_n_node_samples,
    )


def _config(leaf_rows: int, features: float, trees: int, depth: int) -> dict[str, Param]:
    return {"n_estimators": trees, "min_samples_leaf": leaf_rows, "max_features": features, "max_depth": depth}


MORE = (
    *("criterion", "min_samples_split", "min_weight_fraction_leaf", "max_leaf_nodes", "min_impurity_decrease"),
    *("bootstrap", "max_samples", "ccp_alpha", NUMBERS),
)
EXTRA_TREES = Learner(
    Algorithm.EXTRA_TREES,
    "sklearn.ensemble",
    partial(fit, "ExtraTrees"),
    (_config(10, 0.8, 50, 12) | {NUMBERS: SCORES}, _config(5, 0.5, 80, 14) | {NUMBERS: SCORES}),
    more=MORE,
)
RANDOM_FOREST = Learner(
    Algorithm.RANDOM_FOREST,
    "sklearn.ensemble",
    partial(fit, "RandomForest"),
    (_config(10, 0.4, 50, 12), _config(5, 0.2, 80, 14)),
    more=MORE,
)
