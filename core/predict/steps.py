"""Small fitted steps that add columns to the encoded matrix before a member reads it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable
from core.predict.arrays import AnyArray, Array, exactly, typed, within
from core.predict.scores import Scores

BORDER = float(np.finfo(np.float32).max)
"""Two of the learners read float32 and refuse what is infinite there."""
Places = npt.NDArray[np.int64]


class Step(Protocol):
    """Adds columns, computed from those that are there."""

    kind: ClassVar[str]

    @property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """Of each column that is added, the columns it is made of."""

    def added(self, matrix: Array) -> Array:
        """Rows x new columns, from the matrix as earlier steps have widened it."""

    @property
    def shape(self) -> int:
        """Steps of one kind can be joined where this is the same."""

    def arrays(self) -> dict[str, AnyArray]:
        """Everything large, for `arrays.npz`."""

    def meta(self) -> dict[str, Any]:
        """Everything small, for `model.json`."""


class StepKind(Protocol):
    """A class of steps, as a model folder is read."""

    def from_arrays(self, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Step:
        """The step that `meta` and `arrays` described. Raises ModelUnreadable."""

    def joined(self, steps: Sequence[Any], places: Sequence[Places]) -> Step:
        """One that adds what each of these does, one after the other; `places[i]` is where the columns of `i` stand."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A number for each combination of a few columns' values: how often it occurs, or what the target is there.

    A key is made of parts, each a column: of text by its code, of numbers by the range that `edges` (ascending, padded
    with infinity) give it; a missing value has a place of its own, after the others. Key `k` reads row `start[k]` + its
    combination of `table`, which has a column for each number that it adds.
    """

    kind: ClassVar[str] = "lookup"

    column: Places
    size: Places
    """Places of each part but that of a missing value."""
    edges: Array
    """Parts x edges; all infinite for a part of text."""
    numeric: npt.NDArray[np.bool_]
    first: Places
    """Of each key, its first part."""
    start: Places
    table: Array
    stride: Places = field(init=False, repr=False, compare=False)
    """What a step to a part's next place moves in the table."""

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not fit together."""
        if not self._fits():
            raise ModelUnreadable("A lookup of the model has arrays that do not fit", hint="Register the model again")
        object.__setattr__(self, "stride", self._strides())

    @property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """See `Step.sources`."""
        keys = [tuple(int(c) for c in part) for part in np.split(self.column, self.first[1:])]
        return tuple(key for key in keys for _ in range(self.table.shape[1]))

    @property
    def shape(self) -> int:
        """See `Step.shape`."""
        return int(self.table.shape[1])

    @classmethod
    def joined(cls, steps: Sequence["Lookup"], places: Sequence[Places]) -> "Lookup":
        """See `StepKind.joined`."""
        parts = np.cumsum([0, *(len(step.column) for step in steps)])
        rows = np.cumsum([0, *(len(step.table) for step in steps)])
        edges = np.full((parts[-1], max(step.edges.shape[1] for step in steps)), np.inf)
        for at, step in enumerate(steps):
            edges[parts[at] : parts[at + 1], : step.edges.shape[1]] = step.edges
        return cls(
            column=np.concatenate([place[step.column] for step, place in zip(steps, places, strict=True)]),
            size=np.concatenate([step.size for step in steps]),
            edges=edges,
            numeric=np.concatenate([step.numeric for step in steps]),
            first=np.concatenate([step.first + at for step, at in zip(steps, parts[:-1], strict=True)]),
            start=np.concatenate([step.start + at for step, at in zip(steps, rows[:-1], strict=True)]),
            table=np.concatenate([step.table for step in steps]),
        )

    def added(self, matrix: Array) -> Array:
        """See `Step.added`."""
        found = self.table[self.start + np.add.reduceat(self._places(matrix) * self.stride, self.first, axis=1)]
        return np.asarray(found.reshape(len(matrix), -1))

    def places(self, matrix: Array) -> Places:
        """The row of the table that each key reads (rows x keys)."""
        return np.asarray(self.start + np.add.reduceat(self._places(matrix) * self.stride, self.first, axis=1))

    def arrays(self) -> dict[str, AnyArray]:
        """See `Step.arrays`."""
        return {name: getattr(self, name) for name in LOOKUP_ARRAYS}

    def meta(self) -> dict[str, Any]:
        """See `Step.meta`."""
        return {}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Lookup":
        """The lookup that `arrays` described. Raises ModelUnreadable."""
        return cls(**exactly(LOOKUP_ARRAYS, arrays))

    def _places(self, matrix: Array) -> Places:
        values = matrix[:, self.column]
        missing = np.isnan(values)
        if self.numeric.any():
            ranged = (values[:, self.numeric, None] > self.edges[self.numeric]).sum(axis=2)
            values[:, self.numeric] = ranged
        # A code beyond the places, which another version of the table may have had, is as unseen as a missing one.
        known = ~missing & (values >= 0) & (values < self.size)
        return np.where(known, values, self.size).astype(np.int64)

    def _strides(self) -> Places:
        """For each part the product of the later parts' places in its key."""
        strides = np.ones(len(self.column), dtype=np.int64)
        ends = np.append(self.first[1:], len(self.column))
        for first, end in zip(self.first.tolist(), ends.tolist(), strict=True):
            for at in range(end - 2, first - 1, -1):
                strides[at] = strides[at + 1] * (self.size[at + 1] + 1)
        return strides

    def _fits(self) -> bool:
        parts, keys = len(self.column), len(self.first)
        plain = (
            typed(self, LOOKUP_KINDS)
            and self.edges.ndim == self.table.ndim == 2
            and len(self.size) == len(self.edges) == len(self.numeric) == parts > 0
            and len(self.start) == keys > 0
            and int(self.first[0]) == 0
            and bool((np.diff(self.first) > 0).all())
            and within(self.first, parts)
            and bool((self.size >= 0).all())
            and bool(np.isfinite(self.table).all())
        )
        if not plain:
            return False
        cells = np.multiply.reduceat(self.size.astype(np.float64) + 1, self.first)
        return bool((self.start >= 0).all() and (self.start + cells <= len(self.table)).all())


