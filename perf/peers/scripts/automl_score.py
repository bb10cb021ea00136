"""A score script in the manner of Azure's AutoML: a DataFrame into a scikit-learn pipeline, the reply encoded twice.

Runs in the peer's own environment. The pipeline is fitted when the server starts, so that nothing is unpickled; how
long that took is written down, and taken off the cold start.
"""

import json
import os
import time
from pathlib import Path

import pandas as pd
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

TREES, LEAVES = 300, 31

began = time.perf_counter()
table = pd.read_parquet(os.environ["PEER_TABLE"])
inputs, target = table.drop(columns=[os.environ["PEER_TARGET"]]), table[os.environ["PEER_TARGET"]]
model = None


def init() -> None:
    global model  # noqa: PLW0603 - the server calls init() and run() of this module and passes nothing
    one_hot = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=["object", "category", "string"])),
        remainder="passthrough",
    )
    learner = LGBMClassifier(n_estimators=TREES, num_leaves=LEAVES, n_jobs=1, verbose=-1)
    model = make_pipeline(one_hot, learner).fit(inputs, target)
    Path(os.environ["PEER_FITTED"]).write_text(str(time.perf_counter() - began))


@input_schema("method", StandardPythonParameterType("predict"), convert_to_provided_type=False)
@input_schema("data", PandasParameterType(inputs.head(1), enforce_shape=False))
@output_schema(StandardPythonParameterType({"result": ["no"]}))
def run(data, method="predict"):
    try:
        answer = model.predict_proba(data) if method == "predict_proba" else model.predict(data)
        return json.dumps({"result": answer.tolist()})
    except Exception as e:  # noqa: BLE001 - AutoML's own script answers errors as results, and is measured as it is
        return json.dumps({"error": str(e)})
