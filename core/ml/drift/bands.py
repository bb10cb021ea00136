"""The bins in which a column is shown and its PSI is computed: about ten ranges, or the categories that matter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.counting import counted as in_words
from core.ml.drift.distance import EXPECTED_MIN
from core.ml.drift.reference import ColumnReference, Counts
from core.predict.dates import DAY_S

RANGES = 10
SHOWN_MAX = 30
"""Categories by themselves; further ones are taken together."""
MISSING, OTHER, UNSEEN = "missing", "other", "unseen"

Bands = tuple[tuple[str, ...], Counts, Counts]
"""Labels, and the counts of training and of late."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Coarser bins: a label each, and which of them each bin of the reference falls into."""

    labels: tuple[str, ...]
    groups: npt.NDArray[np.intp]

    def sums(self, counts: Counts) -> Counts:
        """Counts (of one line, or lines x bins) in the coarser bins."""
        found = np.zeros((*counts.shape[:-1], len(self.labels)), dtype=np.int64)
        for group in range(len(self.labels)):
            found[..., group] = counts[..., self.groups == group].sum(axis=-1)
        return found


def bands(reference: ColumnReference, recent: Counts) -> Bands:
    """Both samples in coarser bins."""
    grouping = grouping_of(reference, recent)
    return grouping.labels, grouping.sums(np.array(reference.counts, dtype=np.int64)), grouping.sums(recent)


def grouping_of(reference: ColumnReference, recent: Counts) -> Grouping:
    """About ten ranges; of categories those that both samples together make frequent, which favors neither."""
    training = np.array(reference.counts, dtype=np.int64)
    return _ranges(reference, training, recent) if reference.numeric else _categories(reference, training, recent)


def _ranges(reference: ColumnReference, training: Counts, recent: Counts) -> Grouping:
    ends = range_ends(training[:-1])
    starts = [0, *ends[:-1]]
    labels = [_range_label(reference, first, end) for first, end in zip(starts, ends, strict=True)]
    groups = np.zeros(len(training), dtype=np.intp)
    for number, (first, end) in enumerate(zip(starts, ends, strict=True)):
        groups[first:end] = number
    if training[-1] or recent[-1]:
        groups[-1] = len(labels)
        labels.append(MISSING)
    return Grouping(tuple(labels), groups)


def range_ends(counts: Counts) -> list[int]:
    """Where each range ends (not included), such that each has about the same share; the last takes what is left."""
    least = counts.sum() / RANGES
    ends, held = [], 0
    for at, count in enumerate(counts.tolist()):
        # A value that many rows have stands by itself, and does not join what came before.
        if held and count >= least > 0:
            ends.append(at)
            held = 0
        held += count
        if held >= least:
            ends.append(at + 1)
            held = 0
    if not ends or ends[-1] < len(counts):
        if ends and held < least / 2 and counts[[0, *ends][-2] : ends[-1]].sum() < 2 * least:
            ends.pop()
        ends.append(len(counts))
    return ends


def _range_label(reference: ColumnReference, first: int, end: int) -> str:
    edges = reference.edges
    said = _written(reference)
    if not edges:
        return "any"
    if first == 0 and end >= len(edges) + 1:
        return f"up to {said(edges[-1])} or above"
    if first == 0:
        return said(edges[0]) if end == 1 and _single(reference, 0) else f"up to {said(edges[end - 1])}"
    if end >= len(edges) + 1:
        return f"above {said(edges[first - 1])}"
    if end - first == 1 and _single(reference, first):
        return said(edges[first])
    return f"{said(edges[first - 1])} to {said(edges[end - 1])}"


def _single(reference: ColumnReference, at: int) -> bool:
    """Whether a bin holds one value alone: whole numbers, and no other between them."""
    edges = reference.edges
    whole = all(edge == int(edge) for edge in edges[max(0, at - 1) : at + 1])
    return whole and not reference.dates and (at == 0 or edges[at] - edges[at - 1] == 1)


def _written(reference: ColumnReference) -> Callable[[float], str]:
    if not reference.dates:
        return lambda value: f"{value:.6g}"
    return lambda value: str(np.datetime64(int(value * DAY_S), "s"))[: 10 if value == int(value) else 16]


def _categories(reference: ColumnReference, training: Counts, recent: Counts) -> Grouping:
    own = [*reference.levels, UNSEEN if reference.complete else OTHER, MISSING]
    total = training + recent
    fewest = min(training.sum(), recent.sum()) / max(1, total.sum())
    order = sorted(range(len(own)), key=lambda at: (-total[at], at))
    alone = [at for at in order if total[at] and total[at] * fewest >= EXPECTED_MIN][:SHOWN_MAX]
    pooled = [at for at in order if total[at] and at not in alone]
    if len(pooled) == 1:
        alone, pooled = [*alone, *pooled], []
    labels = [own[at] for at in alone]
    groups = np.full(len(own), len(alone) if pooled else 0, dtype=np.intp)
    groups[alone] = range(len(alone))
    if pooled or not alone:
        labels.append(_pooled_label(own, pooled))
    return Grouping(tuple(labels), groups)


def _pooled_label(own: list[str], pooled: list[int]) -> str:
    levels = [at for at in pooled if at < len(own) - 2]
    return f"{in_words(len(levels), 'rare category', 'rare categories')}" if len(levels) == len(pooled) else OTHER
