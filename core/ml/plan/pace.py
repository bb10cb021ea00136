"""How long trials take, by those that have ended: whether one may still end in time, and on how many rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from statistics import median

from core.domain.algorithms import Algorithm
from core.domain.training import Trial
from core.ml.featurize import FEATURES
from core.ml.plan.config import Config
from core.ml.task import REPEAT, TRAINING_ROWS, Param, Params

BOOSTERS = frozenset({Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.XGBOOST_REGRESSOR, Algorithm.CATBOOST})
"""They stop adding trees when their time is over, so that they may start a little late."""
LATE = 2.0
"""A booster may start when this many times of what is left would be its own time."""
FIXED_SHARE = 0.5
"""Of the time of a trial on some of the rows: what all rows cost anyway, since all of them are read and answered."""
CELLS_FIRST = 1_000_000
"""The first model comes from at most so many cells, to be there soon; no table of fewer is thinned later."""
ROW_CELLS = 8
"""So many cells a row counts at least: to choose it, to answer it and to judge the answer takes time, too."""
COLUMNS_FIRST = 500
"""Of more columns, each tree of a first LightGBM sees so many, by chance."""
ROWS_MIN = 2_000
ROWS_STEP = 2
TIME_SHARE = 0.8
"""A trial on all rows is begun when it is expected to take no more than this share of the time left, else on fewer."""
RECENT = 7
AFFORDABLE_SHARE = 0.2
"""Of the time left: a configuration that would take more waits until the cheaper ones are done."""
UNITS: Mapping[Algorithm, float] = {
    Algorithm.LOGISTIC_REGRESSION: 0.4,
    Algorithm.ELASTIC_NET: 0.4,
    Algorithm.BERNOULLI_NAIVE_BAYES: 0.1,
    Algorithm.LINEAR_SVM: 0.6,
    Algorithm.SVM: 4.0,
    Algorithm.CATBOOST: 4.0,
    Algorithm.EXTRA_TREES: 2.5,
    Algorithm.RANDOM_FOREST: 4.0,
    Algorithm.NEURAL_NETWORK: 2.0,
}
"""Measured on the Bank Marketing table and on telco churn; 1 for the boosters of LightGBM and XGBoost."""
RATES = ("learning_rate", "eta")
USUAL_RATE, RATE_POWER = 0.1, 0.9
USUAL_LEAVES, LEAVES_POWER = 16, 0.4
SLOW_FEATURES = frozenset({"cross", "arithmetic"})
SLOW_FEATURES_UNITS = 0.7
"""Fitting them takes a booster of its own in each fold."""


def work(algorithm: str, params: Params) -> float:
    """About how much longer a configuration takes than LightGBM with 16 leaves and a rate of 0.1.

    Boosters need rounds in inverse proportion to their rate, and more of them the smaller their trees are.
    """
    units = UNITS.get(Algorithm(algorithm), 1.0)
    if algorithm in BOOSTERS:
        rate = next((_above_0(params[name], USUAL_RATE) for name in RATES if name in params), USUAL_RATE)
        units *= (USUAL_RATE / rate) ** RATE_POWER
        leaves = _above_0(params.get("num_leaves"), 2 ** min(_above_0(params.get("max_depth"), 4), 6))
        units *= (USUAL_LEAVES / leaves) ** LEAVES_POWER if algorithm != Algorithm.CATBOOST else 1.0
    added = set(str(params.get(FEATURES) or "").split("+")) & SLOW_FEATURES
    return units + SLOW_FEATURES_UNITS * len(added)


def _above_0(value: Param, usual: float) -> float:
    """A parameter that is a number above 0; what else a user's own space has there will fail in its trial alone."""
    return float(value) if isinstance(value, int | float) and 0 < value < inf else usual


@dataclass
class Pace:
    """Times are linear in the rows that a model learns from."""

    rows: int
    """That each model of a trial learns from."""
    columns: int
    seen: dict[str, list[float]] = field(default_factory=dict)
    """Seconds on all rows for a unit of work, by algorithm."""

    def note(self, trial: Trial) -> None:
        """A trial has ended that was trained to its end."""
        took = trial.duration_s
        if (part := self._part(trial.params)) < 1:
            took = FIXED_SHARE * took + (1 - FIXED_SHARE) * took / part
        self.seen.setdefault(trial.algorithm, []).append(took / work(trial.algorithm, trial.params))

    def expected_s(self, config: Config) -> float:
        """By the trials that have ended, each by the work that its configuration asks for; 0 while there is none."""
        own = self.seen.get(config.algorithm, [])[-RECENT:]
        # Of an algorithm that was not tried yet only the proportion to the others is known, which is less sure.
        seen = own or [each for some in self.seen.values() for each in some][-RECENT:]
        if not seen:
            return 0.0
        return median(seen) * work(config.algorithm, config.params) * self._part(config.params)

    def affordable(self, config: Config, left_s: float) -> bool:
        """It is expected to take no more than its share of the time that is left."""
        return self.expected_s(config) <= AFFORDABLE_SHARE * left_s

    def fits(self, config: Config, left_s: float) -> bool:
        """It may end in time."""
        return self.expected_s(config) <= left_s * (LATE if config.algorithm in BOOSTERS else 1.0)

    def first(self, config: Config, in_time: float = 1.0) -> Config:
        """The first of all, on so few rows and with so few columns a tree that a model is there soon.

        On so much fewer rows as it is less than `in_time` (1).
        """
        some = self._on(config, self._stepped(in_time * CELLS_FIRST / max(ROW_CELLS, self.columns)))
        if config.algorithm is not Algorithm.LIGHTGBM or self.columns <= COLUMNS_FIRST:
            return some
        return Config(some.algorithm, {**some.params, "feature_fraction": round(COLUMNS_FIRST / self.columns, 3)})

    def within(self, config: Config, left_s: float) -> Config:
        """On all rows where the time allows that, else on some."""
        expected = self.expected_s(config)
        if expected <= TIME_SHARE * left_s or REPEAT in config.params or self.rows * self.columns <= CELLS_FIRST:
            return config
        return self._on(config, self._stepped(self.rows * TIME_SHARE * left_s / expected))

    def _on(self, config: Config, rows: int) -> Config:
        return Config(config.algorithm, {**config.params, TRAINING_ROWS: rows}) if rows < self.rows else config

    def _stepped(self, rows: float) -> int:
        """One of few numbers, so that the same configuration is the same again."""
        stepped = ROWS_MIN
        while stepped * ROWS_STEP <= rows:
            stepped *= ROWS_STEP
        return stepped

    def _part(self, params: Params) -> float:
        return min(1.0, int(params.get(TRAINING_ROWS) or self.rows) / max(1, self.rows))
