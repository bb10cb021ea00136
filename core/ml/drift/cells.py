"""Values of a column, of a table or of a request, as numbers or as texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.predict.arrays import Array
from core.predict.dates import parts_of

LARGEST = float(np.finfo(np.float64).max)


def numbers_of(values: Sequence[Any], dates: str = "") -> Array:
    """Numbers, NaN where one is missing or is none; dates that are written in this order as days since 1970."""
    if dates:
        return np.asarray(parts_of(values, dates, ["days"])[:, 0])
    try:
        numbers = np.array(values, dtype=np.float64)
    except (OverflowError, ValueError, TypeError):
        numbers = np.array([_number(value) for value in values], dtype=np.float64)
    return np.clip(numbers, -LARGEST, LARGEST)


def texts_of(values: Sequence[Any]) -> list[str | None]:
    """Texts, None where one is missing; true and false as JSON writes them."""
    return [None if v is None else v if isinstance(v, str) else _text(v) for v in values]


def _text(value: Any) -> str:
    return str(bool(value)).lower() if isinstance(value, bool | np.bool_) else str(value)


def _number(value: Any) -> float:
    try:
        return np.nan if value is None else float(value)
    except OverflowError:
        return LARGEST if value > 0 else -LARGEST
    except (TypeError, ValueError):
        return np.nan
