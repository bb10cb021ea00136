"""Where the steps of a pipeline stand in its drawing.

Steps stand in layers, so that whatever a step waits for stands before it, and within a layer in slots, so that lines
are short and cross little (layers by the longest path, order by barycenters, slots by least squares).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

ROUNDS = 4
"""Of ordering and of straightening; more change nothing that can be seen."""
LANE = 0.4
"""The room of a line that passes a layer, where that of a step is 1."""
BENDS_MAX = 4_000
"""With more, long lines go straight: such a drawing is too dense to follow them anyway."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer, counted from the first steps, and a place in it; a step takes one slot."""

    layer: int
    slot: float


@dataclass(frozen=True, slots=True)
class Line:
    """From a step to one that waits for it, by the places where it passes the layers between."""

    source: str
    target: str
    bends: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """Every step's place, and the lines that say what waits for what; what others imply is left out."""

    places: Mapping[str, Place]
    lines: tuple[Line, ...]
    layers: int
    slots: float
    """From the first slot to the last."""


_Node = tuple[str, str, int]
"""A step (its name, "", 0), or a line where it passes a layer (source, target, layer)."""


def laid_out(waits_for: Mapping[str, Sequence[str]]) -> Drawing:
    """The drawing of steps, each with those it waits for, which come before it."""
    layers: dict[str, int] = {}
    for name, needs in waits_for.items():
        layers[name] = 1 + max((layers[need] for need in needs), default=-1)
    chains = _chains(_needed(waits_for), layers)
    nodes = dict.fromkeys((name, "", 0) for name in waits_for)
    layer_of = {node: layers[node[0]] for node in nodes}
    layer_of |= {node: node[2] for chain in chains for node in chain[1:-1]}
    before, after = _neighbors(chains, layer_of)
    rows: list[list[_Node]] = [[] for _ in range(1 + max(layers.values(), default=0))]
    for node, layer in layer_of.items():
        rows[layer].append(node)
    _order(rows, before, after)
    slots = _straighten(rows, before, after)
    return _drawing(waits_for, chains, layer_of, slots, len(rows))


def _needed(waits_for: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """What waits for what, without what follows from the rest."""
    bit = {name: 1 << number for number, name in enumerate(waits_for)}
    earlier: dict[str, int] = {}
    kept = []
    for name, needs in waits_for.items():
        implied = 0
        for need in needs:
            implied |= earlier[need]
        kept += [(need, name) for need in dict.fromkeys(needs) if not implied & bit[need]]
        earlier[name] = implied | sum(bit[need] for need in set(needs) if not implied & bit[need])
    return kept


def _chains(edges: Sequence[tuple[str, str]], layers: Mapping[str, int]) -> list[tuple[_Node, ...]]:
    """Every line as the nodes that it goes by, one in each layer."""
    bends = sum(layers[target] - layers[source] - 1 for source, target in edges)
    passing = bends <= BENDS_MAX
    return [
        (
            (source, "", 0),
            *((source, target, layer) for layer in range(layers[source] + 1, layers[target]) if passing),
            (target, "", 0),
        )
        for source, target in edges
    ]


_Neighbors = dict[_Node, list[_Node]]


def _neighbors(chains: Sequence[tuple[_Node, ...]], nodes: Mapping[_Node, int]) -> tuple[_Neighbors, _Neighbors]:
    before: _Neighbors = {node: [] for node in nodes}
    after: _Neighbors = {node: [] for node in nodes}
    for chain in chains:
        for one, next_one in pairwise(chain):
            before[next_one].append(one)
            after[one].append(next_one)
    return before, after


def _order(rows: list[list[_Node]], before: _Neighbors, after: _Neighbors) -> None:
    """Put each layer in the order of the middles of its neighbors, forward and backward."""
    at = {node: float(i) for row in rows for i, node in enumerate(row)}
    for _ in range(ROUNDS):
        for ordered, neighbors in ((rows, before), (rows[::-1], after)):
            for row in ordered:
                row.sort(key=lambda node, beside=neighbors: _middle(beside[node], at, at[node]))  # type: ignore[misc]
                at.update((node, float(i)) for i, node in enumerate(row))


def _straighten(rows: list[list[_Node]], before: _Neighbors, after: _Neighbors) -> dict[_Node, float]:
    """Move each node as near to the middle of its neighbors as the room in its layer allows."""
    at: dict[_Node, float] = {}
    for row in rows:
        at.update(zip(row, _apart(row, [0.0] * len(row)), strict=True))
    for _ in range(ROUNDS):
        for ordered, neighbors in ((rows, before), (rows[::-1], after)):
            for row in ordered:
                wished = [_middle(neighbors[node], at, at[node]) for node in row]
                at.update(zip(row, _apart(row, wished), strict=True))
    return at


def _middle(neighbors: Sequence[_Node], at: Mapping[_Node, float], own: float) -> float:
    return sum(at[node] for node in neighbors) / len(neighbors) if neighbors else own


def _apart(row: Sequence[_Node], wished: Sequence[float]) -> list[float]:
    """The slots nearest to those wished for, by least squares, that keep the order and the room of each node."""
    offsets = [0.0]
    for one, next_one in pairwise(row):
        offsets.append(offsets[-1] + (_room(one) + _room(next_one)) / 2)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=False):
        total, count = wish - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            earlier = blocks.pop()
            total, count = total + earlier[0], count + earlier[1]
        blocks.append((total, count))
    means = [total / count for total, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _room(node: _Node) -> float:
    return LANE if node[1] else 1.0


def _drawing(
    names: Mapping[str, Sequence[str]],
    chains: Sequence[tuple[_Node, ...]],
    layer_of: Mapping[_Node, int],
    slots: Mapping[_Node, float],
    layers: int,
) -> Drawing:
    low = min(slots.values(), default=0.0)
    place = {node: Place(layer_of[node], round(slot - low, 3)) for node, slot in slots.items()}
    lines = tuple(Line(c[0][0], c[-1][0], tuple(place[node] for node in c[1:-1])) for c in chains)
    most = max((p.slot for p in place.values()), default=0.0)
    return Drawing({name: place[name, "", 0] for name in names}, lines, layers, most)
