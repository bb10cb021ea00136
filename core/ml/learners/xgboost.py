"""Gradient boosted trees by XGBoost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import msgspec
import numpy as np

from core.domain.metrics import TaskKind
from core.domain.training import Algorithm
from core.ml.learners.forest import Tree, joined, words_of
from core.ml.learners.learner import CATEGORIES, ROUNDS_MAX, SPLITS, Curves, Draw, Fitted, Learner, Setup, two_columns
from core.ml.task import Param, Params, Rows, TrialStopped
from core.predict.members import AnyArray, Array, Forest, Member

CATEGORICAL = 1
"""FeatureType::kCategorical in XGBoost's `split_type`."""
BELOW_ZERO = float(np.nextafter(0.0, -1.0))
"""XGBoost takes what is below 0 as no category."""
REGRESSIONS = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror")
"""Objectives whose answers are the sums of the leaves themselves."""


@dataclass(frozen=True, slots=True)
class _XGBoost:
    booster: Any
    rounds: int
    curves: tuple[Array, ...]
    kind: TaskKind

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        said = self.booster.inplace_predict(matrix, iteration_range=(0, self._kept(rounds)))
        return said.reshape(-1, 1).astype(np.float64) if self.kind is TaskKind.REGRESSION else two_columns(said)

    def member(self, rounds: int = 0) -> Member:
        return xgboost_forest(self.native(rounds)[1])

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        kept = self.booster[: self._kept(rounds)]
        return "xgboost.json", bytes(kept.save_raw("json"))

    def _kept(self, rounds: int) -> int:
        return min(rounds or self.rounds, self.rounds)


OBJECTIVES: Mapping[TaskKind, Mapping[str, str]] = {
    TaskKind.BINARY: {"objective": "binary:logistic", "eval_metric": "logloss"},
    TaskKind.MULTICLASS: {"objective": "multi:softprob", "eval_metric": "mlogloss"},
    TaskKind.REGRESSION: {"objective": "reg:squarederror", "eval_metric": "rmse"},
}


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Gradient boosted trees by XGBoost, on histograms."""
    import xgboost as xgb

    params = {
        "tree_method": "hist",
        "nthread": setup.threads,
        "seed": setup.seed,
        "verbosity": 0,
        **OBJECTIVES[setup.kind],
        **({"num_class": setup.classes} if setup.classes > 2 else {}),
        **setup.for_library(),
        "min_child_weight": _weight(setup, len(rows[1])),
    }
    sets = set(setup.split_by_sets)
    kinds = ["c" if at in sets else "q" for at in range(rows[0].shape[1])] if sets else None
    made = partial(xgb.QuantileDMatrix, feature_types=kinds, enable_categorical=bool(sets), nthread=setup.threads)
    training = made(*rows, weight=setup.weights(rows[1]))
    parts = [made(*part, ref=training) for part in held_out]
    seen = Curves(len(parts))
    booster = xgb.train(
        params,
        training,
        rounds or ROUNDS_MAX,
        evals=[(part, str(at)) for at, part in enumerate(parts)],
        verbose_eval=False,
        callbacks=[_time(setup, seen)],
    )
    return _XGBoost(booster, booster.num_boosted_rounds(), seen.arrays(), setup.kind)


def _weight(setup: Setup, rows: int) -> float:
    """Few rows need light leaves, or nothing can be split; a row of a class weighs at most a quarter."""
    each = 1.0 if setup.kind is TaskKind.REGRESSION else 0.25
    return min(float(setup.params.get("min_child_weight") or 1.0), max(0.5, each * rows / 20))


def _time(setup: Setup, seen: Curves) -> Any:
    """A callback that looks at the time after every round."""
    import xgboost as xgb

    class Time(xgb.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            """True ends the boosting."""
            if setup.stop():
                raise TrialStopped
            stale = seen.add([losses[-1] for at in sorted(evals_log, key=int) for losses in evals_log[at].values()])
            return setup.late() or stale

    return Time()


def xgboost_forest(document: bytes) -> Forest:
    """From XGBoost's JSON model, which compares float32 with `<`: the same as `<=` the next lower float32."""
    return xgboost_learner_forest(msgspec.json.decode(document)["learner"])


