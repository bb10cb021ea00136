"""How people write numbers: decimal commas, thousands, currencies, percent; as patterns for DuckDB and for Python."""

import re
from dataclasses import dataclass

_WORDS = "na n/a n.a. #n/a <na> nan -nan null none nil ? - -- . inf -inf infinity -infinity"
_OF_SPREADSHEETS = "#div/0! #value! #ref! #name? #num! #null!"
MISSING = frozenset(("", *_WORDS.split(), *_OF_SPREADSHEETS.split()))
"""Words for a missing cell in a column that otherwise holds numbers or booleans; among text they stay text."""

INTEGER = "-?(0|[1-9][0-9]*)"
NUMBER = r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""No leading zeros: 00712 is a code, and stays text."""
CODE = "[+-]?0[0-9]+"

CURRENCIES = "$€£¥₹"
BLANKS = " \u00a0\u202f"
MINUS = "-\u2212"
"""The typographer's minus too, which reports have."""
APOSTROPHES = "'\u2019"
GROUPS = {"comma": ",", "point": ".", "blank": BLANKS, "apostrophe": APOSTROPHES}
TRIMMED = " \t\n\r\u00a0\u3000\ufeff"

LOOSE = rf"[^0-9]{{0,4}}[0-9][0-9.,{APOSTROPHES}{BLANKS}]*([eE][+-]?[0-9]+)?[^0-9]{{0,4}}"
"""Whatever has digits as its heart; what does not match this is no number in any style."""
OPENING = rf"^\(?[{BLANKS}]*([{MINUS}+]?[{BLANKS}]*[{CURRENCIES}]?[{BLANKS}]*[{MINUS}+]?)[{BLANKS}]*"
CLOSING = rf"[{BLANKS}]*([{CURRENCIES}%])?[{BLANKS}]*\)?$"


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are written, apart from signs, currencies and percent around them."""

    decimal: str
    groups: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """Of a whole core."""
        fraction = rf"(\{self.decimal}[0-9]*)?"
        grouped = [rf"[1-9][0-9]{{0,2}}([{GROUPS[name]}][0-9]{{3}})+{fraction}" for name in self.groups]
        forms = [rf"(0|[1-9][0-9]*){fraction}", rf"\{self.decimal}[0-9]+", *grouped]
        return rf"({'|'.join(forms)})([eE][+-]?[0-9]+)?"

    @property
    def grouping(self) -> str:
        """The signs that only part thousands."""
        return "".join(GROUPS[name] for name in self.groups)


STYLES = {
    ".": Style(".", ("comma", "blank", "apostrophe")),
    ",": Style(",", ("point", "blank", "apostrophe")),
}
_ANY = re.compile(
    rf"\(?[{BLANKS}]*[{MINUS}+]?[{BLANKS}]*[{CURRENCIES}]?[{BLANKS}]*[{MINUS}+]?[{BLANKS}]*"
    rf"({STYLES['.'].pattern}|{STYLES[','].pattern})[{BLANKS}]*[{CURRENCIES}%]?\)?"
)


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number as somebody writes them."""
    return _ANY.fullmatch(cell.strip()) is not None
