"""mljar-supervised in the mode for the best score: `AutoML(mode="Compete").fit(...)`."""

import time

from exchange import answer, asked, one_row_of_frame_ms, size_mb
from supervised.automl import AutoML

ask = asked()
inputs, labels = ask.train.drop(columns=[ask.target]), ask.train[ask.target]
engine = AutoML(
    results_path=str(ask.folder / "model"),
    mode="Compete",
    ml_task="binary_classification" if ask.binary else "multiclass_classification",
    eval_metric="auc" if ask.binary else "logloss",  # it has no AUC of several classes
    total_time_limit=int(ask.budget_s),
    n_jobs=ask.threads,
    random_state=ask.seed,
    verbose=0,
)
begun = time.perf_counter()
engine.fit(inputs, labels)
fit_s = time.perf_counter() - begun
begun = time.perf_counter()
said = engine.predict_all(ask.test)
predict_s = time.perf_counter() - begun
answer(
    ask,
    said[[f"prediction_{name}" for name in ask.classes]].to_numpy(),
    fit_s=fit_s,
    predict_s=predict_s,
    one_row_ms=one_row_of_frame_ms(engine.predict_proba, ask.test),
    model_mb=size_mb(ask.folder / "model"),
    winner=engine._best_model.get_name(),
)
