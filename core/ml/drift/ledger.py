"""Counts of recent values by intervals of time, for all columns of a reference: they add up, and are kept on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.ml.drift.reference import ColumnReference, Counts, Reference
from core.ml.drift.tally import Tally, nothing, tally
from core.predict.arrays import Array

Unseen = Mapping[str, Mapping[str, int]]
"""By column, rows by category that training never saw."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One line an interval, oldest first; several lines may be of one."""

    at: Array
    """When each interval begins, in seconds since the epoch."""
    requests: Counts
    rows: Counts
    counts: Counts
    """Lines x bins of all columns, one column after the other, in the order of `columns_of`."""
    totals: Array
    """Lines x columns: the sum of its numbers."""
    kept: npt.NDArray[np.bool_]
    """Lines x columns: whether its values were kept."""
    sample_pct: Array
    unseen: tuple[Unseen, ...] = field(default_factory=tuple)

    def between(self, since: float, until: float) -> "Ledger":
        """The intervals that begin in [since, until)."""
        return self.of((self.at >= since) & (self.at < until))

    def of(self, lines: npt.NDArray[np.bool_]) -> "Ledger":
        """Some of the lines."""
        unseen = tuple(one for one, wanted in zip(self.unseen, lines, strict=True) if wanted)
        return _made({name: getattr(self, name)[lines] for name in NAMES}, unseen)

    def tallies(self, reference: Reference) -> dict[str, Tally]:
        """What there was of each column in all lines; a column of which nothing was kept is left out."""
        found = {}
        for at, (column, place) in enumerate(places_of(reference)):
            kept = self.kept[:, at]
            if kept.any() or not len(kept):
                one = nothing(column) if not len(kept) else self._tally(column.name, at, place, kept)
                found[column.name] = one
        return found

    def masked(self, reference: Reference) -> tuple[str, ...]:
        """Columns of which some line has nothing."""
        names = [column.name for column in columns_of(reference)]
        return tuple(sorted(name for at, name in enumerate(names) if name and not self.kept[:, at].all()))

    def _tally(self, name: str, at: int, place: slice, kept: npt.NDArray[np.bool_]) -> Tally:
        unseen: dict[str, int] = {}
        for line in self.unseen:
            for text, rows in line.get(name, {}).items():
                unseen[text] = unseen.get(text, 0) + rows
        return Tally(self.counts[kept, place].sum(axis=0), float(self.totals[kept, at].sum()), unseen)

    def to_bytes(self) -> bytes:
        """For a file; `from_bytes` gives an equal ledger."""
        out = BytesIO()
        told = np.frombuffer(msgspec.json.encode(self.unseen), dtype=np.uint8)
        arrays = {name: getattr(self, name) for name in NAMES}
        np.savez_compressed(out, unseen=told, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, written: bytes, reference: Reference) -> "Ledger":
        """Raises ValueError for what is damaged, or of another reference."""
        try:
            with np.load(BytesIO(written), allow_pickle=False) as arrays:
                unseen = msgspec.json.decode(arrays["unseen"].tobytes(), type=tuple[dict[str, dict[str, int]], ...])
                found = _made({name: arrays[name] for name in NAMES}, unseen)
        except (OSError, KeyError, EOFError, msgspec.DecodeError) as e:
            raise ValueError(f"a damaged ledger: {e}") from e
        if found.counts.shape != (len(found.at), width_of(reference)) or len(unseen) != len(found.at):
            raise ValueError("a ledger of another reference")
        return found


NAMES = ("at", "requests", "rows", "counts", "totals", "kept", "sample_pct")


def columns_of(reference: Reference) -> tuple[ColumnReference, ...]:
    """The columns, and last the score where there is one."""
    return (*reference.columns, *([reference.score] if reference.score is not None else []))


def places_of(reference: Reference) -> list[tuple[ColumnReference, slice]]:
    """Each column with the place of its bins in a line."""
    found, at = [], 0
    for column in columns_of(reference):
        found.append((column, slice(at, at + len(column.counts))))
        at += len(column.counts)
    return found


def width_of(reference: Reference) -> int:
    return sum(len(column.counts) for column in columns_of(reference))


def empty(reference: Reference) -> Ledger:
    """Of no interval."""
    columns, no = len(columns_of(reference)), np.empty(0)
    counts = np.empty((0, width_of(reference)), dtype=np.int64)
    whole = np.empty(0, dtype=np.int64)
    return Ledger(no, whole, whole, counts, np.empty((0, columns)), np.empty((0, columns), dtype=bool), no)


def line(
    reference: Reference, at: float, requests: int, rows: int, values: Mapping[str, Sequence[Any]], sample_pct: float
) -> Ledger:
    """One interval's line; the score's values are under the empty name. A column without values was not kept."""
    places = places_of(reference)
    counts = np.zeros((1, width_of(reference)), dtype=np.int64)
    totals, kept = np.zeros((1, len(places))), np.zeros((1, len(places)), dtype=bool)
    unseen = {}
    for number, (column, place) in enumerate(places):
        if column.name in values:
            found = tally(column, values[column.name])
            counts[0, place], totals[0, number], kept[0, number] = found.counts, found.total, True
            if found.unseen:
                unseen[column.name] = dict(found.unseen)
    whole = (np.array([requests]), np.array([rows]))
    return Ledger(np.array([at]), *whole, counts, totals, kept, np.array([sample_pct]), (unseen,))


def joined(reference: Reference, ledgers: Sequence[Ledger]) -> Ledger:
    """The lines of several ledgers, oldest first."""
    every = [empty(reference), *ledgers]
    arrays = {name: np.concatenate([getattr(one, name) for one in every]) for name in NAMES}
    unseen = [told for one in every for told in one.unseen]
    order = np.argsort(arrays["at"], kind="stable")
    sorted_unseen = tuple(unseen[at] for at in order.tolist())
    return _made({name: array[order] for name, array in arrays.items()}, sorted_unseen)


def _made(arrays: Mapping[str, Any], unseen: tuple[Unseen, ...]) -> Ledger:
    return Ledger(**arrays, unseen=unseen)
