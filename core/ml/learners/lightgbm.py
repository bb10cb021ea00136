"""Gradient boosted trees by LightGBM."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import numpy as np

from core.domain.metrics import TaskKind
from core.domain.training import Algorithm
from core.ml.learners.forest import Tree, joined, leaf
from core.ml.learners.learner import (
    CATEGORIES,
    ROUNDS_MAX,
    SPLITS,
    Curves,
    Draw,
    Fitted,
    Learner,
    Setup,
    leaf_rows,
    two_columns,
)
from core.ml.task import Param, Params, Rows, TrialStopped
from core.predict.members import AnyArray, Array, Forest, Member

CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NAN = 2
"""Bits of LightGBM's decision_type (include/LightGBM/tree.h): bit 0, bit 1, and the missing type in bits 2 and 3."""
ZERO = float(np.float32(1e-35))
"""LightGBM takes values up to this far from 0 as 0 (kZeroThreshold in include/LightGBM/meta.h)."""


WIDE, WIDE_BINS = 500, 63
"""With more columns than this, the time goes into their histograms; so many ranges of each suffice there."""
REGRESSIONS = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
"""Objectives whose answers are the sums of the leaves themselves."""


@dataclass(frozen=True, slots=True)
class _LightGBM:
    booster: Any
    rounds: int
    curves: tuple[Array, ...]
    kind: TaskKind

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        said = self.booster.predict(matrix, num_iteration=self._kept(rounds))
        return said.reshape(-1, 1) if self.kind is TaskKind.REGRESSION else two_columns(said)

    def member(self, rounds: int = 0) -> Member:
        return lightgbm_forest(self.booster.model_to_string(num_iteration=self._kept(rounds)))

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        return "lightgbm.txt", self.booster.model_to_string(num_iteration=self._kept(rounds)).encode()

    def _kept(self, rounds: int) -> int:
        return min(rounds or self.rounds, self.rounds)


OBJECTIVES = {TaskKind.BINARY: "binary", TaskKind.MULTICLASS: "multiclass", TaskKind.REGRESSION: "regression"}


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Gradient boosted trees by LightGBM."""
    import lightgbm as lgb

    matrix, labels = rows
    params = {
        "verbosity": -1,
        "num_threads": setup.threads,
        "seed": setup.seed,
        "deterministic": True,
        "force_col_wise": True,
        "objective": OBJECTIVES[setup.kind],
        **({"num_class": setup.classes} if setup.classes > 2 else {}),
        **({"max_bin": WIDE_BINS} if matrix.shape[1] > WIDE else {}),
        **setup.for_library(),
        "min_data_in_leaf": leaf_rows(setup.params["min_data_in_leaf"], len(labels)),
    }
    training = lgb.Dataset(
        matrix,
        labels,
        weight=setup.weights(labels),
        categorical_feature=setup.split_by_sets,
        params={"verbosity": -1},
        free_raw_data=True,
    )
    valid = [training.create_valid(*part) for part in held_out]
    seen = Curves(len(valid))
    callbacks: list[Callable[..., Any]] = [partial(_lightgbm_time, setup, seen)]
    booster = lgb.train(params, training, rounds or ROUNDS_MAX, valid_sets=valid or None, callbacks=callbacks)
    return _LightGBM(booster, booster.current_iteration(), seen.arrays(), setup.kind)


def _lightgbm_time(setup: Setup, seen: Curves, env: Any) -> None:
    if setup.stop():
        raise TrialStopped
    stale = seen.add([loss for _, _, loss, _ in env.evaluation_result_list or ()])
    if setup.late() or stale:
        import lightgbm as lgb

        raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])


def lightgbm_forest(text: str) -> Forest:
    """From LightGBM's text model; its comparisons and sums are float64, as ours."""
    header, *blocks = text[: text.index("end of trees")].split("\nTree=")
    outputs = int(_fields(header)["num_tree_per_iteration"])
    trees = [_lightgbm_tree(_fields(block)) for block in blocks]
    objective = _fields(header).get("objective", "").split(" ", 1)[0]
    link = "value" if objective in REGRESSIONS else "sigmoid" if outputs == 1 else "softmax"
    return joined(trees, np.arange(len(trees)) % outputs, np.zeros(outputs), link=link)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _lightgbm_tree(fields: dict[str, str]) -> Tree:
    leaves = _numbers(fields["leaf_value"], float)
    if len(leaves) == 1:
        return leaf(leaves[0], *_numbers(fields.get("leaf_count", ""), float))
    kinds, written = _numbers(fields["decision_type"], int), _numbers(fields["threshold"], float)
    sets = _lightgbm_sets(fields, np.flatnonzero(kinds & CATEGORICAL), written)
    # A value is cut to its whole part before it is looked up, so that 0 is what is above -1.
    threshold = np.where(kinds & CATEGORICAL, -1.0, _lightgbm_threshold(written))
    inner = len(kinds)
    own = np.arange(inner + len(leaves))
    # A leaf is written as -1 - its number. Without a NaN in training LightGBM takes a NaN as 0.
    left, right = (_with_leaves(_numbers(fields[f"{side}_child"], int), inner, own) for side in ("left", "right"))
    learned = (kinds >> 2) & 3 == MISSING_NAN
    default = np.where(learned, kinds & DEFAULT_LEFT > 0, threshold >= 0) & (kinds & CATEGORICAL == 0)
    blank = np.zeros(len(leaves))
    return Tree(
        np.concatenate((_numbers(fields["split_feature"], int), blank.astype(int))),
        np.concatenate((threshold, blank)),
        left,
        right,
        np.concatenate((default, blank > 0)),
        np.concatenate((np.zeros(inner), leaves)),
        _lightgbm_cover(fields),
        sets,
    )


