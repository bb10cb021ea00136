"""Bayesian sampling: Optuna's tree-structured Parzen estimator, asked anew from what has ended.

It keeps nothing between two questions, so a job that was killed goes on where it was. Optuna is imported at the first
question: a job that ends within its portfolio does not wait for it, and no other process has it.
"""

import warnings
from collections.abc import Sequence
from typing import Any

from core.domain.search_space import Distribution, DistributionKind, ParamValue
from core.ml.plan.drawing import Space, at, share_of
from core.ml.task import Params

RANDOM_FIRST = 4
"""So few trials say nothing of where to look."""
HISTORY_MAX = 200
"""More trials only cost time."""

History = Sequence[tuple[Params, float]]
"""What was tried, with its gain: more is better."""


def suggest(space: Space, history: History, seed: int) -> dict[str, ParamValue]:
    """Where to look next; the same for the same history and seed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=RANDOM_FIRST)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        asked = {name: _asked(optuna.distributions, d) for name, d in space.items()}
        known = [(params, gain) for params, gain in history if set(space) <= set(params)]
        for params, gain in known[-HISTORY_MAX:]:
            placed = {name: _placed(d, params[name]) for name, d in space.items()}
            study.add_trial(optuna.trial.create_trial(params=placed, distributions=asked, value=gain))
        found = study.ask(asked).params
    return {name: _value(d, found[name]) for name, d in space.items()}


def _listed(d: Distribution) -> bool:
    return d.kind in (DistributionKind.CHOICE, DistributionKind.RANDINT)


def _asked(kinds: Any, d: Distribution) -> Any:
    """Numbers are sampled by the share of the distribution that lies below them, so that all kinds are one."""
    if d.kind is DistributionKind.CHOICE:
        return kinds.CategoricalDistribution(tuple(range(len(d.values))))
    if d.kind is DistributionKind.RANDINT:
        return kinds.IntDistribution(0, int(d.high) - 1)
    return kinds.FloatDistribution(0.0, 1.0)


def _placed(d: Distribution, value: ParamValue) -> float:
    if d.kind is DistributionKind.CHOICE:
        return d.values.index(value) if value in d.values else 0
    if not isinstance(value, int | float):
        return 0 if _listed(d) else 0.5
    if d.kind is DistributionKind.RANDINT:
        return min(max(int(value), 0), int(d.high) - 1)
    return share_of(d, float(value))


def _value(d: Distribution, found: float) -> ParamValue:
    if d.kind is DistributionKind.CHOICE:
        return d.values[int(found)]
    if d.kind is DistributionKind.RANDINT:
        return int(found)
    return at(d, float(found))
