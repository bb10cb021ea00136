"""The parts of a bag in one call, where they are alike: their steps as one chain, their members as one member.

Of five folds a row then takes a third of the time, since most of it is in the calls. Forests answer with the very same
bits; of linear models and networks the sums are added in another order, which changes the last digit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, TypeVar

import numpy as np

from core.predict.arrays import LINKS, AnyArray, Array
from core.predict.forest import FOREST_ARRAYS, Forest
from core.predict.joining import Chain, Places, alike_linear, alike_networks, chain, joined_linear, same_steps
from core.predict.kernel import packed
from core.predict.linear import Linear
from core.predict.network import ACTIVATIONS, Network
from core.predict.part import Part, bagged
from core.predict.steps import Step, widened

Sums = Callable[[Array], Array]
"""The widened matrix -> rows x outputs before the link: those of the first part, then of the second one, and so on."""
PRODUCT_ROWS_MAX = 64
"""The joined matrices are mostly zeros, which many rows pay for. Measured of 5 folds: at 64 rows both take as long."""
STEP_ROWS_MAX = 512
"""The matrix of all folds' columns no longer stays near the processor. Measured: at 512 rows both take as long."""
M = TypeVar("M", bound=Forest | Linear | Network)


@dataclass(frozen=True, slots=True)
class Bag:
    """Parts that answer together."""

    parts: tuple[Part, ...]
    columns: int
    """Of the encoded matrix."""
    steps: tuple[Step, ...]
    sums: Sums
    link: str
    shares: Array
    rows_max: float
    """Beyond so many rows the parts are quicker one by one."""

    def __reduce__(self) -> tuple[Any, ...]:
        """What the compiled evaluator reads lies in this process alone, and is made anew in another."""
        return merged, (self.parts, self.columns)

    def answers(self, matrix: Array) -> Array:
        """What `bagged` gives of the parts."""
        sums = self.sums(widened(matrix, self.steps))
        count = len(self.parts)
        said = LINKS[self.link](sums.reshape(len(matrix) * count, -1)).reshape(len(matrix), count, -1)
        # One after the other, as `bagged` adds them; a sum over an axis may add in another order.
        return np.asarray(np.add.accumulate(said * self.shares, axis=1)[:, -1])


def answers(parts: Sequence[Part], bag: Bag | None, matrix: Array) -> Array:
    """The weighted mean of what the parts say, in one call where they are merged and that is the quicker way."""
    return bag.answers(matrix) if bag and len(matrix) <= bag.rows_max else bagged(parts, matrix)


def merged(parts: Sequence[Part], columns: int) -> Bag | None:
    """The parts for one call over a matrix of so many columns; None where they are not alike, or have no library.

    Damaged parts, which ask for columns that are not there, are None, too: whoever checks them says what is wrong.
    """
    kind = alike(parts)
    if kind is None:
        return None
    try:
        found = chain(parts, columns)
        sums = _sums(parts, kind, found)
    except IndexError:
        return None
    link = parts[0].member.link  # type: ignore[attr-defined]  # all kinds that are ever alike have one
    if sums is None:
        return None
    shares = np.array([part.share for part in parts])[:, None]
    rows_max = PRODUCT_ROWS_MAX if kind is not Forest else STEP_ROWS_MAX if found.steps else inf
    return Bag(tuple(parts), columns, found.steps, sums, link, shares, rows_max)


def alike(parts: Sequence[Part]) -> type[Forest] | type[Linear] | type[Network] | None:
    """The kind of the parts' members, where they can be one; else None."""
    if len(parts) < 2 or not same_steps(parts):
        return None
    if forests := _all(Forest, parts):
        return Forest if len({_kind(forest) for forest in forests}) == 1 and forests[0].value.ndim == 1 else None
    if linear := _all(Linear, parts):
        return Linear if alike_linear(linear) else None
    if networks := _all(Network, parts):
        return Network if alike_networks(networks) else None
    return None


def _sums(parts: Sequence[Part], kind: type, found: Chain) -> Sums | None:
    if kind is Forest:
        return _forest_sums(_all(Forest, parts), found)
    if kind is Linear:
        return joined_linear(_all(Linear, parts), found.places).margins
    return _network_sums(_all(Network, parts), found.places)


