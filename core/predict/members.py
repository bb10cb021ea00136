"""What a trained learner becomes: plain arrays that numpy evaluates, with no learner installed.

Trees of every library share one format. Node `i` sends a row left when `x[feature[i]] <= threshold[i]`, and a missing
value where `default_left[i]` says; a leaf is its own child. So an evaluator is a loop without a branch, in numpy here,
and a compiled one can read the very same arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable

Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

LANES_MAX = 131_072
"""Pairs of row and tree that are walked at once: their work arrays (about 5 MB) stay near the processor's caches."""
TREES_MAX = 512
"""Trees that are walked at once: all rows pass through their nodes (about 1 MB) before other trees' take the caches."""


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
    depth: int = field(init=False)
    _children: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)
    _feature: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)
    _adder: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not describe trees."""
        _check_forest(self)
        children = np.stack((self.left, self.right), axis=1).ravel().astype(np.intp)
        object.__setattr__(self, "_children", children)
        object.__setattr__(self, "_feature", self.feature.astype(np.intp))
        adder = (self.output[:, None] == np.arange(len(self.base))).astype(np.float64)
        object.__setattr__(self, "_adder", adder)
        object.__setattr__(self, "depth", _depth(self))

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

    def _leaves(self, matrix: Array) -> npt.NDArray[np.intp]:
        """The leaf that each row reaches in each tree (rows x trees)."""
        if len(self.roots) <= TREES_MAX:
            return self._walk(matrix, self.roots)
        blocks = range(0, len(self.roots), TREES_MAX)
        return np.hstack([self._walk(matrix, self.roots[at : at + TREES_MAX]) for at in blocks])

    def _walk(self, matrix: Array, roots: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
        """All lanes, a pair of row and tree each, take one step down a time."""
        values, width = np.ascontiguousarray(matrix).ravel(), matrix.shape[1]
        starts = np.arange(len(matrix), dtype=np.intp)[:, None] * width
        node = np.broadcast_to(roots.astype(np.intp), (len(matrix), len(roots))).copy()
        missing = bool(np.isnan(values).any())
        for _ in range(self.depth):
            x = values.take(self._feature.take(node) + starts)
            right = x > self.threshold.take(node)
            if missing:
                right |= np.isnan(x) & ~self.default_left.take(node)
            node = self._children.take(2 * node + right)
        return node


FOREST_META = ("link", "scale", "cast32", "sum32")
FOREST_ARRAYS = ("roots", "feature", "threshold", "left", "right", "default_left", "value", "output", "base", "fill")
FOREST_KINDS = dict.fromkeys(("roots", "feature", "left", "right", "output"), "iu")
FOREST_KINDS |= {"default_left": "b"} | dict.fromkeys(("threshold", "value", "base", "fill"), "f")
TABLES = ("value", "coef", "absent", "table")
"""Arrays that may have two dimensions."""


def _check_forest(forest: Forest) -> None:
    if not _typed(forest, FOREST_KINDS):
        raise _damaged("its arrays are of other types than a forest's")
    nodes, inner = len(forest.feature), forest.left != np.arange(len(forest.left))
    problems = {
        "its node arrays differ in length": {len(getattr(forest, name)) for name in FOREST_ARRAYS[1:7]} != {nodes},
        "it has no tree": not len(forest.roots),
        f"its link is '{forest.link}'": forest.link not in LINKS,
        "a child or root is no node": not all(
            within(getattr(forest, name), nodes) for name in ("roots", "left", "right")
        ),
        "an output is out of range": not within(forest.output, len(forest.base)),
        "its trees have no output each": forest.value.ndim == 1 and len(forest.output) != len(forest.roots),
        "its leaves hold other than a number for each output": forest.value.ndim != 1
        and forest.value.shape[1:] != (len(forest.base),),
        "it adds in float32 what is no plain sum": forest.sum32
        and (forest.scale != 1 or set(forest.output.tolist()) != set(range(len(forest.base)))),
        "a feature is negative": len(forest.feature) > 0 and int(forest.feature.min()) < 0,
        "its scale is no finite number": not np.isfinite(forest.scale),
    }
    if found := [problem for problem, wrong in problems.items() if wrong]:
        raise _damaged(found[0])
    if np.isnan(forest.threshold[inner]).any():
        raise _damaged("a threshold is no number")
    if (forest.right != forest.left)[~inner].any():
        raise _damaged("a leaf has a child")


def _damaged(problem: str) -> ModelUnreadable:
    return ModelUnreadable(f"A forest of the model is damaged: {problem}", hint="Register the model again")


def _typed(member: "Forest | Linear", kinds: Mapping[str, str]) -> bool:
    """Whether each array is of its kind of numbers, and has one dimension where it must."""
    arrays = {name: getattr(member, name) for name in kinds}
    return all(array.dtype.kind in kinds[name] and array.ndim >= 1 for name, array in arrays.items()) and all(
        array.ndim == 1 for name, array in arrays.items() if name not in TABLES
    )


def within(indices: AnyArray, limit: int) -> bool:
    """Whether all of them are places among so many."""
    return not len(indices) or (int(indices.min()) >= 0 and int(indices.max()) < limit)


def _depth(forest: Forest) -> int:
    """Steps from any root until nothing moves. Raises ModelUnreadable where a walk would never end."""
    nodes = np.unique(forest.roots)
    for depth in range(len(forest.feature) + 1):
        nodes = nodes[forest.left[nodes] != nodes]
        if not len(nodes):
            return depth
        nodes = np.concatenate((forest.left[nodes], forest.right[nodes]))
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
            and _typed(self, LINEAR_KINDS)
            and self.coef.shape == self.absent.shape == (numeric, outputs)
            and len(self.center) == len(self.scale) == numeric
            and len(self.start) == len(self.size) == text
            and self.table.shape[1:] == (outputs,)
            and within(self.start, len(self.table))
            and within(self.size, len(self.table))
            and within(self.start + self.size, len(self.table))
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
LINEAR_KINDS = dict.fromkeys(("numeric", "text", "start", "size"), "iu")
LINEAR_KINDS |= dict.fromkeys(("center", "scale", "coef", "absent", "table", "intercept"), "f")

KINDS: Mapping[str, type[Forest] | type[Linear]] = {Forest.kind: Forest, Linear.kind: Linear}


def _exactly(names: tuple[str, ...], found: Mapping[str, Any]) -> dict[str, Any]:
    if missing := [name for name in names if name not in found]:
        raise ModelUnreadable(f"The model lacks '{missing[0]}'", hint="Register the model again")
    return {name: found[name] for name in names}
