"""Fitting the four learners, each to one common face: its own probabilities, its arrays, its native file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from core.domain.data import ColumnKind
from core.domain.training import Algorithm
from core.ml import flatten
from core.ml.features import Features, lowest
from core.ml.task import Labels, Param, Rows, Stop, TrialStopped
from core.predict.encoder import ColumnCode
from core.predict.members import Array, Member

PATIENCE = 40
"""Rounds without a better log loss on the held-out fold after which boosting stops."""
ROUNDS_MAX = 2000
TREES_AT_ONCE = 10
"""Extra trees are grown in such steps, between which the time is looked at."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fit needs besides the rows."""

    params: Mapping[str, Param]
    classes: int
    codes: tuple[ColumnCode, ...]
    threads: int
    seed: int
    stop: Stop
    late: Stop
    """True when boosting should add no more trees."""


class Fitted(Protocol):
    """A fitted learner."""

    @property
    def rounds(self) -> int:
        """Boosting rounds that were best on the held-out rows; 0 for learners without rounds."""

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes as the library itself predicts them."""

    def member(self) -> Member:
        """The same model as plain arrays."""

    def native(self) -> tuple[str, bytes]:
        """The library's own portable file (ending, content); an empty ending where it has none but a pickle."""


Fit = Callable[[Setup, Rows, Rows | None, int], Fitted]
"""(setup, training rows, held-out rows to stop on or None, rounds or 0) -> fitted."""


@dataclass(frozen=True, slots=True)
class _LightGBM:
    booster: Any
    rounds: int

    def probabilities(self, matrix: Array) -> Array:
        return _two_columns(self.booster.predict(matrix, num_iteration=self.rounds))

    def member(self) -> Member:
        return flatten.lightgbm_forest(self.booster.model_to_string(num_iteration=self.rounds))

    def native(self) -> tuple[str, bytes]:
        return "lightgbm.txt", self.booster.model_to_string(num_iteration=self.rounds).encode()


def fit_lightgbm(setup: Setup, rows: Rows, held_out: Rows | None, rounds: int) -> Fitted:
    """Gradient boosted trees by LightGBM."""
    matrix, labels = rows
    objective = {"objective": "binary"} if setup.classes == 2 else {"objective": "multiclass"}
    params = {
        "verbosity": -1,
        "num_threads": setup.threads,
        "seed": setup.seed,
        "deterministic": True,
        "force_col_wise": True,
        **objective,
        **({"num_class": setup.classes} if setup.classes > 2 else {}),
        **setup.params,
        "min_data_in_leaf": _leaf_rows(setup.params["min_data_in_leaf"], len(labels)),
    }
    training = lgb.Dataset(matrix, labels, params={"verbosity": -1}, free_raw_data=True)
    valid = [training.create_valid(*held_out)] if held_out else None
    callbacks: list[Callable[..., Any]] = [partial(_lightgbm_time, setup)]
    if held_out:
        callbacks.append(lgb.early_stopping(PATIENCE, verbose=False))
    booster = lgb.train(params, training, rounds or ROUNDS_MAX, valid_sets=valid, callbacks=callbacks)
    return _LightGBM(booster, booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration())


def _lightgbm_time(setup: Setup, env: Any) -> None:
    if setup.stop():
        raise TrialStopped
    if setup.late():
        raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])


@dataclass(frozen=True, slots=True)
class _XGBoost:
    booster: Any
    rounds: int

    def probabilities(self, matrix: Array) -> Array:
        return _two_columns(self.booster.inplace_predict(matrix))

    def member(self) -> Member:
        return flatten.xgboost_forest(self.native()[1])

    def native(self) -> tuple[str, bytes]:
        return "xgboost.json", bytes(self.booster.save_raw("json"))


class _XGBoostTime(xgb.callback.TrainingCallback):
    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self._setup = setup

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """True ends the boosting."""
        if self._setup.stop():
            raise TrialStopped
        return self._setup.late()


def fit_xgboost(setup: Setup, rows: Rows, held_out: Rows | None, rounds: int) -> Fitted:
    """Gradient boosted trees by XGBoost, on histograms."""
    several = {"objective": "multi:softprob", "num_class": setup.classes, "eval_metric": "mlogloss"}
    params = {
        "tree_method": "hist",
        "nthread": setup.threads,
        "seed": setup.seed,
        "verbosity": 0,
        **({"objective": "binary:logistic", "eval_metric": "logloss"} if setup.classes == 2 else several),
        **setup.params,
    }
    training = xgb.QuantileDMatrix(rows[0], rows[1], nthread=setup.threads)
    evals = [(xgb.QuantileDMatrix(*held_out, ref=training, nthread=setup.threads), "held_out")] if held_out else []
    booster = xgb.train(
        params,
        training,
        rounds or ROUNDS_MAX,
        evals=evals,
        early_stopping_rounds=PATIENCE if held_out else None,
        verbose_eval=False,
        callbacks=[_XGBoostTime(setup)],
    )
    best = booster.best_iteration + 1 if held_out else booster.num_boosted_rounds()
    return _XGBoost(booster[:best], best)


