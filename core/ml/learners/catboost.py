"""Gradient boosted symmetric trees by CatBoost, with its own statistics of text."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from core.domain.metrics import TaskKind
from core.domain.training import Algorithm
from core.ml.learners.catboost_model import catboost_forest, catboost_step, category
from core.ml.learners.learner import (
    ROUNDS_MAX,
    Always,
    Curves,
    Draw,
    Fitted,
    Learner,
    Setup,
    spread,
    unmoved,
)
from core.ml.task import Labels, Param, Params, Rows, TrialStopped
from core.predict.members import AnyArray, Array, Member
from core.predict.steps import Step

OBJECTIVES: Mapping[TaskKind, str] = {
    TaskKind.BINARY: "Logloss",
    TaskKind.MULTICLASS: "MultiClass",
    TaskKind.REGRESSION: "RMSE",
}
NOTHING_TO_LEARN = "constant or ignored"
"""CatBoost's words for a table in which no column varies."""


@dataclass(frozen=True)
class _CatBoost:
    model: Any
    setup: Setup
    width: int
    rounds: int
    curves: tuple[Array, ...]
    present: Labels
    """The classes that the training rows had."""

    def probabilities(self, matrix: Array, rounds: int = 0) -> Array:
        kind = "RawFormulaVal" if self.setup.kind is TaskKind.REGRESSION else "Probability"
        pool = _pool(self.setup, matrix)
        said = self.model.predict(pool, prediction_type=kind, ntree_end=self._kept(rounds), thread_count=1)
        if self.setup.kind is TaskKind.REGRESSION:
            return np.asarray(said.reshape(-1, 1))
        return spread(said, self.present, self.setup.classes)

    def member(self, rounds: int = 0) -> Member:
        return catboost_forest(self._document, self.setup, self.width, self._kept(rounds), self.present)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What its trees read beside the matrix: the statistics of text, in columns after the others."""
        step = catboost_step(self._document, self.setup)
        return () if step is None else (step,)

    def native(self, rounds: int = 0) -> tuple[str, bytes]:
        shrunk = self.model.copy()
        shrunk.shrink(ntree_end=self._kept(rounds))
        return "catboost.cbm", _saved(shrunk, "cbm")

    @cached_property
    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(_saved(self.model, "json"))
        return document

    def _kept(self, rounds: int) -> int:
        return min(rounds or self.rounds, self.rounds)


def _saved(model: Any, kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model"
        model.save_model(str(file), format=kind)
        return file.read_bytes()


def fit(setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
    """Boosted symmetric trees by CatBoost."""
    import catboost

    matrix, target = rows
    present = np.unique(target) if setup.classes else np.zeros(0, dtype=np.int64)
    if len(present) == 1:
        return Always(int(present[0]), setup.classes)
    if not setup.classes and np.ptp(target) == 0:
        return unmoved(setup, target)
    look = _Look(setup, Curves(len(held_out)))
    model = catboost.CatBoost(
        {
            "loss_function": OBJECTIVES[setup.kind],
            # The loss on the training rows would only take time.
            "eval_metric": f"{OBJECTIVES[setup.kind]}:hints=skip_train~true",
            "iterations": rounds or ROUNDS_MAX,
            "thread_count": setup.threads,
            "random_seed": setup.seed,
            "allow_writing_files": False,
            "use_best_model": False,
            "verbose": False,
            **({"class_names": list(range(len(present)))} if setup.classes else {}),
            **setup.for_library(),
        }
    )
    parts = [_pool(setup, *_known(part, present)) for part in held_out]
    try:
        model.fit(_pool(setup, *_known(rows, present), setup.weights(target)), eval_set=parts or None, callbacks=[look])
    except catboost.CatBoostError as e:
        if NOTHING_TO_LEARN in str(e):
            return unmoved(setup, target)
        raise
    if look.stopped:
        raise TrialStopped
    return _CatBoost(model, setup, matrix.shape[1], model.tree_count_, look.seen.arrays(), present)


def _known(rows: Rows, present: Labels) -> Rows:
    """The rows of the classes that are present, by their place among these: CatBoost refuses others."""
    matrix, target = rows
    if not len(present):
        return rows
    some = np.isin(target, present)
    return matrix[some], np.searchsorted(present, target[some])


@dataclass(slots=True)
class _Look:
    """Looks at the time and at the losses after every round; CatBoost's callback."""

    setup: Setup
    seen: Curves
    stopped: bool = False

    def after_iteration(self, info: Any) -> bool:
        """False ends the boosting."""
        losses = [next(iter(info.metrics[name].values()))[-1] for name in self._names()]
        stale = self.seen.add(losses)
        self.stopped = self.setup.stop()
        return not (self.stopped or stale or self.setup.late())

    def _names(self) -> list[str]:
        parts = self.seen.parts
        return ["validation"] if parts == 1 else [f"validation_{at}" for at in range(parts)]


def _pool(setup: Setup, matrix: Array, target: AnyArray | None = None, weight: Array | None = None) -> Any:
    import catboost

    text = setup.text
    numbers = [at for at in range(matrix.shape[1]) if at not in set(text)]
    cells = catboost.FeaturesData(
        num_feature_data=matrix[:, numbers].astype(np.float32) if numbers else None,
        cat_feature_data=_words(setup, matrix) if text else None,
    )
    return catboost.Pool(cells, target, weight=weight)


def _words(setup: Setup, matrix: Array) -> AnyArray:
    """Codes as the texts that CatBoost takes; a missing one is a category of its own, the last."""
    words = np.empty((len(matrix), len(setup.text)), dtype=object)
    for at, column in enumerate(setup.text):
        levels = len(setup.codes[column].levels)
        known = np.array([category(code) for code in range(levels)] + [category(None)], dtype=object)
        words[:, at] = known[np.where(np.isnan(matrix[:, column]), levels, matrix[:, column]).astype(np.intp)]
    return words


def _config(depth: int, rate: float, l2: float, columns: float = 1.0, strength: float = 1.0) -> dict[str, Param]:
    return {
        "depth": depth,
        "learning_rate": rate,
        "l2_leaf_reg": l2,
        "rsm": columns,
        "random_strength": strength,
        "max_ctr_complexity": 1,
    }


def _vary(draw: Draw, random: Random) -> Params:
    strength, one_hot = round(10 ** random.uniform(-1, 1), 2), random.choice((2, 5, 10, 25))
    varied = _config(random.randint(3, 8), draw.rate, max(0.5, draw.l2), draw.columns, strength)
    return varied | {"one_hot_max_size": one_hot}


LEARNER = Learner(
    Algorithm.CATBOOST,
    "catboost",
    fit,
    (
        _config(5, 0.08, 10.0, 0.7) | {"one_hot_max_size": 10},
        _config(4, 0.1, 30.0, 0.5, 3.0) | {"one_hot_max_size": 10},
        _config(6, 0.08, 3.0),
        _config(7, 0.06, 10.0, 0.5) | {"one_hot_max_size": 5},
        _config(3, 0.15, 5.0, 0.8) | {"one_hot_max_size": 25},
    ),
    vary=_vary,
    more=(
        "border_count",
        "bootstrap_type",
        "bagging_temperature",
        "subsample",
        "sampling_frequency",
        "leaf_estimation_method",
        "leaf_estimation_iterations",
        "model_size_reg",
        "boosting_type",
    ),
)
