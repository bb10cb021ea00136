"""Slipway through its public door: a workspace of its own, one AutoML job, and the model folder that is served.

Runs in this project's environment. The test rows are predicted from the packaged folder of the registered model.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from exchange import Asked, answer, asked, one_row_ms, size_mb

from core.domain.data import DataRef
from core.domain.job import Job, JobState
from core.domain.training import TrainingSpec, Trial
from core.predict.folder import Predictor, load_model
from core.settings import Settings, as_environment, read_settings
from core.workspace import Workspace, open_workspace

MAX_TRIALS = 1000
"""So that time is what ends the search, as it does for the others."""
LOOK_EVERY_S = 0.02
METRIC = "AUC_weighted"


def main() -> None:
    ask = asked()
    home = ask.folder / "home"
    settings = read_settings(
        {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
        | {"SLIPWAY_HOME": str(home), "SLIPWAY_OFFLINE": "1", "SLIPWAY_THREADS": str(ask.threads)}
    )
    with _serving(settings) as workspace:
        workspace.data.register("table", str(ask.folder / "train.parquet"))
        fit_s, job = _train(workspace, ask)
        predictor = _packaged(workspace, "best", 1, ask.folder / "model")
        columns = _columns(predictor, ask.test)
        begun = time.perf_counter()
        probabilities = predictor.probabilities(columns)
        predict_s = time.perf_counter() - begun
        answer(
            ask,
            _ordered(predictor, probabilities, ask),
            fit_s=fit_s,
            predict_s=predict_s,
            one_row_ms=one_row_ms(predictor.probabilities, lambda at: [[c[at]] for c in columns], len(ask.test)),
            model_mb=size_mb(ask.folder / "model"),
            winner=_winner(job),
            single=_single(workspace, job, ask),
        )


@contextmanager
def _serving(settings: Settings) -> Iterator[Workspace]:
    """A workspace whose service is a child of this process, so that what it uses is counted."""
    environment = os.environ | as_environment(settings)
    words = [sys.executable, "-m", "core", "service", "run"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as service:
        try:
            workspace = open_workspace(settings)
            while not workspace.service.status().running:
                if service.poll() is not None:
                    raise SystemExit("the service did not start")
                time.sleep(LOOK_EVERY_S)
            yield workspace
        finally:
            service.terminate()


def _train(workspace: Workspace, ask: Asked) -> tuple[float, Job]:
    """The seconds from submitting to the registered model, and the job."""
    spec = TrainingSpec(
        DataRef("table"),
        ask.target,
        timeout_s=ask.budget_s,
        primary_metric=METRIC,
        max_trials=MAX_TRIALS,
        seed=ask.seed,
        model_name="best",
    )
    begun = time.perf_counter()
    job = workspace.jobs.submit(spec)
    while not (job := workspace.jobs.get(job.id)).state.final:
        time.sleep(LOOK_EVERY_S)
    if job.state is not JobState.SUCCEEDED:
        raise SystemExit(f"the job {job.state}: {job.message}")
    return time.perf_counter() - begun, job


def _packaged(workspace: Workspace, name: str, version: int, folder: Path) -> Predictor:
    return load_model(Path(workspace.models.package(name, version, folder)))


def _columns(predictor: Predictor, frame: pd.DataFrame) -> list[list[Any]]:
    """What a client's JSON would hold: plain values, None where a cell is empty."""
    columns = []
    for column in predictor.signature.used:
        values = frame[column.name]
        columns.append(values.astype(object).where(values.notna(), None).tolist())
    return columns


def _ordered(predictor: Predictor, probabilities: Any, ask: Asked) -> Any:
    """Columns in the order of the classes that were asked for."""
    classes = [str(name) for name in predictor.signature.classes]
    return probabilities[:, [classes.index(name) for name in ask.classes]]


def _winner(job: Job) -> str:
    result: Any = job.result
    return f"{result.best.algorithm}, trial {result.best.number} of {result.trials}, members {result.members}"[:300]


def _single(workspace: Workspace, job: Job, ask: Asked) -> list[list[float]] | None:
    """The test probabilities of the best trial that is no ensemble: an ensemble is not to lose to its best member."""
    alone: list[Trial] = [t for t in workspace.jobs.trials(job.id) if METRIC in t.metrics and not t.members]
    if not alone:
        return None
    best = max(alone, key=lambda trial: trial.metrics[METRIC])
    workspace.models.register("single", job.id, best.number)
    predictor = _packaged(workspace, "single", 1, ask.folder / "single")
    values: list[list[float]] = _ordered(
        predictor, predictor.probabilities(_columns(predictor, ask.test)), ask
    ).tolist()
    return values


if __name__ == "__main__":
    main()
