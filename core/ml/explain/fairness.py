"""How a trial does on each group of rows that a column makes."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.domain.explanation import Fairness, Group
from core.domain.signature import Scalar
from core.ml.metrics import auc
from core.ml.task import Labels
from core.predict.members import Array

GROUPS_MAX = 20
"""Of more values the most frequent are shown, the rest as one."""
RANGES = 4
"""Numbers of many values are as many ranges of about as many rows."""
FEW_VALUES = 10
OTHERS, MISSING = "(others)", "(missing)"

Flags = npt.NDArray[np.bool_]


def fairness_of(
    column: str,
    cells: Sequence[Scalar | None],
    labels: Labels,
    said: Array,
    place: int,
    class_name: Scalar,
    threshold: float,
) -> Fairness:
    """The groups of a column's cells, the largest first, for the class at `place` said from the threshold on."""
    positive, values = labels == place, said[:, place]
    groups = [_group(name, positive[rows], values[rows], threshold) for name, rows in _groups(cells)]
    return Fairness(column, class_name, threshold, tuple(sorted(groups, key=lambda g: -g.rows)))


def _groups(cells: Sequence[Scalar | None]) -> Iterator[tuple[str, Flags]]:
    known = np.array([cell is not None for cell in cells])
    number = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells if cell is not None)
    if number and known.any() and len(set(cells)) > FEW_VALUES:
        yield from _ranges(np.array([np.nan if cell is None else float(cell) for cell in cells]), known)
    else:
        yield from _levels(["" if cell is None else str(cell) for cell in cells], known)
    if not known.all():
        yield MISSING, ~known


def _levels(texts: Sequence[str], known: Flags) -> Iterator[tuple[str, Flags]]:
    names = sorted(set(texts))  # an array of them would give each the room of the longest
    at = {name: place for place, name in enumerate(names)}
    codes = np.array([at[text] for text in texts], dtype=np.intp)
    counts = np.bincount(codes[known], minlength=len(names))
    ranked = [place for place in np.argsort(-counts, kind="stable") if counts[place]]
    for place in ranked[:GROUPS_MAX]:
        yield names[place], known & (codes == place)
    if rest := ranked[GROUPS_MAX:]:
        yield OTHERS, known & np.isin(codes, rest)


def _ranges(values: Array, known: Flags) -> Iterator[tuple[str, Flags]]:
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, RANGES + 1)))
    for low, high in pairwise(edges):
        last = high == edges[-1]
        rows = known & (values >= low) & ((values <= high) if last else (values < high))
        yield f"{low:g} to {'' if last else 'below '}{high:g}", rows


def _group(name: str, positive: Flags, values: Array, threshold: float) -> Group:
    said = values >= threshold
    hits = int((positive & said).sum())
    rows, positives, flagged = len(positive), int(positive.sum()), int(said.sum())
    area = auc(positive, values)
    return Group(
        name,
        rows,
        positives / rows,
        flagged / rows,
        hits / positives if positives else None,
        (flagged - hits) / (rows - positives) if rows > positives else None,
        hits / flagged if flagged else None,
        area if np.isfinite(area) else None,
    )
