"""Trees of any library as the one forest format, in which every row reaches the leaf that the library gives it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.predict.members import AnyArray, Array, Forest

CATEGORIES_MAX = 1 << 24
"""XGBoost's OutOfRangeCat: from here on float32 has not every whole number."""
WORD = 32
"""Bits of a word in which sets are written."""
NODES = ("feature", "threshold", "left", "right", "default_left", "value")


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; children count from its own first node, a leaf is its own child."""

    feature: AnyArray
    threshold: Array
    left: AnyArray
    right: AnyArray
    default_left: AnyArray
    value: Array
    cover: Array | None = None
    """The weight of the training rows at each node, where the library tells it."""
    sets: Mapping[int, AnyArray] = field(default_factory=dict)
    """By node: the words of the set of categories that go left, for nodes that ask for one."""


def leaf(value: float, cover: float | None = None) -> Tree:
    """A tree that says the same of every row."""
    zero = np.zeros(1, dtype=int)
    known = None if cover is None else np.array([cover])
    return Tree(zero, np.zeros(1), zero, zero, np.zeros(1, dtype=bool), np.array([value]), known)


def words_of(categories: Iterable[int]) -> AnyArray:
    """The set of these categories as words of bits. Raises ValueError for one that no library writes."""
    members = np.array(sorted(categories), dtype=np.int64)
    if len(members) and not 0 <= members[0] <= members[-1] < CATEGORIES_MAX:
        raise ValueError(f"A set holds the category {members[-1] if members[0] >= 0 else members[0]}")
    words = np.zeros(int(members[-1]) // WORD + 1 if len(members) else 1, dtype=np.uint32)
    np.bitwise_or.at(words, members // WORD, np.uint32(1) << (members % WORD).astype(np.uint32))
    return words


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
    nodes = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in NODES}
    covers = [tree.cover for tree in trees if tree.cover is not None]
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
        cover=np.concatenate(covers).astype(np.float64) if len(covers) == len(trees) else np.zeros(0),
        **_sets(trees, roots, len(offset)),
        **how,
    )


def _sets(trees: Sequence[Tree], roots: AnyArray, nodes: int) -> dict[str, Any]:
    """The sets of all trees one after the other; no arrays where no node asks for one."""
    found = [
        (int(root) + at, words) for root, tree in zip(roots, trees, strict=True) for at, words in tree.sets.items()
    ]
    if not found:
        return {}
    set_of = np.full(nodes, -1, dtype=np.int32)
    set_of[[at for at, _ in found]] = np.arange(len(found))
    ends = np.cumsum([len(words) for _, words in found])
    return {
        "set_of": set_of,
        "set_start": np.concatenate(([0], ends)).astype(np.int32),
        "words": np.concatenate([words for _, words in found]).astype(np.uint32),
    }
