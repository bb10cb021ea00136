"""Values from distributions: one by chance, or each in its turn."""

import math
from collections.abc import Iterator, Mapping
from itertools import product
from random import Random
from statistics import NormalDist

from core.domain.errors import SpecInvalid
from core.domain.search_space import NORMALS, ROUNDED, Distribution, DistributionKind, ParamValue

Space = Mapping[str, Distribution]
LOGARITHMIC = (DistributionKind.LOG_UNIFORM, DistributionKind.Q_LOG_UNIFORM)
GRID_MAX = 100_000
"""Values of one hyperparameter in a grid."""
TAIL = 1e-6
"""A normal distribution is drawn from without this share at each of its ends, which has no bound."""


def draw(space: Space, random: Random) -> dict[str, ParamValue]:
    """One value each."""
    return {name: _draw(distribution, random) for name, distribution in space.items()}


def _draw(d: Distribution, random: Random) -> ParamValue:
    if d.kind is DistributionKind.CHOICE:
        return random.choice(d.values)
    if d.kind is DistributionKind.RANDINT:
        return random.randrange(int(d.high))
    return at(d, random.random())


def at(d: Distribution, share: float) -> ParamValue:
    """The value of a distribution of numbers below which `share` of it lies, rounded as its kind says."""
    if d.kind in NORMALS:
        value = NormalDist(d.mean, d.deviation).inv_cdf(min(max(share, TAIL), 1 - TAIL))
    elif d.kind in LOGARITHMIC:
        value = d.low * math.exp(share * math.log(d.high / d.low))
    else:
        value = d.low + share * (d.high - d.low)
    return _rounded(d, value)


def share_of(d: Distribution, value: float) -> float:
    """The other way round; what lies outside the distribution is at its end."""
    if d.kind in NORMALS:
        share = NormalDist(d.mean, d.deviation).cdf(value)
    elif d.kind in LOGARITHMIC:
        share = math.log(max(value, d.low) / d.low) / math.log(d.high / d.low)
    else:
        share = (value - d.low) / (d.high - d.low)
    return min(max(share, 0.0), 1.0)


def _rounded(d: Distribution, value: float) -> ParamValue:
    if d.kind not in ROUNDED:
        return float(f"{value:.6g}")
    stepped = round(value / d.step) * d.step
    return int(stepped) if float(d.step).is_integer() else float(f"{stepped:.9g}")


def grid(space: Space) -> Iterator[dict[str, ParamValue]]:
    """Every combination of the values. Raises SpecInvalid for a distribution without single values."""
    values = [_values(name, d) for name, d in space.items()]
    return (dict(zip(space, chosen, strict=True)) for chosen in product(*values))


def _values(name: str, d: Distribution) -> tuple[ParamValue, ...]:
    if d.kind is DistributionKind.CHOICE:
        return d.values
    if d.kind is DistributionKind.RANDINT and d.high <= GRID_MAX:
        return tuple(range(int(d.high)))
    if d.kind is DistributionKind.Q_UNIFORM and (d.high - d.low) / d.step <= GRID_MAX:
        first, last = math.ceil(d.low / d.step - 1e-9), math.floor(d.high / d.step + 1e-9)
        return tuple(_rounded(d, place * d.step) for place in range(first, last + 1))
    raise SpecInvalid(
        f"A grid cannot go over '{name}': a {d.kind} distribution has no list of values",
        hint="Give it as a choice, randint or quniform, or sample at random",
    )
