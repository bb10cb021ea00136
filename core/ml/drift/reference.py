"""What a model's training data was like, in counts: small enough to lie in the model's folder, and never a row.

A number's bins end at values of the training data, some hundred of them. A category has a count for each level. Where
a column has more levels than are kept, half of the rows choose the levels and the other half are counted: levels that
are chosen for being frequent in the rows that are then counted would seem to become rarer later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.domain.data import NUMERIC, ColumnKind
from core.domain.errors import ModelUnreadable
from core.ml.drift.cells import LARGEST, numbers_of, texts_of
from core.predict.arrays import Array

FILE = "reference.json"
"""Of a model folder. One that was packaged before 0.8 has none."""
FORMAT = 1
EDGES_MAX = 100
LEVELS_MAX = 200
"""With so many levels all are kept."""
FREQUENT_MAX, FREQUENT_SHARE = 50, 0.01
"""Of more levels so many of those that have at least this share."""
SLACK = 0.01
"""Of the way from an edge to the next."""
DIGITS = 6
"""Of an edge between numbers."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ColumnReference:
    """One column in training.

    Of a number, `counts` are of the bins that end at each of `edges` (included), of what is above the last, and of
    missing values. Of categories, they are of each of `levels`, of all others, and of missing values.
    """

    name: str
    kind: ColumnKind
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    complete: bool = True
    """`levels` are all that training saw."""
    dates: str = ""
    """The order in which the column's dates are written: its numbers are days since 1970."""
    mean: float | None = None
    deviation: float | None = None
    """Of a number: standard deviation."""
    slack: float = 0.0
    """Of the score: so far apart (Kolmogorov-Smirnov) are the served model's scores without any drift, at most."""

    @property
    def numeric(self) -> bool:
        """Whether it is counted as a number; dates are."""
        return self.kind in NUMERIC or bool(self.dates)

    @property
    def rows(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Reference:
    """A model's training data, and what the model said of it."""

    columns: tuple[ColumnReference, ...]
    score: ColumnReference | None = None
    """Of rows by models that never saw them; None where these are not known."""
    importance: Mapping[str, float] = field(default_factory=dict)
    """Each column's share, adding up to 1; empty: not known."""

    @property
    def rows(self) -> int:
        return max((column.rows for column in self.columns), default=0)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `from_json` gives an equal reference."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return {"format": FORMAT, **values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Reference":
        """What `to_json` wrote. Raises ModelUnreadable."""
        try:
            if values.get("format") != FORMAT:
                raise msgspec.ValidationError(f"format {values.get('format')!r}, expected {FORMAT}")
            found = msgspec.convert({k: v for k, v in values.items() if k != "format"}, Reference)
        except msgspec.ValidationError as e:
            raise ModelUnreadable(f"The model's reference is damaged: {e}", hint="Register the model again") from e
        for column in (*found.columns, *([found.score] if found.score else [])):
            if len(column.counts) != len(column.edges if column.numeric else column.levels) + 2:
                raise ModelUnreadable(f"The model's reference of '{column.name}' is damaged")
        return found


def of_column(name: str, kind: ColumnKind, values: Sequence[Any], dates: str = "") -> ColumnReference:
    """The reference of a column from its values in training, None where one is missing."""
    if kind in NUMERIC or dates:
        return of_numbers(name, kind, numbers_of(values, dates), dates)
    return _of_texts(name, kind, texts_of(values))


def of_numbers(name: str, kind: ColumnKind, numbers: Array, dates: str = "") -> ColumnReference:
    """The reference of numbers, NaN where one is missing."""
    numbers = np.clip(numbers, -LARGEST, LARGEST)
    known = np.sort(numbers[~np.isnan(numbers)])
    edges = _edges(known)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = (float(known.mean()), float(known.std())) if len(known) else (np.nan, np.nan)
        up_to = np.searchsorted(known, edges + _slack(edges), "right")
    counts = np.diff(up_to, prepend=0, append=len(known))
    return ColumnReference(
        name,
        kind,
        (*counts.tolist(), len(numbers) - len(known)),
        edges=tuple(edges.tolist()),
        dates=dates,
        mean=mean if np.isfinite(mean) else None,
        deviation=deviation if np.isfinite(deviation) else None,
    )


def binned(edges: Array, numbers: Array) -> Counts:
    """How many numbers are in each bin, above the last, and missing.

    A bin reaches a little beyond its edge: a client's 92.893 is the table's 92.89299999999999.
    """
    missing = np.isnan(numbers)
    with np.errstate(over="ignore"):
        ends = edges + _slack(edges)
    places = np.searchsorted(ends, numbers[~missing], "left")
    counts = np.bincount(places, minlength=len(edges) + 1)
    return np.append(counts, missing.sum()).astype(np.int64)


def _slack(edges: Array) -> Array:
    if len(edges) < 2:
        return np.abs(edges) * SLACK
    gaps = np.diff(edges * SLACK)
    return np.append(gaps, gaps[-1])


def counted(levels: Sequence[str], texts: Sequence[str | None]) -> Counts:
    """How many texts are each level, another, and missing."""
    places = {level: at for at, level in enumerate(levels)}
    at = [len(levels) + 1 if text is None else places.get(text, len(levels)) for text in texts]
    return np.bincount(np.array(at, dtype=np.int64), minlength=len(levels) + 2).astype(np.int64)


def _edges(known: Array) -> Array:
    """All values where they are few, else such that each bin has about as many; of ordered values."""
    values = _distinct(known)
    if len(values) > EDGES_MAX:
        values = known[-(-np.arange(1, EDGES_MAX + 1) * len(known) // EDGES_MAX) - 1]
        written = (f"%.{DIGITS}g " * len(values)) % tuple(values.tolist())  # a third of the time of one by one
        values = _distinct(np.array([float(value) for value in written.split()]))
    return values


def _distinct(ordered: Array) -> Array:
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _of_texts(name: str, kind: ColumnKind, texts: Sequence[str | None]) -> ColumnReference:
    levels = _frequent(texts)
    if len(levels) <= LEVELS_MAX:
        chosen = tuple(sorted(levels))
        return ColumnReference(name, kind, tuple(counted(chosen, texts).tolist()), levels=chosen)
    some = texts[::2]
    often = sorted(_frequent(some).items(), key=lambda item: (-item[1], item[0]))[:FREQUENT_MAX]
    chosen = tuple(sorted(text for text, rows in often if rows >= FREQUENT_SHARE * len(some)))
    counts = tuple(counted(chosen, texts[1::2]).tolist())
    return ColumnReference(name, kind, counts, levels=chosen, complete=False)


def _frequent(texts: Sequence[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        if text is not None:
            found[text] = found.get(text, 0) + 1
    return found
