"""Trees of every library in one flat format.

Node `i` sends a row left when `x[feature[i]] <= threshold[i]`, and a missing value where `default_left[i]` says; a leaf
is its own child. So an evaluator is a loop without a branch, in numpy here, and a compiled one can read the very same
arrays.

A node may ask for a set of categories instead: left when `x`, the place of a level, is above `threshold[i]` and its
whole part is in the set. The bits of set `s = set_of[i]` are the 32-bit words from `set_start[s]` up to
`set_start[s + 1]`; what lies beyond them is not in the set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable
from core.predict.arrays import LINKS, AnyArray, Array, exactly, typed, within
from core.predict.kernel import Packed, packed

LANES_MAX = 131_072
"""Pairs of row and tree that are walked at once: their work arrays (about 5 MB) stay near the processor's caches."""
TREES_MAX = 512
"""Trees that are walked at once: all rows pass through their nodes (about 1 MB) before other trees' take the caches."""


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
    set_of: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """The set that a node asks for, -1 where it compares. Empty: no node asks for a set."""
    set_start: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """One more than there are sets: where the words of each begin, and where the last end."""
    words: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    cover: Array = field(default_factory=lambda: np.zeros(0))
    """The weight of the training rows that came to each node, in the unit of its library. Empty: nobody knows it."""
    link: str = "sigmoid"
    scale: float = 1.0
    cast32: bool = False
    """Values are rounded to float32 before they are compared, as the library did."""
    sum32: bool = False
    """Leaves are added one by one in float32, as the library did: over 2,000 trees it changes up to 1e-6."""
    depth: int = field(init=False)
    _packed: Packed | None = field(init=False, repr=False, compare=False)
    """For the compiled evaluator, where there is one; the arrays of the numpy one are then empty."""
    _children: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)
    _feature: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays that do not describe trees."""
        _check_forest(self)
        object.__setattr__(self, "depth", _depth(self))
        object.__setattr__(self, "_packed", packed(self.arrays(), cast32=self.cast32, sum32=self.sum32))
        nodes = 0 if self._packed else len(self.feature)
        children = np.stack((self.left[:nodes], self.right[:nodes]), axis=1).ravel().astype(np.intp)
        object.__setattr__(self, "_children", children)
        object.__setattr__(self, "_feature", self.feature[:nodes].astype(np.intp))

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix; rows x outputs where the link is "value"."""
        return LINKS[self.link](self.margins(matrix))

    def margins(self, matrix: Array) -> Array:
        """Rows x outputs before the link."""
        sums = self._packed(matrix) if self._packed else self._walked(matrix)
        if not self.sum32:
            if self.scale != 1:
                sums *= self.scale
            sums += self.base
        return sums

    def goes_right(self, matrix: Array) -> npt.NDArray[np.bool_]:
        """Rows x nodes: whether each row goes right there, should it ever come there. To explain, not to answer."""
        values = self._prepared(matrix)[:, self.feature]
        right = values > self.threshold
        if len(self.set_of):
            self._ask_sets(values, np.broadcast_to(np.arange(len(self.feature)), values.shape), right)
        return np.asarray(right | (np.isnan(values) & ~self.default_left))

    def __reduce__(self) -> tuple[Any, ...]:
        """What the compiled evaluator reads lies in this process alone, and is made anew in another."""
        return Forest.from_arrays, (self.meta(), self.arrays())

    def arrays(self) -> dict[str, AnyArray]:
        some = {name: getattr(self, name) for name in FOREST_OPTIONAL}
        return {name: getattr(self, name) for name in FOREST_ARRAYS} | {
            n: array for n, array in some.items() if len(array)
        }

    @property
    def packed(self) -> Packed | None:
        """What the compiled evaluator reads; None where numpy answers."""
        return self._packed

    @property
    def compiled(self) -> bool:
        """Whether the compiled evaluator answers."""
        return self._packed is not None

    def meta(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FOREST_META}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Forest":
        """The forest that `meta` and `arrays` described. Raises ModelUnreadable."""
        some: dict[str, Any] = {name: arrays[name] for name in FOREST_OPTIONAL if name in arrays}
        return cls(**exactly(FOREST_ARRAYS, arrays), **some, **exactly(FOREST_META, meta))

    def _walked(self, matrix: Array) -> Array:
        """The sums of the reached leaves by numpy; those of float32 begin with the base."""
        sums = np.zeros((len(matrix), len(self.base)))
        chunk = max(1, LANES_MAX // len(self.roots))
        for at in range(0, len(matrix), chunk):
            reached = self.value.take(self._leaves(self._prepared(matrix[at : at + chunk])), axis=0)
            self._add(reached, sums[at : at + chunk])
        return sums

    def _add(self, reached: Array, sums: Array) -> None:
        """One tree after the other, as the compiled evaluator does: a product of matrices adds as it likes."""
        if self.value.ndim > 1:
            sums[:] = np.add.accumulate(reached, axis=1)[:, -1]
            return
        for at, base in enumerate(self.base):
            steps = reached if len(self.base) == 1 else reached[:, self.output == at]
            if self.sum32:
                steps = steps.astype(np.float32)
                steps[:, 0] += np.float32(base)
            if steps.shape[1]:
                sums[:, at] = np.add.accumulate(steps, axis=1)[:, -1]

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
            if len(self.set_of):
                self._ask_sets(x, node, right)
            if missing:
                right |= np.isnan(x) & ~self.default_left.take(node)
            node = self._children.take(2 * node + right)
        return node

    def _ask_sets(self, x: Array, node: npt.NDArray[np.intp], right: npt.NDArray[np.bool_]) -> None:
        """Where a node asks for a set, what it answers is put into `right`; a missing value's answer is False."""
        asked = np.nonzero((found := self.set_of.take(node)) >= 0)
        places, values = found[asked], x[asked]
        start, end = self.set_start[places].astype(np.intp), self.set_start[places + 1]
        known = right[asked] & (values < 32.0 * (end - start))
        code = np.where(known, values, 0.0).astype(np.intp)
        bit = self.words[start + (code >> 5)] >> (code & 31).astype(np.uint32) & 1
        right[asked] = ~(known & (bit != 0)) & ~np.isnan(values)


FOREST_META = ("link", "scale", "cast32", "sum32")
FOREST_ARRAYS = ("roots", "feature", "threshold", "left", "right", "default_left", "value", "output", "base", "fill")
FOREST_OPTIONAL = ("set_of", "set_start", "words", "cover")
"""Arrays that a model folder has only where they are not empty."""
FOREST_KINDS = dict.fromkeys(("roots", "feature", "left", "right", "output", "set_of", "set_start"), "iu")
FOREST_KINDS |= {"default_left": "b", "words": "u"} | dict.fromkeys(
    ("threshold", "value", "base", "fill", "cover"), "f"
)


def _check_forest(forest: Forest) -> None:
    if not typed(forest, FOREST_KINDS):
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
    if problem := _problem_of_sets(forest, nodes):
        raise _damaged(problem)
    if len(forest.cover) and (len(forest.cover) != nodes or not bool((forest.cover >= 0).all())):
        raise _damaged("the weight of the rows at its nodes is no number of 0 or more each")
    if np.isnan(forest.threshold[inner]).any():
        raise _damaged("a threshold is no number")
    if (forest.right != forest.left)[~inner].any():
        raise _damaged("a leaf has a child")


def _problem_of_sets(forest: Forest, nodes: int) -> str:
    """What is wrong with the sets that nodes ask for; empty when nothing is."""
    starts = forest.set_start
    if not (len(forest.set_of) or len(starts) or len(forest.words)):
        return ""
    if len(forest.set_of) != nodes or not within(forest.set_of[forest.set_of >= 0], len(starts) - 1):
        return "a node asks for a set that is not there"
    if not len(starts) or starts[0] != 0 or starts[-1] != len(forest.words) or (starts[1:] <= starts[:-1]).any():
        return "the words of its sets do not lie one after the other"
    if (forest.threshold[forest.set_of >= 0] < -1).any():
        return "a set would hold what is below its first category"
    return ""


def _damaged(problem: str) -> ModelUnreadable:
    return ModelUnreadable(f"A forest of the model is damaged: {problem}", hint="Register the model again")


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
