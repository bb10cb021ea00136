"""The columns of the leaderboard: those that always stand there, and those that the visitor adds."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.domain.metrics import METRICS, metric_named
from core.domain.ranking import spread
from core.domain.training import Trial
from core.ui.kit import words
from core.ui.leaderboard.board import Board

METRIC = "metric:"
WON = " ★"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its cell for a trial, and how it is drawn."""

    title: str
    cell: Callable[[Board, Trial], Any]
    width: int = 80
    format: str = ""
    """Of a number; empty for text."""
    help: str | None = None

    @property
    def config(self) -> Any:
        if not self.format:
            return st.column_config.TextColumn(width=self.width, help=self.help)
        return st.column_config.NumberColumn(format=self.format, width=self.width, help=self.help)


def _metric(name: str) -> Column:
    label = words.metric(name)
    way = "" if metric_named(name).higher_is_better else ". Lower is better"
    return Column(
        label, lambda _, trial: trial.metrics.get(name), max(80, 7 * len(label)), "%.4f", f"{name} in Azure ML{way}"
    )


def _folds(trial: Trial) -> str:
    return f"{len(trial.fold_scores)} of {trial.folds}" if trial.folds else words.DASH


OFFERED: Mapping[str, Column] = {
    "spread": Column("± folds", lambda _, trial: spread(trial), 70, "%.4f", "Standard deviation over the folds"),
    "state": Column("State", lambda _, trial: words.state(trial.state).label, 80),
    "time": Column("Fit time", lambda board, trial: board.took_s(trial), 75, "%.1f s", "Of all folds together"),
    "predict_ms": Column("Predict time", lambda _, trial: trial.predict_ms or None, 95, "%.3f ms", "For one row"),
    "size": Column("Size", lambda _, trial: trial.size_bytes / 1e6 or None, 80, "%.2f MB"),
    "everyday": Column("Common name", lambda _, trial: words.algorithm(trial.algorithm), 140),
    "folds": Column("Folds", lambda _, trial: _folds(trial), 70),
    "fast": Column(
        "Fast path",
        lambda _, trial: "Yes" if trial.fast else "No",
        80,
        help="No: the model needs its own library to answer, and is chosen only if it was asked for",
    ),
    "error": Column(
        "Reason", lambda _, trial: trial.error or words.DASH, 200, help="Why the trial failed or was stopped"
    ),
}


def offered(board: Board, primary: str) -> dict[str, Column]:
    """What may be added: every metric that a trial has, in the order of Azure's table."""
    found = {name for trial in board.trials for name in trial.metrics} - {primary}
    order = {name: at for at, name in enumerate(METRICS)}
    names = sorted(found, key=lambda name: (order.get(name, len(order)), name))
    return {**OFFERED, **{METRIC + name: _metric(name) for name in names}}


def shown(board: Board, metric: str, picked: Sequence[str]) -> dict[str, Column]:
    """The columns of the table, from the left; `metric` is the one it is ordered by."""
    places = {trial.number: at for at, trial in enumerate((t for t in board.ranked(metric) if metric in t.metrics), 1)}
    known, won, score = offered(board, metric), board.winner, _metric(metric)
    fixed = {
        "rank": Column(
            "Rank",
            lambda _, trial: f"{places.get(trial.number, words.DASH)}{WON if trial.number == won else ''}",
            50,
            help=f"{WON.strip()} is the model that the training has chosen",
        ),
        "algorithm": Column("Algorithm", lambda _, trial: trial.label, max(240, 320 - (score.width - 80))),
        METRIC + metric: score,
        "trial": Column("Trial", lambda _, trial: trial.number, 50, "%d"),
    }
    added = {key: known[key] for key in picked if key in known}
    return {**fixed, **added}


def as_csv(board: Board, trials: Sequence[Trial], metric: str) -> bytes:
    """The table with everything there is to each trial, under the names that programs know."""
    metrics = sorted({name for t in trials for name in t.metrics} - {metric})
    params = sorted({name for t in trials for name in t.params})
    file = io.StringIO()
    writer = csv.writer(file)
    told = ("state", "spread", "duration_s", "predict_ms", "size_bytes", "fold_scores", "error")
    writer.writerow(("trial", "label", "algorithm", metric, *told, *metrics, *(f"param.{name}" for name in params)))
    for trial in trials:
        folds = " ".join(f"{score:.6g}" for score in trial.fold_scores)
        facts = (str(trial.state), spread(trial), board.took_s(trial), trial.predict_ms or None)
        writer.writerow(
            (
                trial.number,
                trial.label,
                trial.algorithm,
                trial.metrics.get(metric),
                *facts,
                trial.size_bytes or None,
                folds,
                trial.error,
                *(trial.metrics.get(name) for name in metrics),
                *(trial.params.get(name) for name in params),
            )
        )
    return file.getvalue().encode()
