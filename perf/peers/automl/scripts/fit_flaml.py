"""FLAML as its documentation begins: `AutoML().fit(..., task="classification", time_budget=...)`."""

import pickle
import time

from exchange import answer, asked, one_row_of_frame_ms, size_mb
from flaml import AutoML

ask = asked()
inputs, labels = ask.train.drop(columns=[ask.target]), ask.train[ask.target]
engine = AutoML()
begun = time.perf_counter()
engine.fit(
    inputs,
    labels,
    task="classification",
    metric="roc_auc" if ask.binary else "roc_auc_ovr_weighted",
    time_budget=ask.budget_s,
    n_jobs=ask.threads,
    seed=ask.seed,
    ensemble=bool(ask.options.get("ensemble")),
    verbose=0,
    log_file_name="",
)
fit_s = time.perf_counter() - begun
begun = time.perf_counter()
probabilities = engine.predict_proba(ask.test)
predict_s = time.perf_counter() - begun
order = [list(map(str, engine.classes_)).index(name) for name in ask.classes]
kept = ask.folder / "model.pickle"
kept.write_bytes(pickle.dumps(engine))
answer(
    ask,
    probabilities[:, order],
    fit_s=fit_s,
    predict_s=predict_s,
    one_row_ms=one_row_of_frame_ms(engine.predict_proba, ask.test),
    model_mb=size_mb(kept),
    winner=f"{engine.best_estimator} {engine.best_config}"[:300],
)