def _lightgbm_sets(fields: dict[str, str], asking: AnyArray, numbers: Array) -> dict[int, AnyArray]:
    """By node, the words of its set: a node that asks for one has the set's number for its threshold."""
    if not len(asking):
        return {}
    starts, words = (_numbers(fields[name], int) for name in ("cat_boundaries", "cat_threshold"))
    return {at: words[starts[number] : starts[number + 1]] for at in asking.tolist() for number in [int(numbers[at])]}


def _lightgbm_cover(fields: dict[str, str]) -> Array | None:
    """The rows at each node, which LightGBM's own explanations weigh by."""
    if "internal_count" not in fields or "leaf_count" not in fields:
        return None
    return np.concatenate([_numbers(fields[name], float) for name in ("internal_count", "leaf_count")])


def _lightgbm_threshold(values: Array) -> Array:
    """The cut below zero, at -ZERO, sends that very value right: it is taken as 0."""
    return np.where(values == -ZERO, np.nextafter(-ZERO, -np.inf), values)


def _with_leaves(children: AnyArray, inner: int, own: AnyArray) -> AnyArray:
    return np.concatenate((np.where(children < 0, inner - 1 - children, children), own[inner:]))


def _numbers(text: str, kind: Callable[[str], Any]) -> AnyArray:
    return np.array([kind(word) for word in text.split()])


def _config(
    leaves: int, rate: float, leaf_rows: int, columns: float, l2: float, bagging: float = 1.0
) -> dict[str, Param]:
    return {
        "num_leaves": leaves,
        "learning_rate": rate,
        "min_data_in_leaf": leaf_rows,
        "feature_fraction": columns,
        "lambda_l2": l2,
        **({"bagging_fraction": bagging, "bagging_freq": 1} if bagging < 1 else {}),
    }


EXTRA, SMOOTH = "extra_trees", "path_smooth"
"""Cuts by chance, and leaves drawn towards what stands above them: each held back weak signals best on some table."""


def _by_sets(smooth: float, l2: float, categories: int) -> dict[str, Param]:
    """Splits of text by sets of its categories, held back by these."""
    return {
        CATEGORIES: SPLITS,
        "cat_smooth": smooth,
        "cat_l2": l2,
        "max_cat_threshold": categories,
        "min_data_per_group": 30,
    }


def _vary(draw: Draw, random: Random) -> Params:
    leaves, rows = random.choice((4, 8, 12, 16, 24, 32, 48)), random.choice((10, 20, 40, 80, 160))
    varied = _config(leaves, draw.rate, rows, draw.columns, draw.l2, draw.rows)
    smooth, l2 = round(10 ** random.uniform(0, 2), 1), round(10 ** random.uniform(0, 1.7), 1)
    sets = _by_sets(smooth, l2, random.choice((8, 16, 32, 64, 128)))
    if random.random() < 0.5:
        varied |= sets
    if random.random() < 0.25:
        return varied | {EXTRA: True}
    return varied | {SMOOTH: round(10 ** random.uniform(0, 2), 1)} if random.random() < 0.3 else varied


LEARNER = Learner(
    Algorithm.LIGHTGBM,
    "lightgbm",
    fit,
    (
        _config(16, 0.1, 20, 0.8, 1.0),
        _config(8, 0.12, 40, 0.6, 5.0, 0.8),
        _config(24, 0.06, 40, 0.6, 5.0, 0.8),
        _config(4, 0.15, 20, 0.5, 1.0, 0.8),
        _config(16, 0.05, 20, 0.9, 1.0),
        _config(31, 0.1, 40, 0.6, 5.0, 0.8),
        _config(16, 0.1, 20, 0.8, 1.0) | _by_sets(10.0, 10.0, 32),
        _config(8, 0.06, 80, 0.5, 20.0, 0.8) | _by_sets(50.0, 30.0, 16),
        _config(32, 0.04, 20, 0.5, 2.0, 0.8) | _by_sets(5.0, 5.0, 64),
        _config(3, 0.05, 200, 0.3, 50.0, 0.6),
        _config(8, 0.05, 40, 0.6, 5.0, 0.8) | _by_sets(20.0, 20.0, 16) | {EXTRA: True},
        _config(31, 0.05, 20, 0.6, 5.0, 0.8) | {SMOOTH: 20.0},
    ),
    vary=_vary,
    more=(
        "max_depth",
        "max_bin",
        "min_data_in_bin",
        "min_sum_hessian_in_leaf",
        "min_gain_to_split",
        "lambda_l1",
        "feature_fraction_bynode",
        "max_delta_step",
        "pos_bagging_fraction",
        "neg_bagging_fraction",
        "data_sample_strategy",
        "top_rate",
        "other_rate",
        "min_data_per_group",
        "max_cat_to_onehot",
        "is_unbalance",
        "scale_pos_weight",
    ),
)
