"""Whether the first row of a table holds names: weighed column by column against the rows below it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.domain.data import Reading
from core.sources.numbers import MISSING, looks_like_number

EXPECTED = 3.0
"""Most tables have a header: so much it has in its favour (in log-odds, as all weights here)."""
TEXT_OVER_NUMBERS = 4.0
NUMBERS_OVER_NUMBERS = -6.0
"""Once, not for each column: years as names come together, and so do numbers as cells."""
KNOWN_BELOW = -4.0
"""A name is seldom one of its own column's values."""
RUN, RUN_MAX, YEARS = 3.0, 9.0, 2.0
"""For each step of a run (0, 1, 2; 2022, 2023) that its columns do not hold as values; more where all are years."""
UNLIKE_MAX = 8.0
PLAIN = 4.0
"""Beyond this, either way, the rows tell it themselves."""
NUMERIC_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is what to say of it, empty where it is plain; `option` is the field of `Reading` that decides."""

    header: bool
    why: str = ""
    option: str = ""


def judge(first: Sequence[str], body: Sequence[Sequence[str]], reading: Reading) -> Verdict:
    """Whether `first` is the header of `body`; asked for, named by the target, or told by the cells."""
    if reading.header is not None:
        asked = "is used as the column names, as requested" if reading.header else "is data, as requested"
        return Verdict(reading.header, f"The first row {asked}", "header")
    weight = _weight(first, body)
    if weight <= PLAIN and reading.target and reading.target.strip() in [cell.strip() for cell in first]:
        return Verdict(
            True, f"The first row is used as the column names, since it contains '{reading.target.strip()}'", "header"
        )
    if weight <= 0:
        return Verdict(False, "No header was found: the first row looks like the other rows", "header")
    if weight < PLAIN:
        return Verdict(
            True, "The first row is used as the column names, although it looks much like the other rows", "header"
        )
    return Verdict(True)


def names_columns(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a record is plainly a header: every cell a text of its own, none a number, and unlike the rows below."""
    cells = [cell.strip() for cell in first]
    filled = [cell for cell in cells if cell]
    texts = not any(map(looks_like_number, filled)) and len(set(filled)) == len(filled) >= len(cells) - 1
    return texts and _weight(first, body) > PLAIN


def _weight(first: Sequence[str], body: Sequence[Sequence[str]]) -> float:
    """Log-odds that `first` is a header."""
    weight, unlike = EXPECTED, 0.0
    numbers: list[tuple[str, bool]] = []  # and whether the column has that number anyway
    for i, cell in enumerate(map(str.strip, first)):
        below = [value for row in body if i < len(row) and _known(value := row[i].strip())]
        if not _known(cell) or not below:
            continue
        rare = [value for value in below if looks_like_number(value)]
        if len(rare) >= NUMERIC_SHARE * len(below):
            if looks_like_number(cell):
                numbers.append((cell, cell in rare))
                unlike += _unlike(cell, rare)
            else:
                weight += TEXT_OVER_NUMBERS + math.log((len(below) + 1) / (len(below) - len(rare) + 1))
        else:
            weight += _text_weight(cell, below)
    return weight + (NUMBERS_OVER_NUMBERS + min(unlike, UNLIKE_MAX) + _run(numbers) if numbers else 0.0)


def _known(cell: str) -> bool:
    return cell.lower() not in MISSING


def _text_weight(cell: str, below: Sequence[str]) -> float:
    """A value that the column has anyway speaks against a name; a new one for it, the rarer the column has new ones."""
    counts = Counter(below)
    if cell in counts:
        return KNOWN_BELOW
    single = sum(count == 1 for count in counts.values())
    return math.log((len(below) + 1) / (single + 1))


def _unlike(cell: str, below: Sequence[str]) -> float:
    """How much a number differs from those below: whole over fractions, or far outside their range."""
    whole = sum(_is_whole(value) for value in below)
    found = math.log((len(below) + 1) / (whole + 1)) if _is_whole(cell) else 0.0
    try:
        values = [float(value) for value in below]
        low, high, own = min(values), max(values), float(cell)
    except ValueError:  # written with signs of their own; their form was looked at
        return found
    far = own < low - (high - low) or own > high + (high - low)
    return max(found, math.log(len(below) + 1) if far and high > low else 0.0)


def _is_whole(cell: str) -> bool:
    return cell.lstrip("+-").isdecimal()


def _run(numbers: Sequence[tuple[str, bool]]) -> float:
    """How much numbers that follow each other look like names."""
    if sum(known for _, known in numbers) > len(numbers) / 2 or not all(_is_whole(cell) for cell, _ in numbers):
        return 0.0
    values = [int(cell) for cell, _ in numbers]
    if len(values) < 2 or any(b != a + 1 for a, b in pairwise(values)):
        return 0.0
    years = YEARS if 1900 <= values[0] <= values[-1] <= 2100 else 0.0
    return min(RUN * (len(values) - 1), RUN_MAX) + years
