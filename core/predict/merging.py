"""The forests of a bag's folds in one call: the compiled evaluator sums each by itself, as outputs of one forest.

Of five folds a row then takes a third of the time, since most of it is the call. The answers are the very same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.predict.arrays import LINKS, AnyArray, Array
from core.predict.forest import FOREST_ARRAYS, Forest
from core.predict.kernel import Packed, packed
from core.predict.part import Part, bagged


@dataclass(frozen=True, slots=True)
class Bag:
    """Parts that answer together."""

    parts: tuple[Part, ...]
    together: Packed
    """All their trees; the outputs are those of the first part, then of the second one, and so on."""
    shares: Array
    base: Array
    """Of all outputs; none where the sums begin with it."""
    scale: Array

    def __reduce__(self) -> tuple[Any, ...]:
        """What the compiled evaluator reads lies in this process alone, and is made anew in another."""
        return merged, (self.parts,)

    def answers(self, matrix: Array) -> Array:
        """What `bagged` gives of the parts, to the last bit."""
        first = self.parts[0].member
        assert isinstance(first, Forest)
        sums = self.together(matrix)
        if len(self.base):
            sums *= self.scale
            sums += self.base
        said = LINKS[first.link](sums.reshape(-1, len(first.base))).reshape(len(matrix), len(self.parts), -1)
        # One after the other, as `bagged` adds them; a sum over an axis may add in another order.
        return np.asarray(np.add.accumulate(said * self.shares, axis=1)[:, -1])


def answers(parts: Sequence[Part], bag: Bag | None, matrix: Array) -> Array:
    """The weighted mean of what the parts say, in one call where they are merged."""
    return bag.answers(matrix) if bag else bagged(parts, matrix)


def merged(parts: Sequence[Part]) -> Bag | None:
    """The parts for one call; None where they are of other kinds, read other columns, or there is no library."""
    forests = alike(parts)
    if not all(forest.compiled for forest in forests) or not forests:
        return None
    arrays, sum32 = _joined(forests), forests[0].sum32
    together = packed(arrays, cast32=forests[0].cast32, sum32=sum32)
    if together is None:
        return None
    shares = np.array([part.share for part in parts])[:, None]
    scale = np.repeat([forest.scale for forest in forests], len(forests[0].base))
    return Bag(tuple(parts), together, shares, arrays["base"][:0] if sum32 else arrays["base"], scale)


def alike(parts: Sequence[Part]) -> list[Forest]:
    """The forests of the parts, where they can be one; else none."""
    forests = [part.member for part in parts if isinstance(part.member, Forest) and not part.steps]
    if len(forests) != len(parts) or len(parts) < 2 or len({_kind(forest) for forest in forests}) > 1:
        return []
    return forests if all(forest.value.ndim == 1 for forest in forests) else []


def _kind(forest: Forest) -> tuple[object, ...]:
    how = (forest.link, forest.cast32, forest.sum32, len(forest.base), len(forest.set_of) > 0)
    return (*how, forest.fill.tobytes())


def _joined(forests: Sequence[Forest]) -> dict[str, AnyArray]:
    """The arrays of one forest of all trees, each with the outputs of its own forest."""
    nodes = np.cumsum([0, *(len(forest.feature) for forest in forests)])
    places = dict.fromkeys(("roots", "left", "right"), nodes)
    places["output"] = np.arange(len(forests) + 1) * len(forests[0].base)
    joined = {
        name: np.concatenate([getattr(f, name) + places[name][at] if name in places else getattr(f, name)
                              for at, f in enumerate(forests)])
        for name in FOREST_ARRAYS
    }  # fmt: skip
    joined["fill"] = forests[0].fill
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
