"""Whatever in a house is against a law, one line for each fault: the rules alone, their tables stand with the tests."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from architecture.house import House, Import, Seen, dotted, within


@dataclass(frozen=True, slots=True)
class Named:
    """A module that may name others in a text, whatever the tables say, and why."""

    module: str
    names: str
    """What it names: a module, or a package whose modules are meant."""
    why: str

    def covers(self, module: str, name: str) -> bool:
        return module == self.module and within(name, {self.names})


@dataclass(frozen=True, slots=True)
class Law:
    """Who may import whom."""

    layers: Sequence[Sequence[str]]
    """Low to high. A module may import any layer below its own; layers on one line never import each other."""
    only: Mapping[str, set[str]] = field(default_factory=dict)
    """Layers that may import less than everything below them."""
    rooms: Mapping[str, Mapping[str, set[str]]] = field(default_factory=dict)
    """Of layers with rooms: what each room may import of the others; a module that stands alone is a room."""
    named: Sequence[Named] = ()
    """What texts may name against all this."""

    @property
    def rank(self) -> Mapping[str, int]:
        return {name: rank for rank, names in enumerate(self.layers) for name in names}


def imports(house: House, law: Law, module: str) -> Iterator[Import]:
    """What a module imports, but for what it may name."""
    for each in house.imports(module):
        if not (each.string and any(named.covers(module, each.name) for named in law.named)):
            yield each


def layer(module: str) -> str:
    """The layer of a module below `core`; empty for `core` itself and for the door of the command line."""
    name = (*module.split("."), "")[1]
    return "" if name == "__main__" else name


def upward(house: House, law: Law) -> list[str]:
    """Imports of what is not below, and modules without a place in the table."""
    faults = []
    rank = law.rank
    for module in house.modules:
        if not (me := layer(module)):
            continue
        if me not in rank:
            faults.append(f"{module}: give '{me}' a place in LAYERS")
            continue
        below = {name for name in rank if rank[name] < rank[me]}
        allowed = law.only.get(me, below) & below | {me}
        faults += [
            f"{module}:{each.line}: {me} may not import {each.name}{'' if other else ', all of it'}"
            for each in imports(house, law, module)
            if within(each.name, {"core"}) and (other := layer(each.name)) not in allowed
        ]
    return faults


class Crossing(NamedTuple):
    """An import from one room of a layer into another."""

    between: tuple[str, str, str]
    """The layer, the room, the other room."""
    where: str


def across(house: House, law: Law) -> list[Crossing]:
    """Imports between the rooms of a layer that its table does not know."""
    return [
        Crossing((name, _room(module), _room(other)), f"{module}:{each.line}: {other}")
        for name, rooms in law.rooms.items()
        for module in _inside(house, name)
        for each in imports(house, law, module)
        if layer(other := house.module_of(each.name)) == name
        and _room(other) not in ("", _room(module), *rooms.get(_room(module), ()))
    ]


def strangers(house: House, law: Law) -> set[tuple[str, str]]:
    """Rooms, by layer, that are there and have no place in its table, or have one and are not there."""
    return {
        (name, room)
        for name, rooms in law.rooms.items()
        for room in {_room(m) for m in _inside(house, name)} ^ set(rooms)
    }


def _inside(house: House, name: str) -> list[str]:
    return [module for module in house.modules if layer(module) == name and _room(module)]


def _room(module: str) -> str:
    """The room inside its layer; empty for what stands for the layer as a whole."""
    return (*module.split("."), "", "")[2]


def circles(house: House, law: Law) -> list[frozenset[str]]:
    """The largest sets of modules that all import each other, on whatever ways and at whatever time."""
    edges = {
        module: sorted({house.module_of(each.name) for each in imports(house, law, module)} - {"", module, "core"})
        for module in house.modules
    }
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    found: list[frozenset[str]] = []

    def go(module: str) -> None:
        index[module] = low[module] = len(index)
        open_.append(module)
        for other in edges[module]:
            if other not in index:
                go(other)
            if other in open_:
                low[module] = min(low[module], low[other])
        if low[module] == index[module]:
            at = open_.index(module)
            if len(open_) - at > 1:
                found.append(frozenset(open_[at:]))
            del open_[at:]

    for module in edges:
        if module not in index:
            go(module)
    return found


def not_needed(house: House, law: Law) -> list[str]:
    """What `named` allows although nothing would be against the law without it."""
    faults = []
    for named in law.named:
        rest = Law(law.layers, law.only, law.rooms, [other for other in law.named if other is not named])
        if all(rule(house, rest) == rule(house, law) for rule in (upward, across, circles)):
            faults.append(f"{named.module} needs no leave to name {named.names}")
    return faults


def foreign(house: House, forbidden: Mapping[str, set[str]]) -> list[str]:
    """Imports of what is not a layer's business."""
    return [
        f"{module}:{each.line}: {layer(module)} may not import {each.name}"
        for module in house.modules
        for each in house.imports(module)
        if within(each.name, forbidden.get(layer(module), set()))
    ]


def misplaced(house: House, only_in: Mapping[str, set[str]]) -> list[str]:
    """Imports of what has one place, outside of it."""
    return [
        f"{module}:{each.line}: {name} belongs into {', '.join(sorted(places))}"
        for module in house.modules
        for each in house.imports(module)
        for name, places in only_in.items()
        if within(each.name, {name}) and not within(module, places)
    ]


def deep(house: House, deepest: int) -> list[str]:
    """Modules below more packages than that under `core`."""
    return [
        f"{path.relative_to(house.root)}: {depth} packages deep"
        for path in house.modules.values()
        if (depth := len(path.relative_to(house.root).parts) - 2) > deepest
    ]


PICKLES = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
READERS = {"load", "read_array"}
"""What unpickles in numpy unless told not to, whatever name it was imported by."""


def unpickling(house: House) -> list[str]:
    """What may run code that stands in a file."""
    faults = []
    for module in house.modules:
        faults += [f"{module}:{each.line}: {each.name}" for each in house.imports(module) if within(each.name, PICKLES)]
        faults += [f"{module}:{line}: {name} without allow_pickle=False" for line, name in _loose(house, module)]
    return faults


def _loose(house: House, module: str) -> Iterator[tuple[int, str]]:
    """Where numpy reads what may be a pickle, or where its reader is handed on to be called elsewhere."""
    nodes = house.nodes(module)
    meant = _names(nodes)
    safe = {
        id(node.func)
        for node, _, _ in nodes
        if isinstance(node, ast.Call)
        and any(word.arg == "allow_pickle" and ast.unparse(word.value) == "False" for word in node.keywords)
    }
    for node, _, _ in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in safe:
            first, dot, rest = dotted(node).partition(".")
            name = f"{meant.get(first, '')}{dot}{rest}"
            if within(name, {"numpy"}) and name.rpartition(".")[2] in READERS:
                yield node.lineno, name


def _names(nodes: Sequence[Seen]) -> dict[str, str]:
    """What the names mean that imports bind."""
    meant: dict[str, str] = {}
    for node, _, _ in nodes:
        if isinstance(node, ast.ImportFrom):
            meant |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            meant |= {
                a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                for a in node.names
            }
    return meant