def xgboost_learner_forest(learner: dict[str, Any]) -> Forest:
    """The same from the part of the document that is called the learner."""
    model = learner["gradient_booster"]["model"]
    trees = [_xgboost_tree(tree) for tree in model["trees"]]
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    regression = learner["objective"]["name"] in REGRESSIONS
    base = _xgboost_base(learner, outputs, regression)
    link = "value" if regression else "sigmoid" if outputs == 1 else "softmax"
    return joined(trees, np.array(model["tree_info"]), base, link=link, cast32=True, sum32=True)


def _xgboost_tree(tree: dict[str, Any]) -> Tree:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    leaf, own = left < 0, np.arange(len(left))
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    below = np.nextafter(condition, np.float32(-np.inf)).astype(np.float64)
    asking = np.array(tree.get("split_type", np.zeros(len(left))), dtype=int) == CATEGORICAL
    # Those in a set go right, so that the children of a node that asks for one are exchanged.
    left, right = np.where(asking, right, left), np.where(asking, left, right)
    return Tree(
        np.where(leaf, 0, np.array(tree["split_indices"])),
        np.where(leaf, 0.0, np.where(asking, BELOW_ZERO, below)),
        np.where(leaf, own, left),
        np.where(leaf, own, right),
        (np.array(tree["default_left"], dtype=bool) ^ asking) & ~leaf,
        np.where(leaf, condition.astype(np.float64), 0.0),
        np.array(tree["sum_hessian"], dtype=np.float64) if "sum_hessian" in tree else None,
        _xgboost_sets(tree, asking & ~leaf),
    )


def _xgboost_sets(tree: dict[str, Any], asking: AnyArray) -> dict[int, AnyArray]:
    """By node, the words of its set."""
    if not asking.any():
        return {}
    listed = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    sets = {node: words_of(tree["categories"][start : start + size]) for node, start, size in listed}
    return {node: sets[node] for node in np.flatnonzero(asking).tolist()}


def _xgboost_base(learner: dict[str, Any], outputs: int, regression: bool) -> Array:
    """The start of every sum. Written as a probability for two classes, else as it is added; in 3.x as a list."""
    text = str(learner["learner_model_param"]["base_score"])
    values = np.array([float(word) for word in text.strip("[]").split(",")], dtype=np.float32).astype(np.float64)
    if outputs == 1 and not regression:
        values = np.log(values / (1.0 - values))
    return np.broadcast_to(values, (outputs,)).copy()


def _config(depth: int, rate: float, weight: float, columns: float, rows: float, l2: float) -> dict[str, Param]:
    return {
        "max_depth": depth,
        "eta": rate,
        "min_child_weight": weight,
        "colsample_bytree": columns,
        "subsample": rows,
        "reg_lambda": l2,
    }


def _by_sets(one_hot: int, categories: int) -> dict[str, Param]:
    """Splits of text by sets of so many categories; one against the others where there are fewer than `one_hot`."""
    return {CATEGORIES: SPLITS, "max_cat_to_onehot": one_hot, "max_cat_threshold": categories}


def _vary(draw: Draw, random: Random) -> Params:
    depth, weight = random.randint(2, 8), round(10 ** random.uniform(0, 1.7), 1)
    varied = _config(depth, draw.rate, weight, draw.columns, draw.rows, draw.l2)
    sets = _by_sets(random.choice((2, 4, 8, 16)), random.choice((8, 16, 32, 64)))
    return varied | sets if random.random() < 0.5 else varied


LEARNER = Learner(
    Algorithm.XGBOOST,
    "xgboost",
    fit,
    (
        _config(5, 0.08, 2.0, 0.9, 0.9, 1.0),
        _config(4, 0.1, 2.0, 0.8, 0.8, 5.0),
        _config(7, 0.08, 30.0, 0.6, 0.8, 10.0),
        _config(3, 0.12, 5.0, 0.6, 0.8, 1.0),
        _config(5, 0.06, 5.0, 0.7, 0.8, 3.0) | _by_sets(4, 32),
        _config(2, 0.1, 20.0, 0.4, 0.7, 30.0) | _by_sets(16, 16),
    ),
    vary=_vary,
    more=(
        "reg_alpha",
        "gamma",
        "max_bin",
        "max_leaves",
        "grow_policy",
        "colsample_bylevel",
        "colsample_bynode",
        "max_delta_step",
        "scale_pos_weight",
    ),
)
REGRESSOR = replace(LEARNER, algorithm=Algorithm.XGBOOST_REGRESSOR)
"""Azure names it apart."""