@dataclass(frozen=True, slots=True)
class _Logistic:
    model: Any
    features: Features
    classes: int
    rounds: int = 0

    def probabilities(self, matrix: Array) -> Array:
        return _spread(self.model.predict_proba(self.features.wide(matrix)), self.model.classes_, self.classes)

    def member(self) -> Member:
        return self.features.linear(self.model.coef_, self.model.intercept_)

    def native(self) -> tuple[str, bytes]:
        return "", b""


def fit_logistic(setup: Setup, rows: Rows, held_out: Rows | None, rounds: int) -> Fitted:
    """Logistic regression on scaled numbers and one-hot text."""
    matrix, labels = rows
    if len(found := np.unique(labels)) < 2:
        return _Always(int(found[0]), setup.classes)
    text = [at for at, code in enumerate(setup.codes) if code.kind is ColumnKind.STRING]
    features = Features.of(matrix, text, [len(setup.codes[at].levels) for at in text])
    model = LogisticRegression(C=setup.params["C"], max_iter=setup.params["max_iter"], random_state=setup.seed)
    model.fit(features.wide(matrix), labels)
    return _Logistic(model, features, setup.classes)


@dataclass(frozen=True, slots=True)
class _ExtraTrees:
    model: Any
    fill: Array
    classes: int
    rounds: int = 0

    def probabilities(self, matrix: Array) -> Array:
        known = np.where(np.isnan(matrix), self.fill, matrix)
        return _spread(self.model.predict_proba(known), self.model.classes_, self.classes)

    def member(self) -> Member:
        return flatten.sklearn_forest([e.tree_ for e in self.model.estimators_], self.fill)

    def native(self) -> tuple[str, bytes]:
        return "", b""


def fit_extra_trees(setup: Setup, rows: Rows, held_out: Rows | None, rounds: int) -> Fitted:
    """Extremely randomised trees by scikit-learn; a missing value is lower than every known one."""
    matrix, labels = rows
    if len(found := np.unique(labels)) < 2:
        return _Always(int(found[0]), setup.classes)
    fill = lowest(matrix)
    wanted = {**setup.params, "min_samples_leaf": _leaf_rows(setup.params["min_samples_leaf"], len(labels))}
    trees = int(wanted.pop("n_estimators") or 1)
    model = ExtraTreesClassifier(n_jobs=setup.threads, random_state=setup.seed, warm_start=True, **wanted)
    known = np.where(np.isnan(matrix), fill, matrix)
    for grown in range(TREES_AT_ONCE, trees + TREES_AT_ONCE, TREES_AT_ONCE):
        model.set_params(n_estimators=min(grown, trees)).fit(known, labels)
        if setup.stop():
            raise TrialStopped
        if setup.late():
            break
    return _ExtraTrees(model, fill, setup.classes)


@dataclass(frozen=True, slots=True)
class _Always:
    """What a fold without a second class can learn: that one class. Never refitted on all rows, hence no member."""

    only: int
    classes: int
    rounds: int = 0

    def probabilities(self, matrix: Array) -> Array:
        return _spread(np.ones((len(matrix), 1)), np.array([self.only]), self.classes)

    def member(self) -> Member:
        raise NotImplementedError("All rows have at least two classes")

    def native(self) -> tuple[str, bytes]:
        return "", b""


LEARNERS: Mapping[Algorithm, Fit] = {
    Algorithm.LIGHTGBM: fit_lightgbm,
    Algorithm.XGBOOST: fit_xgboost,
    Algorithm.LOGISTIC_REGRESSION: fit_logistic,
    Algorithm.EXTRA_TREES: fit_extra_trees,
}


def _leaf_rows(wanted: Param, rows: int) -> int:
    """Few rows need small leaves, or nothing can be split."""
    return max(1, min(int(wanted or 1), rows // 20))


def _two_columns(predicted: Any) -> Array:
    values = np.asarray(predicted, dtype=np.float64)
    return np.column_stack((1.0 - values, values)) if values.ndim == 1 else values


def _spread(probabilities: Array, present: Labels, classes: int) -> Array:
    """Columns for all classes, where a fold met only some."""
    full = np.zeros((len(probabilities), classes))
    full[:, present] = probabilities
    return full
