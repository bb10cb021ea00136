"""Parts of a bag that are alike, by few calls of numpy: their steps as one chain, their members as one member.

Of five folds a row then takes a third of the time, since most of it is in the calls. The sums are added in another
order, which changes the last digit. Trees are no part of it: without the library their walk is what takes the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from core.predict.arrays import LINKS, Array
from core.predict.joining import Chain, Places, alike_linear, alike_networks, chain, joined_linear, same_steps
from core.predict.linear import Linear
from core.predict.network import ACTIVATIONS, Network
from core.predict.part import Part, bagged
from core.predict.steps import Step, widened

Sums = Callable[[Array], Array]
"""The widened matrix -> rows x outputs before the link: those of the first part, then of the second one, and so on."""
PRODUCT_ROWS_MAX = 64
"""The joined matrices are mostly zeros, which many rows pay for. Measured of 5 folds: at 64 rows both take as long."""
M = TypeVar("M", bound=Linear | Network)


@dataclass(frozen=True, slots=True)
class Merged:
    """Parts that answer together."""

    parts: tuple[Part, ...]
    columns: int
    """Of the encoded matrix."""
    steps: tuple[Step, ...]
    sums: Sums
    link: str
    shares: Array

    def __reduce__(self) -> tuple[Any, ...]:
        """The sums are a function of this process, and are made anew in another."""
        return merged, (self.parts, self.columns)

    def answers(self, matrix: Array) -> Array:
        """What `bagged` gives of the parts."""
        sums = self.sums(widened(matrix, self.steps))
        count = len(self.parts)
        said = LINKS[self.link](sums.reshape(len(matrix) * count, -1)).reshape(len(matrix), count, -1)
        # One after the other, as `bagged` adds them; a sum over an axis may add in another order.
        return np.asarray(np.add.accumulate(said * self.shares, axis=1)[:, -1])


def answers(parts: Sequence[Part], bag: Merged | None, matrix: Array) -> Array:
    """The weighted mean of what the parts say, in one call where they are merged and that is the quicker way."""
    return bag.answers(matrix) if bag and len(matrix) <= PRODUCT_ROWS_MAX else bagged(parts, matrix)


def merged(parts: Sequence[Part], columns: int) -> Merged | None:
    """The parts together over a matrix of so many columns; None where they are not alike.

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
    shares = np.array([part.share for part in parts])[:, None]
    return Merged(tuple(parts), columns, found.steps, sums, link, shares)


def alike(parts: Sequence[Part]) -> type[Linear] | type[Network] | None:
    """The kind of the parts' members, where they can be one; else None."""
    if len(parts) < 2 or not same_steps(parts):
        return None
    if linear := _all(Linear, parts):
        return Linear if alike_linear(linear) else None
    if networks := _all(Network, parts):
        return Network if alike_networks(networks) else None
    return None


def _sums(parts: Sequence[Part], kind: type, found: Chain) -> Sums:
    if kind is Linear:
        return joined_linear(_all(Linear, parts), found.places).margins
    return _network_sums(_all(Network, parts), found.places)


def _all(kind: type[M], parts: Sequence[Part]) -> list[M]:
    """The members, where all are of that kind; else none."""
    found = [part.member for part in parts if isinstance(part.member, kind)]
    return found if len(found) == len(parts) else []


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
