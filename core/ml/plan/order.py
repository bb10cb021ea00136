"""Which configuration is next. It looks at what was tried and how good it was, never at a clock."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from statistics import pstdev

from core.domain.algorithms import Algorithm
from core.domain.metrics import gain
from core.domain.training import Sampling, TrainingSpec, TrialState
from core.ml.featurize import FEATURES
from core.ml.finished import FinishedTrial
from core.ml.leaderboard import Leaderboard
from core.ml.learners.registry import LEARNERS
from core.ml.plan.bayesian import History, suggest
from core.ml.plan.config import Config, key, own
from core.ml.plan.drawing import Space, draw, grid
from core.ml.plan.pace import BOOSTERS
from core.ml.plan.portfolio import JOINED, portfolio, tried_by_itself, with_features
from core.ml.plan.spaces import SPACES
from core.ml.task import REPEAT, TRAINING_ROWS, Params

TURNS = (0, 1, 0, 2, 0, 1)
"""Around whose best the next sample is: the best algorithm's half of the time, then the second's and the third's."""
TRIES, TRIES_BY_CHANCE = 4, 40
"""So often a configuration that was tried already is drawn before the space counts as used up."""
IDLE_BEFORE_REPEATS = 12
"""Configurations in a row without a better one after which every other trial repeats one of the best."""
REPEATED = 5
REPEATS_MAX = 3
"""The best ones are repeated on other folds, each so often: more models in the vote, and a surer figure."""
LAG_SPREADS = 4.0
"""An algorithm whose best is so many standard deviations of the best trial's folds behind waits for the others."""
IDLE_MAX = 150
"""Configurations in a row without a better one, all repeats done, after which the rest of the time is given back."""
IDLE_PERFECT = 20
"""The same where nothing can be better: Azure's own number."""
PERFECT = 1 - 1e-9


