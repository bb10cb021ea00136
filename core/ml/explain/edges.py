"""A forest's trees laid out level by level, so that numpy goes down and up all of them at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.predict.forest import Forest

NODES_MAX = 60_000
"""Trees are laid out in blocks of about so many nodes: what is computed for them stays small."""

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Edges:
    """Some trees. Their nodes have places of their own here: the roots, then level by level, left children first."""

    node: Places
    """In the forest."""
    parent: Places
    """A root is its own."""
    right: Flags
    """Whether it is its parent's right child."""
    column: Places
    """That its parent asks for; of a root without a meaning."""
    output: Places
    """Of its tree."""
    roots: int
    levels: tuple[slice, ...]
    """Of the nodes below the roots, from the top on."""
    inner: tuple[Places, ...]
    """Of each level and that of the roots before it, the nodes whose children make the next level."""

    def passes(self, right: Flags) -> Flags:
        """Whether each row would take each edge, of rows that go right at these nodes of the forest (nodes x rows)."""
        passes = right[self.node[self.parent]] == self.right[:, None]
        passes[: self.roots] = True
        return np.asarray(passes)

    def pairs(self) -> Iterator[tuple[Places, int]]:
        """From the bottom up, the inner nodes of a level and where their left children begin; right ones follow."""
        for inner, level in zip(reversed(self.inner), reversed(self.levels), strict=True):
            yield inner, level.start


def edges_of(forest: Forest) -> Iterator[Edges]:
    """All trees, some at a time."""
    at_once = max(1, NODES_MAX * len(forest.roots) // max(1, len(forest.feature)))
    for at in range(0, len(forest.roots), at_once):
        roots = forest.roots[at : at + at_once].astype(np.intp)
        outputs = forest.output[at : at + at_once] if forest.value.ndim == 1 else np.zeros(len(roots))
        yield _laid_out(forest, roots, outputs.astype(np.intp))


def _laid_out(forest: Forest, roots: Places, outputs: Places) -> Edges:
    nodes, parents, rights, columns, trees = (
        [roots],
        [np.arange(len(roots))],
        [np.zeros(len(roots), bool)],
        [],
        [outputs],
    )
    columns.append(np.zeros(len(roots), np.intp))
    levels, inners, start = list[slice](), list[Places](), 0
    while len(inner := np.flatnonzero(forest.left[nodes[-1]] != nodes[-1])):
        last, end = nodes[-1][inner], start + len(nodes[-1])
        nodes.append(np.concatenate((forest.left[last], forest.right[last])).astype(np.intp))
        parents.append(np.tile(start + inner, 2))
        rights.append(np.repeat([False, True], len(inner)))
        columns.append(np.tile(forest.feature[last].astype(np.intp), 2))
        trees.append(np.tile(trees[-1][inner], 2))
        levels.append(slice(end, end + 2 * len(inner)))
        inners.append(start + inner)
        start = end
    node, parent, right, column, output = map(np.concatenate, (nodes, parents, rights, columns, trees))
    return Edges(node, parent, right, column, output, len(roots), tuple(levels), tuple(inners))


def latest_above(edges: Edges) -> Places:
    """Of each edge the nearest one above it of the same column; the number of edges where there is none."""
    many = len(edges.node)
    above, at = np.full(many, many), edges.parent.copy()
    searching = np.arange(edges.roots, many)
    while len(searching):
        searching = searching[at[searching] >= edges.roots]
        same = edges.column[at[searching]] == edges.column[searching]
        found = searching[same]
        above[found] = at[found]
        searching = searching[~same]
        at[searching] = edges.parent[at[searching]]
    return above