LOOKUP_ARRAYS = ("column", "size", "edges", "numeric", "first", "start", "table")
LOOKUP_KINDS = dict.fromkeys(("column", "size", "first", "start"), "iu") | {"numeric": "b", "edges": "f", "table": "f"}

DIFFERENCE, RATIO, PRODUCT, SUM = range(4)
OPERATIONS = {DIFFERENCE: np.subtract, PRODUCT: np.multiply, SUM: np.add}
"""All but the ratio, which is none where it would be by zero."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Differences, ratios, products and sums of two columns of numbers; of a missing one, and by zero, none."""

    kind: ClassVar[str] = "arithmetic"

    left: Places
    right: Places
    operation: Places
    _ratios: Places = field(init=False, repr=False, compare=False)
    _others: Mapping[int, Places] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not fit together."""
        fits = typed(self, dict.fromkeys(ARITHMETIC_ARRAYS, "iu")) and len(self.left) == len(self.right)
        if not fits or len(self.operation) != len(self.left) or not within(self.operation, 4):
            raise ModelUnreadable("The model's arithmetic has arrays that do not fit", hint="Register the model again")
        where = {kind: np.flatnonzero(self.operation == kind) for kind in range(4)}
        object.__setattr__(self, "_ratios", where.pop(RATIO))
        object.__setattr__(self, "_others", {kind: own for kind, own in where.items() if len(own)})

    @property
    def sources(self) -> tuple[tuple[int, ...], ...]:
        """See `Step.sources`."""
        return tuple(zip(self.left.tolist(), self.right.tolist(), strict=True))

    @property
    def shape(self) -> int:
        """See `Step.shape`."""
        return 0

    @classmethod
    def joined(cls, steps: Sequence["Arithmetic"], places: Sequence[Places]) -> "Arithmetic":
        """See `StepKind.joined`."""
        moved = [(place[s.left], place[s.right], s.operation) for s, place in zip(steps, places, strict=True)]
        return cls(*(np.concatenate(arrays) for arrays in zip(*moved, strict=True)))

    def added(self, matrix: Array) -> Array:
        """See `Step.added`."""
        left, right = matrix.take(self.left, axis=1), matrix.take(self.right, axis=1)
        made = np.empty_like(left)
        with np.errstate(all="ignore"):
            for kind, own in self._others.items():
                made[:, own] = OPERATIONS[kind](left[:, own], right[:, own])
            if len(own := self._ratios):
                below = right[:, own]
                below[below == 0] = np.nan
                made[:, own] = left[:, own] / below
            np.minimum(np.maximum(made, -BORDER, out=made), BORDER, out=made)
        return made

    def arrays(self) -> dict[str, AnyArray]:
        """See `Step.arrays`."""
        return {name: getattr(self, name) for name in ARITHMETIC_ARRAYS}

    def meta(self) -> dict[str, Any]:
        """See `Step.meta`."""
        return {}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Arithmetic":
        """The arithmetic that `arrays` described. Raises ModelUnreadable."""
        return cls(**exactly(ARITHMETIC_ARRAYS, arrays))


ARITHMETIC_ARRAYS = ("left", "right", "operation")

STEPS: Mapping[str, StepKind] = {Lookup.kind: Lookup, Arithmetic.kind: Arithmetic, Scores.kind: Scores}
"""Every kind there is, by the name in `model.json`."""


def joined_step(steps: Sequence[Step], places: Sequence[Places]) -> Step:
    """Steps of one kind and shape as one; see `StepKind.joined`."""
    return STEPS[steps[0].kind].joined(steps, places)


def widened(matrix: Array, steps: Iterable[Step]) -> Array:
    """The matrix with the columns that the steps add, each seeing what the earlier ones have added."""
    for step in steps:
        matrix = np.hstack((matrix, step.added(matrix)))
    return matrix
