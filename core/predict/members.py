"""What a trained learner becomes: plain arrays that numpy evaluates, with no learner installed.

Trees of every library share one format. Node `i` sends a row left when `x[feature[i]] <= threshold[i]`, and a missing
value where `default_left[i]` says; a leaf is its own child. So an evaluator is a loop without a branch, in numpy here,
and a compiled one can read the very same arrays.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable

Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]
Indices = npt.NDArray[np.intp]

LANES_MAX = 131_072
"""Pairs of row and tree that are walked at once: their work arrays (about 5 MB) stay near the processor's caches."""
TREES_MAX = 512
"""Trees that are walked at once: all rows pass through their nodes (about 1 MB) before other trees' take the caches."""
ROWS_MANY = 16
"""From here on a tree that has ended is left out of the walk; with fewer rows that costs more than it saves."""


class Member(Protocol):
    """One part of a model: probabilities from the encoded matrix."""

    kind: ClassVar[str]

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes, each row summing to 1."""

    def arrays(self) -> dict[str, AnyArray]:
        """Everything large, for `arrays.npz`."""

    def meta(self) -> dict[str, Any]:
        """Everything small, for `model.json`."""


def _sigmoid(margins: Array) -> Array:
    # exp of a large positive number overflows; of a negative one it never does.
    small = np.exp(-np.abs(margins))
    positive = np.where(margins >= 0, 1.0, small) / (1.0 + small)
    return np.hstack((1.0 - positive, positive))


def _softmax(margins: Array) -> Array:
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _shares(sums: Array) -> Array:
    return np.hstack((1.0 - sums, sums)) if sums.shape[1] == 1 else sums


LINKS: Mapping[str, Callable[[Array], Array]] = {"sigmoid": _sigmoid, "softmax": _softmax, "identity": _shares}
"""From summed outputs to probabilities; one output is the second class's."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees in one flat array of nodes. The outputs are `base + scale * (the sum of the reached leaves)`.

    `value` has one number a node, added to its tree's `output`; or, for trees whose leaves hold a whole distribution,
    one row of numbers a node (`output` is then empty).
    """

    kind: ClassVar[str] = "forest"

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Array
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    default_left: npt.NDArray[np.bool_]
    value: Array
    output: npt.NDArray[np.int32]
    base: Array
    fill: Array
    """What stands for NaN, per column; NaN leaves it to `default_left`. Empty: nothing is filled."""
    link: str = "sigmoid"
    scale: float = 1.0
    cast32: bool = False
    """Values are rounded to float32 before they are compared, as the library did."""
    sum32: bool = False
    """Leaves are added one by one in float32, as the library did: over 2,000 trees it changes up to 1e-6."""
    _deep_first: Indices = field(init=False, repr=False, compare=False)
    """The trees, those of the longest ways first."""
    _ways: Indices = field(init=False, repr=False, compare=False)
    """Steps from the root until nothing moves, a tree of `_deep_first` each."""
    _children: Indices = field(init=False, repr=False, compare=False)
    """A walk is at twice its node, so that the child on a side is at that sum: all arrays that it reads are doubled."""
    _feature: Indices = field(init=False, repr=False, compare=False)
    _threshold: Array = field(init=False, repr=False, compare=False)
    _entries: Indices = field(init=False, repr=False, compare=False)
    _adder: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not describe trees."""
        _check_forest(self)
        children = 2 * np.stack((self.left, self.right), axis=1).ravel().astype(np.intp)
        object.__setattr__(self, "_children", children)
        object.__setattr__(self, "_feature", np.repeat(self.feature.astype(np.intp), 2))
        object.__setattr__(self, "_threshold", np.repeat(self.threshold, 2))
        object.__setattr__(self, "_entries", 2 * self.roots.astype(np.intp))
        adder = (self.output[:, None] == np.arange(len(self.base))).astype(np.float64)
        object.__setattr__(self, "_adder", adder)
        ways = _ways(self)
        deep_first = np.argsort(-ways, kind="stable")
        object.__setattr__(self, "_deep_first", deep_first)
        object.__setattr__(self, "_ways", ways[deep_first])

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix."""
        chunk = max(1, LANES_MAX // max(1, len(self.roots)))
        parts = [self._sums(matrix[at : at + chunk]) for at in range(0, len(matrix), chunk)]
        return LINKS[self.link](np.concatenate(parts) if parts else np.zeros((0, len(self.base))))

    def arrays(self) -> dict[str, AnyArray]:
        return {name: getattr(self, name) for name in FOREST_ARRAYS}

    def meta(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FOREST_META}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Forest":
        """The forest that `meta` and `arrays` described. Raises ModelUnreadable."""
        return cls(**_exactly(FOREST_ARRAYS, arrays), **_exactly(FOREST_META, meta))

    def _sums(self, matrix: Array) -> Array:
        leaves = self._leaves(self._prepared(matrix))
        reached = self.value.take(leaves, axis=0)
        if self.sum32:
            return self._added_in_float32(reached)
        sums = reached @ self._adder if self.value.ndim == 1 else reached.sum(axis=1)
        return np.asarray(self.base + self.scale * sums)

    def _added_in_float32(self, reached: Array) -> Array:
        sums = np.empty((len(reached), len(self.base)))
        for at, base in enumerate(self.base):
            steps = reached[:, self.output == at].astype(np.float32)
            steps[:, 0] += np.float32(base)
            sums[:, at] = np.add.accumulate(steps, axis=1)[:, -1]
        return sums

    def _prepared(self, matrix: Array) -> Array:
        if len(self.fill):
            matrix = np.where(np.isnan(matrix), self.fill, matrix)
        return matrix.astype(np.float32).astype(np.float64) if self.cast32 else matrix

    def _leaves(self, matrix: Array) -> Indices:
        """The leaf that each row reaches in each tree (rows x trees)."""
        many = len(matrix) >= ROWS_MANY
        if len(self.roots) <= TREES_MAX and not many:
            return self._side_by_side(matrix, self._entries, self._ways)
        leaves = np.empty((len(matrix), len(self.roots)), dtype=np.intp)
        for at in range(0, len(self.roots), TREES_MAX):
            trees, ways = self._deep_first[at : at + TREES_MAX], self._ways[at : at + TREES_MAX]
            walk = self._while_they_go if many else self._side_by_side
            leaves[:, trees] = walk(matrix, self._entries[trees], ways)
        return leaves

    def _side_by_side(self, matrix: Array, entries: Indices, ways: Indices) -> Indices:
        """For few rows: all trees walk as far as the deepest one goes."""
        starts = np.arange(len(matrix), dtype=np.intp)[:, None] * matrix.shape[1]
        nodes = np.broadcast_to(entries, (len(matrix), len(entries))).copy()
        return self._walk(matrix, starts, nodes, repeat(None, int(ways[0])))

    def _while_they_go(self, matrix: Array, entries: Indices, ways: Indices) -> Indices:
        """For many rows: trees come with the longest ways first, so those that still go are the first ones."""
        starts = np.arange(len(matrix), dtype=np.intp) * matrix.shape[1]
        nodes = np.repeat(entries[:, None], len(matrix), axis=1)
        return self._walk(matrix, starts, nodes, np.searchsorted(-ways, -np.arange(ways[0])).tolist()).T

    def _walk(self, matrix: Array, starts: Indices, nodes: Indices, goings: Iterable[int | None]) -> Indices:
        """Lanes, a pair of row and tree each, take one step down a time: the first so many, or all (None)."""
        values, missing = np.ascontiguousarray(matrix).ravel(), bool(np.isnan(matrix).any())
        feature, threshold, child = self._feature.take, self._threshold.take, self._children.take
        for going in goings:
            node = nodes if going is None else nodes[:going]
            x = values.take(feature(node) + starts)
            right = x > threshold(node)
            if missing:
                right |= np.isnan(x) & ~self.default_left.take(node >> 1)
            if going is None:
                nodes = child(node + right)
            else:
                nodes[:going] = child(node + right)
        return nodes >> 1


FOREST_META = ("link", "scale", "cast32", "sum32")
FOREST_ARRAYS = ("roots", "feature", "threshold", "left", "right", "default_left", "value", "output", "base", "fill")


def _check_forest(forest: Forest) -> None:
    nodes = len(forest.feature)
    problems = {
        "its node arrays differ in length": {len(getattr(forest, name)) for name in FOREST_ARRAYS[1:7]} != {nodes},
        "it has no tree": not len(forest.roots),
        f"its link is '{forest.link}'": forest.link not in LINKS,
        "a child or root is no node": not all(
            _within(getattr(forest, name), nodes) for name in ("roots", "left", "right")
        ),
        "an output is out of range": not _within(forest.output, len(forest.base)),
        "its trees have no output each": forest.value.ndim == 1 and len(forest.output) != len(forest.roots),
        "it adds in float32 what is no plain sum": forest.sum32
        and (forest.scale != 1 or set(forest.output.tolist()) != set(range(len(forest.base)))),
        "a feature is negative": len(forest.feature) > 0 and int(forest.feature.min()) < 0,
    }
    if found := [problem for problem, wrong in problems.items() if wrong]:
        raise ModelUnreadable(f"A forest of the model is damaged: {found[0]}", hint="Register the model again")


def _within(indices: AnyArray, limit: int) -> bool:
    return not len(indices) or (int(indices.min()) >= 0 and int(indices.max()) < limit)


def _ways(forest: Forest) -> Indices:
    """Steps from each root until nothing moves. Raises ModelUnreadable where a walk would never end."""
    nodes, tree_of_root = np.unique(forest.roots, return_inverse=True)
    ways, trees = np.zeros(len(nodes), dtype=np.intp), np.arange(len(nodes))
    for way in range(len(forest.feature) + 1):
        inner = forest.left[nodes] != nodes
        nodes, trees = nodes[inner], trees[inner]
        if not len(nodes):
            return ways[tree_of_root]
        ways[trees] = way + 1
        nodes, trees = np.concatenate((forest.left[nodes], forest.right[nodes])), np.concatenate((trees, trees))
        if len(nodes) > len(forest.feature):
            break
    raise ModelUnreadable("A forest of the model is damaged: its nodes form no trees", hint="Register the model again")


@dataclass(frozen=True, slots=True)
class Linear:
    """A generalised linear model over the encoded matrix, with its own scaling and one-hot coding.

    Numeric columns: `(x - center) / scale` times `coef`, and `absent` where x is missing. Text columns: row
    `start + code` of `table`, row `start + size` where the value is missing or unseen.
    """

    kind: ClassVar[str] = "linear"

    numeric: npt.NDArray[np.int32]
    center: Array
    scale: Array
    coef: Array
    absent: Array
    text: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]
    table: Array
    intercept: Array
    link: str = "sigmoid"

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays whose shapes do not fit."""
        outputs, numeric, text = len(self.intercept), len(self.numeric), len(self.text)
        fits = (
            self.link in LINKS
            and self.coef.shape == self.absent.shape == (numeric, outputs)
            and len(self.center) == len(self.scale) == numeric
            and len(self.start) == len(self.size) == text
            and self.table.shape[1:] == (outputs,)
            and _within(self.start + self.size, len(self.table))
        )
        if not fits:
            raise ModelUnreadable("The linear model's arrays do not fit together", hint="Register the model again")

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix."""
        margins = np.tile(self.intercept, (len(matrix), 1))
        if len(self.numeric):
            scaled = (matrix[:, self.numeric] - self.center) / self.scale
            missing = np.isnan(scaled)
            if missing.any():
                scaled[missing] = 0.0
                margins += missing @ self.absent
            margins += scaled @ self.coef
        if len(self.text):
            codes = matrix[:, self.text]
            rows = self.start + np.where(np.isnan(codes), self.size, codes).astype(np.intp)
            margins += self.table[rows].sum(axis=1)
        return LINKS[self.link](margins)

    def arrays(self) -> dict[str, AnyArray]:
        return {name: getattr(self, name) for name in LINEAR_ARRAYS}

    def meta(self) -> dict[str, Any]:
        return {"link": self.link}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Linear":
        """The model that `meta` and `arrays` described. Raises ModelUnreadable."""
        return cls(**_exactly(LINEAR_ARRAYS, arrays), **_exactly(("link",), meta))


LINEAR_ARRAYS = ("numeric", "center", "scale", "coef", "absent", "text", "start", "size", "table", "intercept")

KINDS: Mapping[str, type[Forest] | type[Linear]] = {Forest.kind: Forest, Linear.kind: Linear}


def _exactly(names: tuple[str, ...], found: Mapping[str, Any]) -> dict[str, Any]:
    if missing := [name for name in names if name not in found]:
        raise ModelUnreadable(f"The model lacks '{missing[0]}'", hint="Register the model again")
    return {name: found[name] for name in names}
