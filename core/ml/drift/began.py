"""When a drift began: the moment that parts the intervals of time best into those like training and those not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.ml.drift.bands import grouping_of
from core.ml.drift.ledger import Ledger, places_of
from core.ml.drift.reference import ColumnReference, Counts, Reference
from core.predict.arrays import Array

LINES_MAX = 400
"""Of more intervals, neighbors are taken together."""


@dataclass(frozen=True, slots=True)
class Course:
    """Counts of one column over time, in the bins in which it is shown."""

    at: Array
    counts: Counts
    """Intervals x bins."""
    training: Counts


def began(reference: Reference, name: str, history: Ledger) -> float | None:
    """When the drift of a column began that has drifted up to the end of `history`; None where nobody can say."""
    found = next((one for one in places_of(reference) if one[0].name == name), None)
    if found is None or not len(history.at):
        return None
    number = [one[0].name for one in places_of(reference)].index(name)
    course = course_of(found[0], history.at, history.counts[:, found[1]], history.kept[:, number])
    if course is None:
        return None
    gains = gains_of(course)
    return float(course.at[int(np.argmax(gains))])


def gains_of(course: Course) -> Array:
    """For each interval, by how much the rows are more likely when from there on their shares are others' than
    training's, and before are training's (a log-likelihood ratio).

    It is largest where the change is: from earlier on the rows that were like training dilute the new shares, from
    later on some of the changed rows are left to training.
    """
    before = (course.training + 0.5) / (course.training + 0.5).sum()
    after = np.cumsum(course.counts[::-1], axis=0)[::-1]
    shares = (after + 0.5) / (after + 0.5).sum(axis=1, keepdims=True)
    return np.asarray((after * np.log(shares / before)).sum(axis=1))


def course_of(column: ColumnReference, at: Array, counts: Counts, kept: npt.NDArray[np.bool_]) -> Course | None:
    """Nothing of intervals in which the column was not kept, or in which nothing was asked."""
    some = kept & (counts.sum(axis=1) > 0)
    if not some.any():
        return None
    moments, which = np.unique(at[some], return_inverse=True)
    summed = np.zeros((len(moments), counts.shape[1]), dtype=np.int64)
    np.add.at(summed, which, counts[some])
    step = -(-len(moments) // LINES_MAX)
    starts = np.arange(0, len(moments), step)
    summed, moments = np.add.reduceat(summed, starts, axis=0), moments[starts]
    grouping = grouping_of(column, summed.sum(axis=0))
    return Course(moments, grouping.sums(summed), grouping.sums(np.array(column.counts, dtype=np.int64)))
