"""Shapley values of trees: how far each column moves a row's sum of leaves from the average one.

The values are those of Lundberg et al., "From local explanations to global understanding with explainable AI for trees"
(2020), path-dependent: a column that is not known sends a row both ways, by the weight of the training rows that went
there. They are computed leaf by leaf. On the way to a leaf each column that is asked either lets the row through or
not (`o`, 1 or 0) and lets a share `z` of the training rows through, so the leaf's part of the game is
`value * product of (o or z)`, and the Shapley value of column i (Owen 1972) is the integral over t from 0 to 1 of

    value * (o_i - z_i) * product over the other columns j of (t * o_j + (1 - t) * z_j)

That is a polynomial in t, and so Gauss's quadrature gives it exactly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.predict.arrays import Array
from core.predict.forest import Forest

CELLS_MAX = 4_000_000
"""Pairs of a row and a column on a way that are worked on at once: about 100 MB."""

LITTLE = 0.01

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to all leaves of a forest, laid out flat: steps, then columns on a way (entries), then ways."""

    forest: Forest
    node: Places
    """Of each step; the steps of one entry lie together, as the entries of one way do."""
    right: Flags
    """Whether the step goes right there."""
    step_start: Places
    """Of each entry: its first step."""
    column: Places
    """Of each entry."""
    share: Array
    """Of each entry: of the training rows that come there, how many the column lets through."""
    way: Places
    """Of each entry: its way."""
    entry_start: Places
    """Of each way: its first entry."""
    leaf: Array
    """Of each way: what the leaf adds to each output (ways x outputs)."""
    base: Array
    """The average row's sums, one an output."""
    points: Array
    weights: Array
    """Of the quadrature."""

    def contributions(self, matrix: Array) -> Array:
        """Rows x columns x outputs of the encoded matrix; with `base` they add up to the forest's sums."""
        found = np.zeros((len(matrix), matrix.shape[1], len(self.base)))
        if not len(self.column):
            return found
        chunk = max(1, CELLS_MAX // len(self.column))
        for at in range(0, len(matrix), chunk):
            moved = self._moved(matrix[at : at + chunk])
            for row, each in enumerate(moved):
                parts = each[:, None] * self.leaf[self.way]
                for output in range(len(self.base)):
                    sums = np.bincount(self.column, weights=parts[:, output], minlength=matrix.shape[1])
                    found[at + row, :, output] = sums
        return found

    def _moved(self, matrix: Array) -> Array:
        """Rows x entries: what a leaf of value 1 would give to each column on its way."""
        passes = self.forest.goes_right(matrix)[:, self.node] == self.right
        through = np.logical_and.reduceat(passes, self.step_start, axis=1)
        total = np.zeros(through.shape)
        for t, weight in zip(self.points, self.weights, strict=True):
            closed = self.share * (1 - t)
            here = np.where(through, t + closed, closed)
            whole = np.multiply.reduceat(here, self.entry_start, axis=1)[:, self.way]
            # (o - z) over the column's own factor, which the product above has once too often.
            total += weight * whole * np.where(through, (1 - self.share) / (t + closed), -1 / (1 - t))
        return total


def ways_of(forest: Forest, cover: Array | None = None) -> Ways:
    """The ways of a forest whose nodes have this weight of training rows; its own where none is given."""
    cover = forest.cover if cover is None else cover
    parent, leaves, trees = _leaves(forest)
    way, node, child = _steps(parent, leaves)
    column = forest.feature[node].astype(np.intp)
    order = np.lexsort((column, way))
    way, node, child, column = way[order], node[order], child[order], column[order]
    first = np.append(True, (way[1:] != way[:-1]) | (column[1:] != column[:-1])) if len(way) else np.zeros(0, bool)
    step_start = np.flatnonzero(first)
    passed = np.divide(cover[child], cover[node], out=np.zeros(len(node)), where=cover[node] > 0)
    share = np.multiply.reduceat(passed, step_start) if len(step_start) else np.zeros(0)
    of_entry = way[step_start]
    with_steps = np.append(True, of_entry[1:] != of_entry[:-1]) if len(of_entry) else np.zeros(0, bool)
    entry_start = np.flatnonzero(with_steps)
    dense = np.cumsum(with_steps) - 1
    leaf = _added(forest, leaves, trees)
    reach = np.ones(len(leaves))
    met = of_entry[entry_start]
    if len(met):
        reach[met] = np.multiply.reduceat(share, entry_start)
    longest = int(np.bincount(dense).max()) if len(dense) else 1
    points, weights = np.polynomial.legendre.leggauss((longest + 1) // 2)
    return Ways(
        forest,
        node,
        forest.right[node] == child,
        step_start,
        column[step_start],
        share,
        dense,
        entry_start,
        leaf[met],
        forest.base + reach @ leaf,
        (points + 1) / 2,
        weights / 2,
    )


def cover_of(forest: Forest, matrix: Array) -> Array:
    """The weight of these rows at each node, for a forest that does not know that of its training rows."""
    parent, leaves, _ = _leaves(forest)
    way, node, child = _steps(parent, leaves)
    order = np.argsort(way, kind="stable")
    way, node, child = way[order], node[order], child[order]
    # A leaf that no row reaches has a little weight, so that its parents can be divided by theirs.
    weight = np.where(parent[leaves] < 0, float(len(matrix)), LITTLE)
    if len(way):
        first = np.flatnonzero(np.append(True, way[1:] != way[:-1]))
        chunk = max(1, CELLS_MAX // len(way))
        for at in range(0, len(matrix), chunk):
            passes = forest.goes_right(matrix[at : at + chunk])[:, node] == (forest.right[node] == child)
            weight[way[first]] += np.logical_and.reduceat(passes, first, axis=1).sum(axis=0)
    cover = np.zeros(len(forest.feature))
    cover[leaves] = weight
    np.add.at(cover, node, weight[way])
    return cover


def _leaves(forest: Forest) -> tuple[Places, Places, Places]:
    """The parent of each node (-1: none), the leaves that a tree has, and the tree of each."""
    nodes = np.arange(len(forest.feature))
    inner = np.flatnonzero(forest.left != nodes)
    parent = np.full(len(nodes), -1, dtype=np.intp)
    parent[forest.left[inner]] = inner
    parent[forest.right[inner]] = inner
    top = nodes.copy()
    for _ in range(forest.depth):
        top = np.where(parent[top] >= 0, parent[top], top)
    tree_of = np.full(len(nodes), -1, dtype=np.intp)
    tree_of[forest.roots] = np.arange(len(forest.roots))
    leaves = np.flatnonzero((forest.left == nodes) & (tree_of[top] >= 0))
    return parent, leaves, tree_of[top[leaves]]


def _steps(parent: Places, leaves: Places) -> tuple[Places, Places, Places]:
    """Every step on every way: the way, the node, and the child that it goes to."""
    ways, nodes, children = [], [], []
    way, at = np.arange(len(leaves)), leaves
    while len(way):
        above = parent[at]
        going = above >= 0
        way, at, above = way[going], at[going], above[going]
        ways.append(way)
        nodes.append(above)
        children.append(at)
        at = above
    return tuple(np.concatenate(each) if each else np.zeros(0, np.intp) for each in (ways, nodes, children))  # type: ignore[return-value]  # three of them


def _added(forest: Forest, leaves: Places, trees: Places) -> Array:
    """What each leaf adds to each output."""
    if forest.value.ndim == 2:
        return np.asarray(forest.scale * forest.value[leaves])
    added = np.zeros((len(leaves), len(forest.base)))
    added[np.arange(len(leaves)), forest.output[trees]] = forest.scale * forest.value[leaves]
    return added
