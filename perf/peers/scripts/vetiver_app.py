"""Vetiver as its own documentation starts: a model, its prototype, an API with the input checked."""

import os
from pathlib import Path

import joblib
import pandas as pd
from vetiver import VetiverAPI, VetiverModel

place = Path(os.environ["PEER_MODEL"])
model = joblib.load(place / "model.joblib")
example = pd.read_pickle(place / "example.pickle")

app = VetiverAPI(VetiverModel(model, model_name="bank", prototype_data=example), check_prototype=True).app
