"""Shapley values of trees: how far each column moves a row's sum of leaves from the average one.

The values are those of Lundberg et al., "From local explanations to global understanding with explainable AI for trees"
(2020), path-dependent: a column that is not known sends a row both ways, by the weight of the training rows that went
there. On the way to a leaf each column that is asked either lets the row through or not (`o`, 1 or 0) and lets a share
`z` of the training rows through, so the leaf's part of the game is `value * product of (o or z)`, and the Shapley value
of column i (Owen 1972) is the integral over t from 0 to 1 of

    value * (o_i - z_i) * product over the other columns j of (t * o_j + (1 - t) * z_j)

That is a polynomial in t, and so Gauss's quadrature gives it exactly. At each of its points the products of all leaves
below an edge are one sum, so that every edge is looked at once (as Yu et al., "Linear TreeSHAP", 2022, do with the
polynomials themselves). Where a column is asked again further down, its edge there counts in the place of the one
above: what the one above has added for the leaves below is taken back.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.ml.explain.edges import Edges, edges_of, latest_above
from core.predict.arrays import Array
from core.predict.forest import Forest

CELLS_MAX = 600_000
"""Edges, rows and points that are worked on at once: about 40 MB."""
LITTLE = 0.01
"""Weight of a leaf that no row reaches, so that its parents can be divided by theirs."""

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shapley:
    """A forest, ready to be explained."""

    forest: Forest
    blocks: tuple["_Block", ...]
    base: Array
    """The average row's sums, one an output."""

    @property
    def work(self) -> int:
        """How much is to be computed for one row."""
        return sum(block.work for block in self.blocks)

    def contributions(self, matrix: Array) -> Array:
        """Rows x columns x outputs of the encoded matrix; with `base` they add up to the forest's sums."""
        found = np.zeros((len(matrix), matrix.shape[1], len(self.base)))
        chunk = max(1, CELLS_MAX // max(1, *(block.work for block in self.blocks), len(self.forest.feature)))
        for at in range(0, len(matrix), chunk):
            some = matrix[at : at + chunk]
            right = self.forest.goes_right(some).T
            for block in self.blocks:
                found[at : at + chunk] += block.contributions(right, *found.shape[1:])
        return found


def shapley_of(forest: Forest, cover: Array | None = None) -> Shapley:
    """A forest whose nodes have this weight of training rows; its own where none is given."""
    cover = forest.cover if cover is None else cover
    blocks = tuple(_block(forest, edges, cover) for edges in edges_of(forest))
    base = forest.base.astype(np.float64).copy()
    for block in blocks:
        base += block.average(len(base))
    return Shapley(forest, blocks, base)


@dataclass(frozen=True, slots=True)
class _Block:
    """Some trees: each node stands for the edge that leads to it, and one more, of no column, stands at the end."""

    edges: Edges
    above: Places
    """The edge of the same column further up; where there is none, the one at the end."""
    share: Array
    """Of the training rows, how many the column lets through here and at its edges above."""
    reach: Array
    """Of the training rows, how many come to each node."""
    value: Array
    """What each leaf adds: a number, or one for each output (nodes x outputs)."""
    points: Array
    weights: Array
    """Of the quadrature."""

    @property
    def work(self) -> int:
        return len(self.above) * len(self.points) * (self.value.shape[1] if self.value.ndim == 2 else 1)

    def average(self, outputs: int) -> Array:
        """What the leaves add to the sums of an average row."""
        if self.value.ndim == 2:
            return np.asarray(self.reach @ self.value)
        sums = np.bincount(self.edges.output, weights=self.reach * self.value, minlength=outputs)
        return np.asarray(sums, dtype=np.float64)

    def contributions(self, right: Flags, columns: int, outputs: int) -> Array:
        """Rows x columns x outputs, of rows that go right at these nodes of the forest (nodes x rows)."""
        through, factor = self._factors(self.edges.passes(right))
        product, lead = self._products(factor), self._leads(through, factor)
        found = np.zeros((right.shape[1], columns, outputs))
        if self.value.ndim == 1:
            moved = self._moved(product, lead, self.value)
            place = self.edges.column * outputs + self.edges.output
            for row, each in enumerate(moved.T):
                sums = np.bincount(place, weights=each, minlength=columns * outputs)
                found[row] = sums.reshape(columns, outputs)
            return found
        for output, value in enumerate(self.value.T):
            moved = self._moved(product, lead, value)
            for row, each in enumerate(moved.T):
                found[row, :, output] = np.bincount(self.edges.column, weights=each, minlength=columns)
        return found

    def _factors(self, passes: Flags) -> tuple[Flags, Array]:
        """Whether the column of each edge lets each row through, and its factors (edges x rows x points)."""
        through = np.ones((len(self.share), passes.shape[1]), dtype=bool)
        for level in self.edges.levels:
            through[level] = passes[level] & through[self.above[level]]
        closed = self.share[:, None] * (1 - self.points)
        return through, closed[:, None, :] + through[:, :, None] * self.points

    def _products(self, factor: Array) -> Array:
        """Of the factors of all columns on the way to each node."""
        before = factor[self.above]
        step = np.divide(factor[:-1], before, out=np.zeros_like(before), where=before > 0)
        for level in self.edges.levels:
            step[level] *= step[self.edges.parent[level]]
        return step

    def _leads(self, through: Flags, factor: Array) -> Array:
        """What the products below each edge are multiplied by for its column: (o - z) over its own factor."""
        lead = np.divide((1 - self.share)[:, None, None], factor, out=np.zeros_like(factor), where=factor > 0)
        np.copyto(lead, -1 / (1 - self.points), where=~through[:, :, None])
        lead *= self.weights
        return np.asarray(lead[:-1] - lead[self.above])

    def _moved(self, product: Array, lead: Array, value: Array) -> Array:
        """Edges x rows: what each edge gives to its column."""
        below = product * value[:, None, None]
        for inner, first in self.edges.pairs():
            many = len(inner)
            below[inner] = below[first : first + many] + below[first + many : first + 2 * many]
        return np.asarray(np.einsum("nrq,nrq->nr", below, lead))


def _block(forest: Forest, edges: Edges, cover: Array) -> _Block:
    many = len(edges.node)
    above = latest_above(edges)
    weight = cover[edges.node]
    over = weight[edges.parent]
    passed = np.divide(weight, over, out=np.zeros(many), where=over > 0)
    passed[: edges.roots] = 1.0
    share, reach, asked = np.append(passed, 1.0), passed.copy(), np.zeros(many, dtype=np.intp)
    for level in edges.levels:
        share[level] *= share[above[level]]
        reach[level] *= reach[edges.parent[level]]
        asked[level] = asked[edges.parent[level]] + (above[level] == many)
    leaf = forest.left[edges.node] == edges.node
    value = forest.scale * forest.value[edges.node]
    value[~leaf] = 0.0
    points, weights = np.polynomial.legendre.leggauss(max(1, (int(asked.max()) + 1) // 2))
    return _Block(edges, above, share, reach, value, (points + 1) / 2, weights / 2)


def cover_of(forest: Forest, matrix: Array) -> Array:
    """The weight of these rows at each node, for a forest that does not know that of its training rows."""
    cover = np.zeros(len(forest.feature))
    right = forest.goes_right(matrix).T
    for edges in edges_of(forest):
        there = edges.passes(right)
        for level in edges.levels:
            there[level] &= there[edges.parent[level]]
        weight = there.sum(axis=1) + LITTLE
        for inner, first in edges.pairs():
            many = len(inner)
            weight[inner] = weight[first : first + many] + weight[first + many : first + 2 * many]
        cover[edges.node] = weight
    return cover
