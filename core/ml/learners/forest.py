"""Trees of any library as the one forest format, in which every row reaches the leaf that the library gives it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.predict.members import AnyArray, Array, Forest


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; children count from its own first node, a leaf is its own child."""

    feature: AnyArray
    threshold: Array
    left: AnyArray
    right: AnyArray
    default_left: AnyArray
    value: Array


def leaf(value: float) -> Tree:
    """A tree that says the same of every row."""
    zero = np.zeros(1, dtype=int)
    return Tree(zero, np.zeros(1), zero, zero, np.zeros(1, dtype=bool), np.array([value]))


def joined(
    trees: Sequence[Tree],
    output: AnyArray,
    base: Array,
    fill: Array | None = None,
    **how: Any,
) -> Forest:
    """The trees as one forest; tree `i` adds to `output[i]`, which starts from `base`."""
    sizes = np.array([len(tree.feature) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    offset = np.repeat(roots, sizes)
    nodes = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in Tree.__slots__}
    return Forest(
        roots=roots.astype(np.int32),
        feature=nodes["feature"].astype(np.int32),
        threshold=nodes["threshold"].astype(np.float64),
        left=(nodes["left"] + offset).astype(np.int32),
        right=(nodes["right"] + offset).astype(np.int32),
        default_left=nodes["default_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
        output=output.astype(np.int32),
        base=base.astype(np.float64),
        fill=np.zeros(0) if fill is None else fill,
        **how,
    )