class Order:
    """The order of one search's configurations; `why_done` says why there is none left to try."""

    def __init__(self, spec: TrainingSpec, board: Leaderboard, sets: Sequence[str] = ()) -> None:
        """`sets` are the sets of columns that can be added to this table."""
        self._spec, self._board, self._sets = spec, board, sets
        self._enriched = set[str]()
        self._given = {key(f.trial.algorithm, f.trial.params) for f in board.singles if _settled(f)}
        self._sampled = spec.search_space or {}
        self._listed = self._list()
        self._postponed = list[Config]()
        self.why_done = ""
        self.behind = set[Algorithm]()
        """Algorithms of which a trial waits, since its first folds were far behind the best."""

    def next(self, affordable: Callable[[Config], bool] = lambda _: True) -> Config | None:
        """One that was not tried yet; None when nothing is left that could be gained.

        Of the list those that are not `affordable` wait for the others.
        """
        if self._spec.enable_early_termination and self._perfect() and (idle := self._idle()) >= IDLE_PERFECT:
            self.why_done = f"the best score that there is was reached, and {idle} more trials could not be better"
            return None
        config = self._of_list(affordable)
        if config is None and self._spec.sampling_algorithm is not Sampling.GRID:
            config = self._further()
        if config is None:
            self.why_done = self.why_done or "every configuration that was asked for has been tried"
        else:
            self._given.add(config.key)
        return config

    def _of_list(self, affordable: Callable[[Config], bool]) -> Config | None:
        """The first of the list that is affordable; where none is, the first that had to wait."""
        for config in self._listed:
            if config.key in self._given:
                continue
            if affordable(config) and not self._lags(config):
                return config
            self._postponed.append(config)
        return self._postponed.pop(0) if self._postponed else None

    def _lags(self, config: Config) -> bool:
        """Its algorithm was tried and is far behind the best; with added columns it may be another thing."""
        if FEATURES in config.params or not self._board.ranked:
            return False
        metric, best = self._spec.primary_metric, self._board.ranked[0].trial
        own = next((f.trial for f in self._board.ranked if f.trial.algorithm == config.algorithm), None)
        if own is None or len(best.fold_scores) < 2:
            return own is None and config.algorithm in self.behind
        behind = gain(metric, best.metrics.get(metric, 0.0)) - gain(metric, own.metrics.get(metric, 0.0))
        return behind > LAG_SPREADS * pstdev(best.fold_scores)

    def _list(self) -> Iterator[Config]:
        """What is tried before anything is sampled."""
        if self._spec.sampling_algorithm is Sampling.GRID and self._sampled:
            return self._grid()
        if self._sampled:
            return iter(())
        if self._spec.sampling_algorithm is Sampling.RANDOM:
            return self._without_space()
        return portfolio(self._spec, self._sets)

    def _without_space(self) -> Iterator[Config]:
        """The own configurations of what cannot be sampled, where it was asked for or nothing else is left."""
        named, others = self._spec.allowed_training_algorithms, set(tried_by_itself(self._spec)) & set(SPACES)
        for config in portfolio(self._spec, self._sets):
            if config.algorithm not in SPACES and (config.algorithm in named or not others):
                yield config

    def _grid(self) -> Iterator[Config]:
        """The algorithms in turn, since the time may not suffice for all."""
        spaces = {name: grid(space) for name, space in self._sampled.items()}
        while spaces:
            for name in list(spaces):
                if (values := next(spaces[name], None)) is None:
                    del spaces[name]
                else:
                    yield self._config(Algorithm(name), values)

    def _further(self) -> Config | None:
        """A sample around the best, or one of the best again; None when neither is worth its time."""
        idle = self._idle()
        if (richer := self._richer()) is not None:
            return richer
        stale = idle >= IDLE_BEFORE_REPEATS and not self._perfect()
        again = self._repeat() if stale and len(self._board.singles) % 2 else None
        if again is None and self._spec.enable_early_termination and idle >= IDLE_MAX:
            self.why_done = f"the last {idle} configurations brought nothing better"
            return None
        return again or self._sample() or self._repeat()

    def _richer(self) -> Config | None:
        """The best booster with one more set of added columns, each once."""
        best = next((f.trial for f in self._board.ranked if f.trial.algorithm in BOOSTERS), None)
        if best is None or self._sampled or self._spec.sampling_algorithm is Sampling.RANDOM:
            return None
        had = str(best.params.get(FEATURES, "")).split(JOINED)
        for name in [s for s in self._sets if s not in self._enriched]:
            self._enriched.add(name)
            config = Config(Algorithm(best.algorithm), with_features(own(best.params), [*had, name], self._sets))
            if config.key not in self._given:
                return config
        return None

    def _sample(self) -> Config | None:
        names = self._algorithms()
        for attempt in range(TRIES + TRIES_BY_CHANCE if names else 0):
            seed = hash((self._spec.seed, len(self._given), attempt)) % 2**31  # of whole numbers: the same everywhere
            random = Random(seed)  # noqa: S311 - no secret
            config = self._drawn(names, None if attempt >= TRIES else seed, random)
            if config.key not in self._given:
                return config
        return None

    def _drawn(self, names: Sequence[Algorithm], seed: int | None, random: Random) -> Config:
        """By what is known of the best algorithms; without a seed for that, by chance."""
        if self._spec.sampling_algorithm is Sampling.RANDOM or seed is None:
            name = random.choice(names)
            return self._config(name, draw(self._space(name), random))
        name = names[TURNS[len(self._given) % len(TURNS)] % len(names)]
        return self._config(name, suggest(self._space(name), self._history(name), seed))

    def _algorithms(self) -> list[Algorithm]:
        """Those with a space, best first; one that has not been tried stands before all that have."""
        best: dict[str, int] = {}
        for place, finished in enumerate(self._board.ranked):
            best.setdefault(finished.trial.algorithm, place)
        failed = ({f.trial.algorithm for f in self._board.singles} | self.behind) - set(best)
        names = [Algorithm(n) for n in self._sampled] or [a for a in tried_by_itself(self._spec) if a in SPACES]
        last = len(self._board.ranked)
        return sorted((n for n in names if n in LEARNERS), key=lambda n: last if n in failed else best.get(n, -1))

    def _space(self, name: Algorithm) -> Space:
        return self._sampled.get(name) or SPACES[name]

    def _history(self, name: Algorithm) -> History:
        metric, seen = self._spec.primary_metric, list[tuple[Params, float]]()
        for finished in self._board.singles:
            trial = finished.trial
            value = trial.metrics.get(metric, float("nan"))
            if trial.algorithm == name and value == value and REPEAT not in trial.params:
                seen.append((trial.params, gain(metric, value)))
        return seen

    def _config(self, name: Algorithm, values: Params) -> Config:
        """The values, and for the rest what the algorithm's best trial has, or its first configuration."""
        best = next((f.trial.params for f in self._board.ranked if f.trial.algorithm == name), None)
        rest = best if best is not None and not self._sampled else LEARNERS[name].configs[0]
        return Config(name, {**own(rest), **values})

    def _repeat(self) -> Config | None:
        """The best configurations once more on other folds, the one with the fewest repeats first."""
        for count in range(1, REPEATS_MAX + 1):
            for finished in self._top():
                trial = finished.trial
                config = Config(Algorithm(trial.algorithm), {**own(trial.params), REPEAT: count})
                if config.key not in self._given:
                    return config
        return None

    def _top(self) -> Iterable[FinishedTrial]:
        found = [f for f in self._board.ranked if not {REPEAT, TRAINING_ROWS} & set(f.trial.params)]
        return found[:REPEATED]

    def _idle(self) -> int:
        """Configurations since the best one was found."""
        if not self._board.ranked:
            return 0
        first = next((f for f in self._board.ranked if REPEAT not in f.trial.params), self._board.ranked[0])
        return sum(f.trial.number > first.trial.number and REPEAT not in f.trial.params for f in self._board.singles)

    def _perfect(self) -> bool:
        if not self._board.ranked:
            return False
        metric = self._spec.primary_metric
        best = gain(metric, self._board.ranked[0].trial.metrics.get(metric, float("nan")))
        return best >= (PERFECT if gain(metric, 1.0) > 0 else -1e-9)


def _settled(finished: FinishedTrial) -> bool:
    """Not one that the end of the time cut off: it may be tried again."""
    return finished.trial.state is not TrialState.STOPPED or bool(finished.trial.error)
