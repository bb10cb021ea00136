"""From probabilities to labels: the one rule by which `predict` answers, here and wherever a model folder is asked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.domain.signature import Scalar, Signature


def decide(signature: Signature, probabilities: npt.NDArray[np.float64]) -> list[Scalar]:
    """A class per row: the positive one from the signature's threshold up, else the most probable of the others.

    A model of numbers has no classes, and its one column is the answer. Without a threshold it is the most probable
    class of all, and where decisions have costs the one that is expected to cost least. Of classes that are as good
    the first is told.
    """
    classes = signature.classes
    if not classes:  # of a regression
        return [float(value) for value in probabilities[:, 0].tolist()]
    plain = signature.threshold is None and not signature.costs  # a call is a twentieth of what a row's answer takes
    best = probabilities.argmax(axis=1) if plain else places(signature, probabilities)
    return [classes[i] for i in best.tolist()]


def places(signature: Signature, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The place of the class that is told for each row."""
    if signature.costs:
        return np.asarray(expected_costs(signature.costs, probabilities).argmin(axis=1))
    if signature.threshold is None:
        return np.asarray(probabilities.argmax(axis=1))
    return _from_threshold(signature, probabilities)


def expected_costs(costs: Sequence[Sequence[float]], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What each decision is expected to cost, a column for each; added up in one order, whatever rows come together."""
    expected = np.zeros_like(probabilities)
    for chance, row in zip(probabilities.T, costs, strict=True):
        expected += chance[:, None] * np.asarray(row)
    return expected


def scores(signature: Signature, probabilities: npt.NDArray[np.float64]) -> list[float]:
    """One number a row: the positive class's probability, else the most probable one's; a model of numbers its own."""
    wanted = signature.positive_class
    if signature.regression or not len(probabilities):
        told = probabilities[:, 0]
    elif wanted is None or (positive := _place(wanted, signature.classes)) is None:
        told = probabilities.max(axis=1)
    else:
        told = probabilities[:, positive]
    return [float(value) for value in told.tolist()]


def _from_threshold(signature: Signature, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The place of each row's class where one may have a threshold."""
    positive, threshold = _positive(signature, signature.classes), signature.threshold
    if positive is None or threshold is None:
        return np.asarray(probabilities.argmax(axis=1))
    taken = probabilities[:, positive] >= threshold
    if len(signature.classes) == 2:
        return np.where(taken, positive, 1 - positive)
    others = probabilities.copy()
    others[:, positive] = -1.0
    return np.where(taken, positive, others.argmax(axis=1))


def may_decide(
    signature: Signature, classes: Sequence[Scalar], probabilities: Sequence[float], *, tie: float
) -> list[Scalar]:
    """The labels that may be told of one row, where what is at most `tie` apart may go either way.

    `classes` are whose the probabilities are, which need not be in the signature's order.
    """
    if signature.costs:
        return _cheapest(signature, classes, probabilities, tie)
    threshold, positive = signature.threshold, _positive(signature, classes)
    if threshold is None or positive is None:
        return _highest(classes, probabilities, tie)
    margin = probabilities[positive] - threshold
    others = [i for i in range(len(classes)) if i != positive]
    rest = _highest([classes[i] for i in others], [probabilities[i] for i in others], tie)
    return [classes[positive]] * (margin >= -tie) + rest * (margin <= tie)


def _cheapest(
    signature: Signature, classes: Sequence[Scalar], probabilities: Sequence[float], tie: float
) -> list[Scalar]:
    """The classes that may cost least, where each probability may be off by half of `tie`."""
    order = [_place(name, classes) for name in signature.classes]
    chances = np.array([[0.0 if at is None else probabilities[at] for at in order]])
    table = np.asarray(signature.costs)
    expected = expected_costs(signature.costs, chances)[0]
    best = int(expected.argmin())
    room = tie * np.abs(table - table[:, [best]]).sum(axis=0)
    return [c for c, cost, off in zip(signature.classes, expected, room, strict=True) if cost <= expected[best] + off]


def _positive(signature: Signature, classes: Sequence[Scalar]) -> int | None:
    """Where the class is that has the threshold; None where none has."""
    wanted = signature.positive_class
    if signature.threshold is None or wanted is None:
        return None
    return _place(wanted, classes)


def _place(wanted: Scalar, classes: Sequence[Scalar]) -> int | None:
    """Where a class stands, by its type too: in Python `True == 1`."""
    truth = isinstance(wanted, bool)
    return next((i for i, c in enumerate(classes) if c == wanted and isinstance(c, bool) is truth), None)


def _highest(classes: Sequence[Scalar], probabilities: Sequence[float], tie: float) -> list[Scalar]:
    highest = max(probabilities, default=0.0)
    return [c for c, p in zip(classes, probabilities, strict=True) if p >= highest - tie]
