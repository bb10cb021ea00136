"""How people write numbers: decimal commas, thousands, currencies, percent; as patterns for DuckDB and for Python."""

import re
from dataclasses import dataclass

_WORDS = "na n/a n.a. #n/a <na> nan -nan null none nil ? - -- . inf -inf infinity -infinity"
_OF_SPREADSHEETS = "#div/0! #value! #ref! #name? #num! #null! #n/v #nv #wert! #bezug! #zahl! #valeur! #nombre! #nom?"
_OF_PROGRAMS = r"\n (null) <null> " + " ".join(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
"""MySQL's, Oracle's, and the extended missing values of Stata and SAS."""
_OF_ACCOUNTS = ("$ -", "$-", "€ -", "- €", "-   €", "£ -", "£-")
"""What an accounting format shows for nothing."""
MISSING = frozenset(("", *_WORDS.split(), *_OF_SPREADSHEETS.split(), *_OF_PROGRAMS.split(), *_OF_ACCOUNTS))
"""Words for a missing cell in a column that otherwise holds numbers or booleans; among text they stay text."""

INTEGER = "-?(0|[1-9][0-9]*)"
NUMBER = r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""No leading zeros: 00712 is a code, and stays text."""
CODE = "[+-]?0[0-9]+"

_CODES = (
    "USD EUR GBP CHF JPY CNY INR AUD CAD SEK NOK DKK PLN CZK HUF BRL MXN ZAR RUB TRY KRW SGD HKD NZD THB ILS AED SAR"
)
CURRENCIES = rf"(?:[A-Z]{{0,2}}\$|[€£¥￥₹₽₺₩₪₴₫฿]|{'|'.join(_CODES.split())}|Fr\.|Rs\.?|zł|Kč|kr\.?|Ft)"
"""As a pattern."""
BLANKS = " \u00a0\u202f"
DASH = "\u2013"
MINUS = "-\u2212"
"""The typographer's minus too, which reports have."""
APOSTROPHES = "'\u2019"
GROUPS = {"comma": ",", "point": ".", "blank": BLANKS, "apostrophe": APOSTROPHES}
TRIMMED = " \t\n\r\u00a0\u3000\ufeff\u200b\u2060\u200e\u200f\u202a\u202c"
"""Blanks, and what nobody sees: cells copied from pages and chats have spaces without width, marks of direction."""

_SIGN = rf"[{MINUS}+]?[{BLANKS}]*"
OPENING = rf"^\(?[{BLANKS}]*({_SIGN}{CURRENCIES}?[{BLANKS}]*\(?[{MINUS}+]?)[{BLANKS}]*"
LOOSE = rf"{OPENING}[.,]?[0-9][0-9.,{APOSTROPHES}{BLANKS}]*([eE][+-]?[0-9]+)?[^0-9]{{0,12}}"
"""Whatever begins as numbers do; what does not match this is no number in any style."""
_NO_CENTS = rf"[.,][{MINUS}{DASH}]{{1,2}}"
"""As in `5.-` of shops."""
CLOSING = rf"({_NO_CENTS}|[{BLANKS}]*[{MINUS}])?[{BLANKS}]*({CURRENCIES}|%)?[{BLANKS}]*\)?$"
NEGATIVE = rf"^[^0-9]*[{MINUS}(]|[0-9][{BLANKS}]*[{MINUS}][^0-9]*$"
"""SAP and other old hands write the minus behind the number."""
BEHIND = rf"[0-9][.,{BLANKS}]*[{MINUS}{DASH}]"
UNIT = rf"[0-9.][{BLANKS}]*([^{MINUS}{BLANKS}0-9\s.,;:%()+*#{APOSTROPHES}]{{2,10}}|[kKmMgshlLW])$"
"""Letters behind a number: a unit where all cells of a column have the same. One letter alone is often of a code."""
PHONE = rf"\+[1-9][0-9]{{0,2}}[{BLANKS}]?[0-9][0-9{BLANKS}]{{6,}}|[0-9]{{3}}[{BLANKS}][0-9]{{3}}[{BLANKS}][0-9]{{3}}"
PHONES_MIN = 5
"""So many cells, and all of them alike, are telephone numbers and not numbers with parted thousands."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the numbers of a column are written, apart from signs, currencies and percent around them."""

    decimal: str
    groups: tuple[str, ...]
    unit: str = ""
    """What stands behind every number of the column."""

    @property
    def pattern(self) -> str:
        """Of a whole core."""
        fraction = rf"(\{self.decimal}[0-9]*)?"
        grouped = [rf"[1-9][0-9]{{0,2}}([{GROUPS[name]}][0-9]{{3}})+{fraction}" for name in self.groups]
        if "comma" in self.groups:  # India's lakhs and crores
            grouped.append(rf"[1-9][0-9]?(,[0-9]{{2}})+,[0-9]{{3}}{fraction}")
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
_ANY = re.compile(rf"{OPENING}({STYLES['.'].pattern}|{STYLES[','].pattern}){CLOSING}")


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number as somebody writes them."""
    return _ANY.fullmatch(cell.strip(TRIMMED)) is not None
