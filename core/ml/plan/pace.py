"""How long trials take, by those that have ended: whether one may still end in time, and on how many rows."""

from dataclasses import dataclass, field
from statistics import median

from core.domain.algorithms import Algorithm
from core.domain.training import Trial
from core.ml.plan.config import Config
from core.ml.task import REPEAT, TRAINING_ROWS, Params

BOOSTERS = frozenset({Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.XGBOOST_REGRESSOR, Algorithm.CATBOOST})
"""They stop adding trees when their time is over, so that they may start a little late."""
LATE = 2.0
"""A booster may start when this many times of what is left would be its own time."""
FIXED_SHARE = 0.5
"""Of the time of a trial on some of the rows: what all rows cost anyway, since all of them are read and answered."""
CELLS_FIRST = 1_000_000
"""The first model comes from at most so many cells, to be there soon; no table of fewer is ever thinned."""
ROWS_MIN = 2_000
ROWS_STEP = 2
TIME_SHARE = 0.8
"""A trial on all rows is begun when it is expected to take no more than this share of the time left, else on fewer."""
RECENT = 7


@dataclass
class Pace:
    """Times are linear in the rows that a model learns from."""

    rows: int
    """That each model of a trial learns from."""
    columns: int
    seen: dict[str, list[float]] = field(default_factory=dict)
    """Seconds on all rows, by algorithm."""

    def note(self, trial: Trial) -> None:
        """A trial has ended that was trained to its end."""
        took = trial.duration_s
        if (part := self._part(trial.params)) < 1:
            took = FIXED_SHARE * took + (1 - FIXED_SHARE) * took / part
        self.seen.setdefault(trial.algorithm, []).append(took)

    def expected_s(self, config: Config) -> float:
        """0 while nothing is known of its algorithm."""
        seen = self.seen.get(config.algorithm, [])[-RECENT:]
        if not seen:
            return 0.0
        return median(seen) * self._part(config.params)

    def fits(self, config: Config, left_s: float) -> bool:
        """It may end in time."""
        return self.expected_s(config) <= left_s * (LATE if config.algorithm in BOOSTERS else 1.0)

    def first(self, config: Config) -> Config:
        """The first of all, on so few rows that a model is there soon."""
        return self._on(config, self._stepped(CELLS_FIRST / max(1, self.columns)))

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
