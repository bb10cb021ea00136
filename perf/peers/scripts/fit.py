"""The model every peer serves: what most people fit, a one-hot encoder and LightGBM in one scikit-learn pipeline.

Runs in a peer's own environment: `python fit.py TABLE TARGET TREES LEAVES KIND PLACE` saves it there.
"""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def main(table: str, target: str, trees: str, leaves: str, kind: str, place: str) -> None:
    """Fit and save."""
    frame = pd.read_parquet(table)
    inputs = frame.drop(columns=[target])
    one_hot = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=["object", "category", "string"])),
        remainder="passthrough",
    )
    learner = LGBMClassifier(n_estimators=int(trees), num_leaves=int(leaves), n_jobs=1, verbose=-1)
    SAVE[kind](make_pipeline(one_hot, learner).fit(inputs, frame[target]), inputs, Path(place))


def _joblib(model: Any, inputs: pd.DataFrame, place: Path) -> None:
    place.mkdir()
    joblib.dump(model, place / "model.joblib")
    inputs.head(1).to_pickle(place / "example.pickle")


def _mlflow(model: Any, inputs: pd.DataFrame, place: Path) -> None:
    import mlflow

    signature = mlflow.models.infer_signature(inputs, model.predict(inputs.head(10)))
    mlflow.sklearn.save_model(model, place, signature=signature, serialization_format="cloudpickle")


def _mlserver(model: Any, inputs: pd.DataFrame, place: Path) -> None:
    _joblib(model, inputs, place)
    settings = {
        "name": "bank",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "content_type": "pd"},
    }
    (place / "model-settings.json").write_text(json.dumps(settings))


SAVE = {"joblib": _joblib, "mlflow": _mlflow, "mlserver": _mlserver}

if __name__ == "__main__":
    main(*sys.argv[1:])
