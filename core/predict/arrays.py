"""Arrays of a model folder: that they are all there and of their kind, and how summed outputs become probabilities."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable

Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

TABLES = ("value", "coef", "absent", "table", "edges")
"""Arrays that may have two dimensions."""


def _sigmoid(margins: Array) -> Array:
    # exp of a large positive number overflows; of a negative one it never does.
    small = np.exp(-np.abs(margins))
    positive = np.where(margins >= 0, 1.0, small) / (1.0 + small)
    return np.hstack((1.0 - positive, positive))


def _softmax(margins: Array) -> Array:
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _shares(sums: Array) -> Array:
    return np.hstack((1.0 - sums, sums)) if sums.shape[1] == 1 else sums


def _values(sums: Array) -> Array:
    return sums


LINKS: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "identity": _shares,
    "value": _values,
}
"""From summed outputs to probabilities, one output being the second class's; "value" leaves a regression's alone."""


def typed(member: object, kinds: Mapping[str, str]) -> bool:
    """Whether each array is of its kind of numbers, and has one dimension where it must."""
    arrays = {name: getattr(member, name) for name in kinds}
    return all(array.dtype.kind in kinds[name] and array.ndim >= 1 for name, array in arrays.items()) and all(
        array.ndim == 1 for name, array in arrays.items() if name not in TABLES
    )


def within(indices: AnyArray, limit: int) -> bool:
    """Whether all of them are places among so many."""
    return not len(indices) or (int(indices.min()) >= 0 and int(indices.max()) < limit)


def exactly(names: tuple[str, ...], found: Mapping[str, Any]) -> dict[str, Any]:
    """What was found of these names, and nothing else. Raises ModelUnreadable where one is missing."""
    if missing := [name for name in names if name not in found]:
        raise ModelUnreadable(f"The model lacks '{missing[0]}'", hint="Register the model again")
    return {name: found[name] for name in names}
