"""What the folds of a bag do alike, done at once: their steps as one chain of steps, their members as one member.

For a single row nearly all of the time is in the calls, not in the numbers: five folds at once take little longer than
one. Each fold goes on reading its own columns; only where those stand in the matrix is another place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.predict.arrays import AnyArray, Array
from core.predict.linear import Linear
from core.predict.network import Network
from core.predict.part import Part
from core.predict.steps import Step, joined_step

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of several parts as one chain, and where each part's columns stand in the matrix that it makes."""

    steps: tuple[Step, ...]
    places: tuple[Places, ...]
    width: int


def same_steps(parts: Sequence[Part]) -> bool:
    """Whether the parts have the same kinds of steps in the same order, so that they can be one chain."""
    kinds = {tuple((step.kind, step.shape) for step in part.steps) for part in parts}
    return len(kinds) == 1


def chain(parts: Sequence[Part], columns: int) -> Chain:
    """The steps of parts that are `same_steps`, over a matrix of so many columns. Raises IndexError for damage."""
    places = [np.arange(columns) for _ in parts]
    steps, width = [], columns
    for found in zip(*(part.steps for part in parts), strict=True):
        moved = [joined_step([step], [place]) for step, place in zip(found, places, strict=True)]
        if all(_equal(moved[0], other) for other in moved[1:]):  # fitted on the same columns alone, as sums are
            step, starts = moved[0], [width] * len(parts)
        else:
            step = joined_step(found, places)
            starts = (width + np.cumsum([0, *(len(one.sources) for one in found[:-1])])).tolist()
        places = [
            np.append(place, np.arange(start, start + len(one.sources)))
            for place, start, one in zip(places, starts, found, strict=True)
        ]
        steps.append(step)
        width += len(step.sources)
    return Chain(tuple(steps), tuple(places), width)


def joined_linear(members: Sequence[Linear], places: Sequence[Places]) -> Linear:
    """One whose outputs are those of each member, one after the other."""
    rows = np.cumsum([0, *(len(member.table) for member in members)])
    return Linear(
        numeric=np.concatenate([place[m.numeric] for m, place in zip(members, places, strict=True)]).astype(np.int32),
        center=np.concatenate([m.center for m in members]),
        scale=np.concatenate([m.scale for m in members]),
        coef=_diagonal([m.coef for m in members]),
        absent=_diagonal([m.absent for m in members]),
        text=np.concatenate([place[m.text] for m, place in zip(members, places, strict=True)]).astype(np.int32),
        start=np.concatenate([m.start + at for m, at in zip(members, rows[:-1], strict=True)]).astype(np.int32),
        size=np.concatenate([m.size for m in members]),
        table=_diagonal([m.table for m in members]),
        intercept=np.concatenate([m.intercept for m in members]),
        link="value",
    )


def alike_linear(members: Sequence[Linear]) -> bool:
    """Whether they can be one."""
    return len({(member.link, len(member.intercept)) for member in members}) == 1


def alike_networks(members: Sequence[Network]) -> bool:
    """Whether they can be one."""
    shapes = {(m.activation, m.link, *(weights.shape for weights in m.weights)) for m in members}
    return len(shapes) == 1


def _diagonal(blocks: Sequence[AnyArray]) -> Array:
    """Each block in rows and columns of its own, zeros elsewhere."""
    rows, columns = (np.cumsum([0, *(block.shape[axis] for block in blocks)]) for axis in (0, 1))
    whole = np.zeros((rows[-1], columns[-1]))
    for at, block in enumerate(blocks):
        whole[rows[at] : rows[at + 1], columns[at] : columns[at + 1]] = block
    return whole


def _equal(one: Step, other: Step) -> bool:
    first, second = one.arrays(), other.arrays()
    return all(np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f") for name in first)
