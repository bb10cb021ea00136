"""Valid rows made from a document: near its example, all over what it declares, at the bounds, in rare combinations."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

from core.checks.document.columns import Domain
from core.contract import samples
from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

Row = dict[str, Scalar | None]

NULL_SHARE = 0.1
ROUND_SHARE = 0.15
"""So many numbers are round ones: people's rows hold these, and rules of thumb begin there."""
FAR_SHARE = 0.15
"""Where a domain is much wider than where values are expected, so many numbers lie at a distance of any magnitude."""
PAIRS_MAX = 10_000
"""Of two columns with more combinations, some are drawn by chance."""
VALUES_MAX = 1_000
"""Of so many whole numbers each has its turn."""
USUAL = ("near", "whole", "near", "mixed")
EVERYWHERE = ("pairs", "whole", "ends", "pairs", "mixed", "whole", "pairs", "near")
KINDS = ("near", "whole", "ends")


@dataclass(frozen=True)
class Drawing:
    """What rows are drawn from: the columns, and where the numbers of each lie."""

    signature: Signature
    domains: Mapping[str, Domain]
    optional: tuple[str, ...] = ()
    """Columns that a row may leave out."""

    def usual(self, count: int, seed: int) -> list[Row]:
        """Rows as clients send them, every second one from all that is declared; the first is near the example."""
        return _Drawer(self, seed).rows(count, USUAL)

    def everywhere(self, count: int, seed: int) -> list[Row]:
        """Rows that leave no corner out: bounds, combinations of categories, values that nobody sends."""
        return _Drawer(self, seed).rows(count, EVERYWHERE)

    def narrowed(self, guesses: Mapping[str, Domain]) -> "Drawing":
        """The same with other domains for some columns."""
        return replace(self, domains={**self.domains, **guesses})


class _Drawer:
    def __init__(self, drawing: Drawing, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - draws test data
        self._columns = drawing.signature.used
        self._domains, self._optional = drawing.domains, drawing.optional
        self._decks: dict[tuple[int, int], list[tuple[Any, Any]]] = {}
        self._values: dict[str, list[int]] = {}
        self._levels = [self._levels_of(column) for column in self._columns]

    def rows(self, count: int, ways: Sequence[str]) -> list[Row]:
        made = [self._row(ways[at % len(ways)]) for at in range(count)]
        if ways is EVERYWHERE and self._optional:
            for row in made[7::8]:
                del row[self._random.choice(self._optional)]
        return made

    def _row(self, way: str) -> Row:
        if way == "pairs":
            return self._paired()
        choose = self._random.choice
        return {column.name: self._value(column, choose(KINDS) if way == "mixed" else way) for column in self._columns}

    def _paired(self) -> Row:
        """A row in which each column meets another one in a combination that had no turn yet."""
        order = list(range(len(self._columns)))
        self._random.shuffle(order)
        row = self._row("mixed")
        for pair in zip(order[::2], order[1::2], strict=False):
            one, other = sorted(pair)
            row[self._columns[one].name], row[self._columns[other].name] = self._combination(one, other)
        return row

    def _combination(self, one: int, other: int) -> tuple[Any, Any]:
        some, others = self._levels[one], self._levels[other]
        if len(some) * len(others) > PAIRS_MAX:
            return self._random.choice(some), self._random.choice(others)
        deck = self._decks.get((one, other))
        if not deck:
            deck = self._decks[one, other] = list(product(some, others))
            self._random.shuffle(deck)
        return deck.pop()

    def _levels_of(self, column: Column) -> list[Any]:
        null = [None] if column.nullable else []
        match column.kind:
            case ColumnKind.BOOLEAN:
                return [False, True, *null]
            case ColumnKind.STRING:
                return [*column.levels, *null] if column.closed else [*column.levels, samples.UNSEEN, *null]
            case _:
                return [*ends(self._domains[column.name], column.kind), *null]

    def _value(self, column: Column, way: str) -> Scalar | None:
        if column.nullable and self._random.random() < NULL_SHARE:
            return None
        if column.kind is ColumnKind.BOOLEAN:
            return self._random.random() < 0.5
        if column.kind is ColumnKind.STRING:
            unseen = not column.levels or (not column.closed and self._random.random() < samples.UNSEEN_SHARE)
            return samples.UNSEEN if unseen else self._random.choice(column.levels)
        return self._number(column, way)

    def _number(self, column: Column, way: str) -> float:
        domain, kind = self._domains[column.name], column.kind
        if domain.values:
            return self._random.choice(domain.values)
        if way == "ends":
            return self._random.choice(ends(domain, kind))
        if way == "near":
            return settled(samples.between(self._random, *domain.near), domain, kind)
        if kind is ColumnKind.INTEGER and domain.high - domain.low < VALUES_MAX:
            return settled(self._in_turn(column.name, domain), domain, kind)
        return settled(self._within(domain), domain, kind)

    def _in_turn(self, name: str, domain: Domain) -> int:
        """The next of all whole numbers there are, each of which has its turn before one has its second."""
        left = self._values.get(name)
        if not left:
            left = self._values[name] = list(range(math.ceil(domain.low), math.floor(domain.high) + 1))
            self._random.shuffle(left)
        return left.pop()

    def _within(self, domain: Domain) -> float:
        value, how = samples.between(self._random, domain.low, domain.high), self._random.random()
        width, usual = min(domain.high - domain.low, WIDEST), domain.near[1] - domain.near[0]
        if how < ROUND_SHARE and 0 < abs(value) < WIDEST:
            return round(value, -math.floor(math.log10(abs(value))))
        if how < ROUND_SHARE + FAR_SHARE and usual > 0 and width > 100 * usual:
            away = math.exp(self._random.uniform(math.log(usual), math.log(width)))
            return self._random.choice((domain.near[0] - away, domain.near[1] + away))
        return value


WIDEST = 1e307
"""Beyond it a rounded number may be larger than a double holds; a column may span more than that."""


def ends(domain: Domain, kind: ColumnKind) -> list[float]:
    """Numbers where things change: both ends, what is next to them, zero, and where values are expected."""
    if domain.values:
        return list(domain.values)
    step = 1 if kind is ColumnKind.INTEGER else max(domain.high * 1e-3 - domain.low * 1e-3, 1e-9)
    told = [
        domain.low,
        domain.low + step,
        domain.near[0],
        domain.near[0] / 2 + domain.near[1] / 2,
        domain.near[1],
        domain.high - step,
    ]
    told += [domain.high, *([0.0] if domain.low < 0 < domain.high else [])]
    return list(dict.fromkeys(settled(value, domain, kind) for value in told))


def settled(value: float, domain: Domain, kind: ColumnKind) -> float:
    """The nearest number to `value` that the domain has."""
    if domain.multiple:
        first, last = math.ceil(domain.low / domain.multiple), math.floor(domain.high / domain.multiple)
        value = max(first, min(last, round(value / domain.multiple))) * domain.multiple
    value = max(domain.low, min(domain.high, value))
    if kind is not ColumnKind.INTEGER:
        return value
    return max(math.ceil(domain.low), min(math.floor(domain.high), round(value)))


def beyond(row: Mapping[str, Any], domains: Mapping[str, Domain]) -> Iterator[str]:
    """The columns whose value lies where nothing tells that it may."""
    for name, domain in domains.items():
        value = row.get(name)
        if not domain.told and isinstance(value, int | float) and not domain.near[0] <= value <= domain.near[1]:
            yield name
