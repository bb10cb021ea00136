"""The charts of predictions on rows that a model never saw: ROC, precision-recall, calibration, lift, residuals."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from core.contract.decision import places
from core.domain.explanation import Curve, CurveName, TrialCurves
from core.domain.metrics import TaskKind
from core.domain.signature import Scalar, Signature
from core.ml.metrics import auc, average_precision
from core.ml.task import Labels, Target
from core.predict.members import Array

POINTS = 201
"""Of a curve: more cannot be seen."""
POINTS_OF_MANY = 41
FEW_CLASSES = 12
"""Of more classes each has fewer points, so that a page can hold them all."""
BINS = 10
"""Ranges of rows with about the same prediction."""
RESIDUAL_BINS = 41

Flags = npt.NDArray[np.bool_]


def curves_of(kind: TaskKind, signature: Signature, target: Target, said: Array) -> TrialCurves:
    """All charts of what was said of the rows with this target."""
    if kind is TaskKind.REGRESSION:
        return TrialCurves(len(target), (), tuple(_of_numbers(target, said[:, 0])))
    classes = signature.classes
    shown = [positive_place(signature)] if kind is TaskKind.BINARY else range(len(classes))
    points = POINTS if len(classes) <= FEW_CLASSES else POINTS_OF_MANY
    curves = [curve for c in shown for curve in _of_class(classes[c], target == c, said[:, c], points)]
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (target, decided(signature, said)), 1)
    return TrialCurves(len(target), classes, tuple(curves), tuple(tuple(map(int, row)) for row in confusion))


def positive_place(signature: Signature) -> int:
    """Of the positive class among the classes: the last where none is named."""
    if signature.positive_class in signature.classes:
        return signature.classes.index(signature.positive_class)
    return len(signature.classes) - 1


def decided(signature: Signature, said: Array) -> Labels:
    """The place of the class that the model predicts for each row."""
    if signature.costs:
        return places(signature, said)
    if signature.threshold is None or said.shape[1] != 2:
        return np.asarray(said.argmax(axis=1))
    positive = positive_place(signature)
    return np.where(said[:, positive] >= signature.threshold, positive, 1 - positive)


def _of_class(name: Scalar, positive: Flags, values: Array, points: int) -> Iterator[Curve]:
    """Nothing where all rows are of the class, or none is: there is nothing to tell apart."""
    if positive.all() or not positive.any():
        return
    hits, taken = _steps(positive, values)
    rate, false_rate = hits / hits[-1], (taken - hits) / (taken[-1] - hits[-1])
    some = _thinned(rate + false_rate, points)
    yield Curve(CurveName.ROC, _told(false_rate[some]), _told(rate[some]), name, auc(positive, values))
    some = _thinned(rate + taken / taken[-1], points)
    precision = np.divide(hits, taken, out=np.ones(len(hits)), where=taken > 0)
    precision[0] = precision[min(1, len(hits) - 1)]
    area = average_precision(positive, values)
    yield Curve(CurveName.PRECISION_RECALL, _told(rate[some]), _told(precision[some]), name, area)
    depth = np.linspace(0, 1, min(points, 101))
    found = np.interp(depth, taken / taken[-1], rate)
    yield Curve(CurveName.GAINS, _told(depth), _told(found), name)
    yield Curve(CurveName.LIFT, _told(depth[1:]), _told(found[1:] / depth[1:]), name)
    yield _means(CurveName.CALIBRATION, values, positive.astype(np.float64), name)


def _steps(positive: Flags, values: Array) -> tuple[Array, Array]:
    """How many positives, and how many rows, are at or above each value, from the highest down; 0 before the first."""
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    hits = np.append(0, np.cumsum(positive[order])[ends])
    return hits.astype(np.float64), np.append(0, ends + 1).astype(np.float64)


def _thinned(along: Array, points: int) -> npt.NDArray[np.intp]:
    """Places of at most so many points, evenly along a way that only grows, with both ends."""
    if len(along) <= points:
        return np.arange(len(along))
    wanted = np.linspace(along[0], along[-1], points)
    places = np.searchsorted(along, wanted).clip(0, len(along) - 1)
    places[0], places[-1] = 0, len(along) - 1
    return np.unique(places)


def _means(name: CurveName, values: Array, truth: Array, class_name: Scalar | None = None) -> Curve:
    """The mean of both in ranges of about as many rows by rising value; equal values stand in one range."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    wanted = np.linspace(0, len(ranked), BINS + 1)[1:-1].astype(np.intp)
    cuts = np.unique(np.searchsorted(ranked, ranked[np.minimum(wanted, len(ranked) - 1)]))
    cuts = cuts[(cuts > 0) & (cuts < len(ranked))]
    parts = np.split(order, cuts)
    x, y = [values[part].mean() for part in parts], [truth[part].mean() for part in parts]
    return Curve(name, _told(x), _told(y), class_name, rows=tuple(len(part) for part in parts))


def _of_numbers(target: Array, said: Array) -> Iterator[Curve]:
    residuals = target - said
    counts, edges = np.histogram(residuals, bins=RESIDUAL_BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    rows = tuple(map(int, counts))
    yield Curve(CurveName.RESIDUALS, _told(middles), _told(counts), rows=rows)
    yield _means(CurveName.PREDICTED_TRUE, said, target)


def _told(values: Sequence[float] | Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
