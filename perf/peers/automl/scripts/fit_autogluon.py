"""AutoGluon as its documentation begins: `TabularPredictor(label=...).fit(train, presets=..., time_limit=...)`."""

import time

from autogluon.tabular import TabularPredictor
from exchange import answer, asked, one_row_of_frame_ms, size_mb

if __name__ == "__main__":
    ask = asked()
    metric = "roc_auc" if ask.binary else "roc_auc_ovr_weighted"
    predictor = TabularPredictor(label=ask.target, path=str(ask.folder / "model"), eval_metric=metric, verbosity=2)
    begun = time.perf_counter()
    predictor.fit(ask.train, time_limit=ask.budget_s, num_cpus=ask.threads, num_gpus=0, **ask.options)
    fit_s = time.perf_counter() - begun
    begun = time.perf_counter()
    probabilities = predictor.predict_proba(ask.test)
    predict_s = time.perf_counter() - begun
    # What it takes to serve the winner, without the models that lost.
    served = TabularPredictor.load(predictor.clone_for_deployment(path=str(ask.folder / "served")))
    served.persist()
    answer(
        ask,
        probabilities[list(ask.classes)].to_numpy(),
        fit_s=fit_s,
        predict_s=predict_s,
        one_row_ms=one_row_of_frame_ms(served.predict_proba, ask.test),
        model_mb=size_mb(ask.folder / "served"),
        winner=f"{predictor.model_best} of {len(predictor.model_names())} models",
    )
