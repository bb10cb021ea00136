"""BentoML as its own documentation starts: a service class that loads the model and takes a DataFrame."""

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1)
class Bank:
    """One worker."""

    def __init__(self) -> None:
        self.model = joblib.load(Path(os.environ["PEER_MODEL"]) / "model.joblib")

    @bentoml.api(route="/score")
    def score(self, data: pd.DataFrame) -> dict[str, Any]:
        """A class per row."""
        return {"result": self.model.predict(data).tolist()}
