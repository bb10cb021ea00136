"""How MLflow loads a model folder and asks it; travels inside the folder, so it stands on domain and predict alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import SpecInvalid
from core.domain.signature import Column
from core.predict.folder import Predictor, load_model


def _load_pyfunc(path: str) -> "SlipwayModel":
    """MLflow's door into `loader_module`; its name is MLflow's."""
    return SlipwayModel(load_model(Path(path)))


class SlipwayModel:
    """A model folder behind MLflow's `predict`."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> npt.NDArray[Any]:
        """Labels of a frame (or a mapping of columns), or with `params={"method": "predict_proba"}` probabilities.

        A frame without rows, such as an empty partition of a larger one, has as many.
        Raises SpecInvalid for a column that is needed but absent, and for an unknown method.
        """
        method = (params or {}).get("method", "predict")
        if method not in (known := self._predictor.signature.methods):
            raise SpecInvalid(f"method is {' or '.join(known)}, got '{method}'")
        signature = self._predictor.signature
        columns = [_column(model_input, c) for c in signature.used]
        if not any(map(len, columns)):
            classes = np.array(signature.classes or (0.0,))
            return classes[:0] if method == "predict" else np.empty((0, len(classes)))
        probabilities = self._predictor.probabilities(columns)
        if method == "predict_proba":
            return probabilities
        return np.array(self._predictor.labels(probabilities))


def _column(model_input: Any, column: Column) -> Sequence[Any]:
    """One column as JSON scalars; whatever a frame calls missing (NaN, NA, NaT) is None."""
    if column.name not in model_input:
        if not column.nullable:
            raise SpecInvalid(f"The column '{column.name}' is missing")
        return [None] * _rows(model_input)
    values = model_input[column.name]
    if hasattr(values, "isna"):
        return [None if gone else value for value, gone in zip(values.tolist(), values.isna(), strict=True)]
    return list(values)


def _rows(model_input: Any) -> int:
    return len(model_input) if hasattr(model_input, "columns") else len(next(iter(model_input.values()), ()))
