"""FastAPI as most people write a scoring service: a pydantic body, a DataFrame, a pickled pipeline."""

import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(Path(os.environ["PEER_MODEL"]) / "model.joblib")


class Request(BaseModel):
    """Rows as records."""

    data: list[dict[str, Any]]


@app.post("/score")
def score(request: Request) -> dict[str, list[Any]]:
    """A class per row."""
    return {"result": model.predict(pd.DataFrame(request.data)).tolist()}
