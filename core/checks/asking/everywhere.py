"""Rows from everywhere that the document allows, in few requests: what hides in a corner shows there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from core.checks.document.drawing import Drawing, beyond, settled
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import REFUSED, Exchange
from core.checks.probe.probe import Probe

ROWS_MIN, ROWS_MAX = 20, 5_000
FIRST_ROWS, ROWS_AT_ONCE = 50, 500
GROWTH = 4
FARNESS = (1.0, 0.5, 0.25, 0.1)
GUESSED_MAX = 40
"""So many columns are tried one by one where they are refused together; the others stay near their example."""
DROPPED_MAX = 20
"""After so many rows that were a guess and were refused, guessing ends."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What came of the rows that were sent."""

    batches: tuple[Rows, ...]
    """Those that are scored."""
    dropped: int
    """Guesses that were refused, which says nothing."""
    refused: Violation | None
    """One row that the document allows, and what it got."""

    @property
    def count(self) -> int:
        return sum(map(len, self.batches))


def batches_from_everywhere(probe: Probe) -> Iterator[Rows]:
    """The rows from everywhere that are scored, some hundreds at once, until the time for one check is over."""
    until = monotonic() + probe.depth.everywhere_s
    for rows in probe.once(everywhere).batches:
        yield rows
        if monotonic() > until:
            return


def smallest(judge: Callable[[Rows], object], rows: Rows) -> Violation | None:
    """What `judge` objects to in as few of these rows as show it; None where it objects to none any more."""
    found = _objection(judge, rows)
    while found is not None and len(rows) > 1:
        halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        half, still = next(((each, e) for each in halves if (e := _objection(judge, each)) is not None), (rows, None))
        if still is None:
            break
        rows, found = half, still
    return found


def _objection(judge: Callable[[Rows], object], rows: Rows) -> Violation | None:
    try:
        judge(rows)
    except Violation as e:
        return e
    return None


def everywhere(probe: Probe) -> Everywhere:
    """Draw and send them, by a growing number at once, until the time for one check is over."""
    drawing = _calibrated(probe)
    columns = len(drawing.signature.used)
    if not columns:
        raise NotApplicable("the document does not describe any columns")
    rows = drawing.everywhere(max(ROWS_MIN, min(ROWS_MAX, probe.depth.cells // columns)), probe.seed)
    until = monotonic() + probe.depth.everywhere_s
    batches: list[Rows] = []
    dropped, at, size = 0, 0, FIRST_ROWS
    while at < len(rows) and dropped <= DROPPED_MAX and (not at or monotonic() < until):
        batch = rows[at : at + probe.fitting(size)]
        at, size = at + len(batch), min(size * GROWTH, ROWS_AT_ONCE)
        taken, guesses, refused = _sifted(probe, drawing, batch)
        dropped += guesses
        batches += [taken] if taken else []
        if refused is not None:
            return Everywhere(tuple(batches), dropped, refused)
    return Everywhere(tuple(batches), dropped, None)


def _sifted(probe: Probe, drawing: Drawing, batch: Rows) -> tuple[Rows, int, Violation | None]:
    """The rows that are scored, how many guesses are refused, and the refusal of a row that is none."""
    dropped = 0
    while batch and (refused := smallest(probe.score, batch)) is not None:
        alone, status = _row_of(refused, batch, probe)
        if alone is None or status not in REFUSED or not any(beyond(alone, drawing.domains)):
            return [row for row in batch if row is not alone] if alone else [], dropped, refused
        batch = [row for row in batch if row is not alone]
        dropped += 1
        if dropped > DROPPED_MAX:
            return [], dropped, None
    return batch, dropped, None


def _row_of(refused: Violation, batch: Rows, probe: Probe) -> tuple[dict[str, Any] | None, int]:
    """The only row of the request that was refused, and the status; None where several had to come together."""
    last = refused.requests[-1] if refused.requests else None
    if not isinstance(last, Exchange):
        return None, 0
    return next((row for row in batch if probe.body([row]) == last.body), None), last.status


def _calibrated(probe: Probe) -> Drawing:
    """The drawing, with guesses of how far a column reaches cut where the endpoint refuses them."""
    drawing = probe.described.drawing
    guessed = {name: domain for name, domain in drawing.domains.items() if not domain.told}
    if not guessed:
        return drawing
    (row,) = drawing.usual(1, probe.seed)
    rows = [row | {name: _at(drawing, name, side, 1.0)} for name in guessed for side in (0, 1)]
    if probe.fitting(len(rows)) == len(rows) and not _refuses(probe, rows):
        return drawing
    cut = {name: domain.nearby for name, domain in guessed.items()}
    for name in list(guessed)[:GUESSED_MAX]:
        low, high = (_farthest(probe, drawing, row, name, side) for side in (0, 1))
        cut[name] = replace(guessed[name], low=low, high=high)
    return drawing.narrowed(cut)


def _farthest(probe: Probe, drawing: Drawing, row: dict[str, Any], name: str, side: int) -> float:
    """How far the column reaches on this side without a refusal, of a few distances that are tried."""
    accepted = (far for far in FARNESS if not _refuses(probe, [row | {name: _at(drawing, name, side, far)}]))
    return _at(drawing, name, side, next(accepted, 0.0))


def _at(drawing: Drawing, name: str, side: int, far: float) -> float:
    """The value at a part of the way from where values are expected to the end of the domain."""
    domain = drawing.domains[name]
    kind = next(column.kind for column in drawing.signature.used if column.name == name)
    near, end = domain.near[side], (domain.low, domain.high)[side]
    return settled(near + far * (end - near), domain, kind)


def _refuses(probe: Probe, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether they are refused, other than by a fault, which is no answer to the question how far a column reaches."""
    refused = _objection(probe.score, list(rows))
    last = refused.requests[-1] if refused and refused.requests else None
    return isinstance(last, Exchange) and last.status < 500
