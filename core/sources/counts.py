"""What is counted of a column of text, and whether it may hold numbers by that."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.sources.numbers import PHONES_MIN, STYLES

NUMBERS_SHARE = 0.99
"""Of the known cells: a column with so many numbers is one of numbers, and its few words are missing."""


@dataclass(frozen=True, slots=True)
class Plain:
    """What the first pass counts of a column's cells, trimmed and not missing."""

    known: int = 0
    integers: int = 0
    numbers: int = 0
    booleans: int = 0
    codes: int = 0
    """Digits behind a leading zero: one such cell makes the column text."""
    loose: int = 0
    """Cells that may be numbers in some style."""
    trimmed: int = 0
    words: int = 0
    """Cells with a word for missing."""
    points: int = 0
    """Numbers with a decimal point that cannot part thousands."""
    grouped: int = 0
    """Numbers whose point may as well part thousands."""


@dataclass(frozen=True, slots=True)
class Styled:
    """What the second pass counts of a column that may hold numbers in some style."""

    known: int
    fits: Mapping[str, int]
    """Cells per decimal sign that are numbers under it."""
    only: Mapping[str, int]
    """Those that are numbers under no other."""
    percent: int
    currencies: tuple[str, ...]
    phones: int
    unit: str
    """What stands behind the numbers, where it is the same everywhere."""

    @property
    def telephones(self) -> bool:
        return self.phones == self.known >= PHONES_MIN

    def numeric(self, decimal: str) -> bool:
        return self.fits[decimal] >= NUMBERS_SHARE * self.known

    @property
    def may_be(self) -> tuple[str, ...]:
        """The decimal signs under which it holds numbers. Not some percent and some plain, nor several currencies."""
        if self.telephones:
            return ()
        if self.percent not in (0, max(self.fits.values())) or len(self.currencies) > 1:
            return ()
        return tuple(decimal for decimal in STYLES if self.numeric(decimal))


@dataclass(frozen=True, slots=True)
class Written:
    """What occurs in the numbers of a column, read in its style."""

    decimal: bool
    grouped: bool
    behind: bool
    """A sign behind the number."""


@dataclass(frozen=True, slots=True)
class Commonest:
    """The most frequent of some cells with how often each is there, and the number of all of them."""

    cells: tuple[tuple[str, int], ...]
    count: int

    @property
    def rest(self) -> int:
        """How many are not among the most frequent."""
        return self.count - sum(n for _, n in self.cells)