def _all(kind: type[M], parts: Sequence[Part]) -> list[M]:
    """The members, where all are of that kind; else none."""
    found = [part.member for part in parts if isinstance(part.member, kind)]
    return found if len(found) == len(parts) else []


def _kind(forest: Forest) -> tuple[object, ...]:
    how = (forest.link, forest.cast32, forest.sum32, len(forest.base), len(forest.set_of) > 0)
    return (*how, forest.value.ndim, len(forest.fill) > 0)


def _forest_sums(forests: Sequence[Forest], found: Chain) -> Sums | None:
    fill = _filled(forests, found)
    if fill is None or not all(forest.compiled for forest in forests):
        return None
    arrays, sum32 = _joined(forests, found.places), forests[0].sum32
    together = packed(arrays | {"fill": fill}, cast32=forests[0].cast32, sum32=sum32)
    if together is None or sum32:  # in float32 the sums begin with the base
        return together
    scale, base = np.repeat([forest.scale for forest in forests], len(forests[0].base)), arrays["base"]

    def sums(matrix: Array) -> Array:
        made = together(matrix)
        made *= scale
        made += base
        return made

    return sums


def _filled(forests: Sequence[Forest], found: Chain) -> Array | None:
    """What stands for NaN in each column of the chain's matrix; None where two forests would fill one differently."""
    if not len(forests[0].fill):
        return np.zeros(0)
    if any(len(forest.fill) != len(own) for forest, own in zip(forests, found.places, strict=True)):
        return None
    fill = np.full(found.width, np.nan)
    for forest, own in zip(forests, found.places, strict=True):
        fill[own] = forest.fill
    same = (np.array_equal(fill[own], f.fill, equal_nan=True) for f, own in zip(forests, found.places, strict=True))
    return fill if all(same) else None


def _joined(forests: Sequence[Forest], places: Sequence[Places]) -> dict[str, AnyArray]:
    """The arrays of one forest of all trees, each with the outputs of its own forest."""
    nodes = np.cumsum([0, *(len(forest.feature) for forest in forests)])
    later = dict.fromkeys(("roots", "left", "right"), nodes)
    later["output"] = np.arange(len(forests) + 1) * len(forests[0].base)
    joined = {
        name: np.concatenate([getattr(f, name) + later[name][at] if name in later else getattr(f, name)
                              for at, f in enumerate(forests)])
        for name in FOREST_ARRAYS
        if name != "fill"
    }  # fmt: skip
    joined["feature"] = np.concatenate([own[f.feature] for f, own in zip(forests, places, strict=True)])
    if len(forests[0].set_of):
        sets = np.cumsum([0, *(len(forest.set_start) - 1 for forest in forests)])
        words = np.cumsum([0, *(len(forest.words) for forest in forests)])
        asked = [np.where(f.set_of >= 0, f.set_of + sets[at], -1) for at, f in enumerate(forests)]
        starts = [f.set_start[:-1] + words[at] for at, f in enumerate(forests)]
        joined |= {
            "set_of": np.concatenate(asked),
            "set_start": np.append(np.concatenate(starts), words[-1]),
            "words": np.concatenate([f.words for f in forests]),
        }
    return joined


def _network_sums(networks: Sequence[Network], places: Sequence[Places]) -> Sums:
    """The layers of all networks as products of stacks of matrices."""
    first = joined_linear([network.first for network in networks], places)
    active, count = ACTIVATIONS[networks[0].activation], len(networks)
    layers = range(len(networks[0].weights))
    weights = [np.stack([network.weights[at] for network in networks]) for at in layers]
    biases = [np.stack([network.biases[at][None, :] for network in networks]) for at in layers]

    def sums(matrix: Array) -> Array:
        made = first.margins(matrix).reshape(len(matrix), count, -1).transpose(1, 0, 2)
        for layer, bias in zip(weights, biases, strict=True):
            made = active(made) @ layer + bias
        return np.ascontiguousarray(made.transpose(1, 0, 2)).reshape(len(matrix), -1)

    return sums
