"""LightAutoML as its documentation begins: `TabularAutoML(task=..., timeout=...).fit_predict(...)`."""

import time

import joblib
from exchange import answer, asked, one_row_of_frame_ms, size_mb
from lightautoml.automl.presets.tabular_presets import TabularAutoML
from lightautoml.tasks import Task

ask = asked()
number = {name: at for at, name in enumerate(ask.classes)}
train = ask.train.assign(**{ask.target: ask.train[ask.target].map(number).astype(int)})
engine = TabularAutoML(
    task=Task("binary") if ask.binary else Task("multiclass"),
    timeout=ask.budget_s,
    cpu_limit=ask.threads,
    reader_params={"n_jobs": ask.threads, "cv": 5, "random_state": ask.seed},
)
begun = time.perf_counter()
engine.fit_predict(train, roles={"target": ask.target})
fit_s = time.perf_counter() - begun
begun = time.perf_counter()
probabilities = engine.predict(ask.test).data
predict_s = time.perf_counter() - begun
if not ask.binary:
    seen = engine.reader.class_mapping
    probabilities = probabilities if seen is None else probabilities[:, [seen[at] for at in range(len(ask.classes))]]
kept = ask.folder / "model.joblib"
joblib.dump(engine, kept)
answer(
    ask,
    probabilities[:, 0] if ask.binary else probabilities,
    fit_s=fit_s,
    predict_s=predict_s,
    one_row_ms=one_row_of_frame_ms(engine.predict, ask.test),
    model_mb=size_mb(kept),
    winner=engine.create_model_str_desc().split("\n\n")[-1][:300],
)
