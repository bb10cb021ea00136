"""A trial's metrics with each fold, its hyperparameters, its members, and its log."""

import streamlit as st

from core.domain.errors import SlipwayError
from core.domain.explanation import MetricSpread
from core.domain.metrics import METRICS
from core.domain.training import TrainingResult
from core.ui.kit import jobs, words
from core.ui.leaderboard import cached
from core.ui.leaderboard.opened import Opened
from core.ui.shell.markup import literal


def show(opened: Opened) -> None:
    """What is to be known of a trial without looking at its predictions."""
    trial = opened.trial
    _facts(opened)
    _members(opened)
    left, right = st.columns([3, 2]) if trial.metrics else (st.container(), st.container())
    with left:
        _metrics(opened)
    if trial.params and not trial.members:
        right.table(
            {
                "Hyperparameter": list(map(literal, trial.params)),
                "Value": [literal(_value(v)) for v in trial.params.values()],
            }
        )
    if lines := opened.board.workspace.jobs.trial(*opened.pick[:2]).log:
        st.code("\n".join(lines), language=None)


def _facts(opened: Opened) -> None:
    trial = opened.trial
    facts = []
    if trial.predict_ms:
        facts.append(f"{trial.predict_ms:.3g} ms for one row")
    if trial.size_bytes:
        facts.append(words.size(trial.size_bytes))
    if not trial.fast:
        facts.append("needs its own library to answer, so it is chosen only if it was asked for")
    if trial.fold_scores and not trial.metrics:
        scores = ", ".join(words.score(score) for score in trial.fold_scores)
        metric = words.metric(jobs.primary_metric(opened.board.job))
        facts.append(f"{words.plural(len(trial.fold_scores), 'fold')} of {trial.folds} done, {metric} {scores}")
    if facts:
        st.caption(" · ".join(facts))


def _members(opened: Opened) -> None:
    """An ensemble's parts, with their weights where they are known."""
    trial, board = opened.trial, opened.board
    if not trial.members:
        return
    found = board.job.result
    weighed = isinstance(found, TrainingResult) and found.best.number == trial.number
    weights = dict(found.members) if isinstance(found, TrainingResult) and weighed else {}
    if not weights:
        st.markdown(f"Combines the predictions of trials {', '.join(str(n) for n in trial.members)}.")
        return
    st.markdown("**Members**")
    metric = jobs.primary_metric(board.job)
    members = [(board.trial(str(number)), weight) for number, weight in weights.items()]
    st.table(
        {
            "Trial": [str(number) for number in weights],
            "Algorithm": [literal(member.label) if member else words.DASH for member, _ in members],
            "Weight": [words.percent(weight) for _, weight in members],
            words.metric(metric): [words.score(member.metrics.get(metric)) if member else "" for member, _ in members],
        }
    )


def _metrics(opened: Opened) -> None:
    """The primary one first; each with its value on every fold where the predictions are kept."""
    trial = opened.trial
    if not trial.metrics:
        return
    primary = jobs.primary_metric(opened.board.job)
    order = {name: at for at, name in enumerate((primary, *METRICS))}
    names = sorted(trial.metrics, key=lambda name: (order.get(name, len(order)), name))
    by_name = {spread.name: spread for spread in _spreads(opened)}
    folds = max((len(spread.by_fold) for spread in by_name.values()), default=0)
    rows: dict[str, list[str]] = {
        "Metric": [words.metric(name) for name in names],
        "Score": [words.score(trial.metrics[name]) for name in names],
    }
    if folds > 1:
        rows["± folds"] = [words.score(by_name[n].deviation) if n in by_name else words.DASH for n in names]
        for fold in range(folds):
            rows[f"Fold {fold + 1}"] = [_on_fold(by_name.get(name), fold) for name in names]
    st.table(rows)


def _spreads(opened: Opened) -> tuple[MetricSpread, ...]:
    if not opened.board.workspace.can("jobs.fold_metrics"):
        return ()
    try:
        return cached.fold_metrics(opened.pick)
    except SlipwayError:
        return ()  # a trial without predictions has its metrics all the same


def _on_fold(spread: MetricSpread | None, fold: int) -> str:
    return words.DASH if spread is None or fold >= len(spread.by_fold) else words.score(spread.by_fold[fold])


def _value(value: object) -> str:
    if value is None:
        return words.DASH
    return f"{value:.4g}" if isinstance(value, float) else str(value)
