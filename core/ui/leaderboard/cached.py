"""What is computed of a trial when it is first looked at: it never changes once the trial has ended.

Failures are kept with it, so that a trial without predictions is not asked again at every look. All of it is frozen and
shared by all visits.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import streamlit as st

from core.domain.errors import SlipwayError
from core.domain.explanation import (
    Fairness,
    Importance,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.signature import Scalar, Signature
from core.domain.training import Trial
from core.ui.shell.cached import where, workspace

T = TypeVar("T")


class Pick(NamedTuple):
    """A trial as it was when it ended: an ensemble is made anew under its number while the search goes on."""

    job_id: str
    number: int
    ended_at: float


def pick(job_id: str, trial: Trial) -> Pick:
    """A trial that has ended."""
    return Pick(job_id, trial.number, trial.started_at + trial.duration_s)


LOOKING = "Looking at the predictions …"


def _kept(verb: Callable[[], T]) -> T | SlipwayError:
    try:
        return verb()
    except SlipwayError as error:
        return error


def _told(found: T | SlipwayError) -> T:
    if isinstance(found, SlipwayError):
        raise found
    return found


def curves(trial: Pick) -> TrialCurves:
    """A trial's charts. Raises Conflict for one that has no predictions."""
    return _told(_curves(where(), trial))


@st.cache_resource(max_entries=64, show_spinner=LOOKING)
def _curves(where: str, trial: Pick) -> TrialCurves | SlipwayError:
    return _kept(lambda: workspace().jobs.curves(trial.job_id, trial.number))


def thresholds(trial: Pick, class_name: Scalar | None = None) -> ThresholdTable:
    """What is predicted at each threshold. Raises as `curves`."""
    return _told(_thresholds(where(), trial, class_name))


@st.cache_resource(max_entries=64, show_spinner=LOOKING)
def _thresholds(where: str, trial: Pick, class_name: Scalar | None) -> ThresholdTable | SlipwayError:
    return _kept(lambda: workspace().jobs.thresholds(trial.job_id, trial.number, class_name))


def fold_metrics(trial: Pick) -> tuple[MetricSpread, ...]:
    """Every metric on each fold. Raises as `curves`."""
    return _told(_fold_metrics(where(), trial))


@st.cache_resource(max_entries=64, show_spinner=LOOKING)
def _fold_metrics(where: str, trial: Pick) -> tuple[MetricSpread, ...] | SlipwayError:
    return _kept(lambda: workspace().jobs.fold_metrics(trial.job_id, trial.number))


def importance(trial: Pick) -> Importance:
    """Which columns a trial goes by. Raises as `curves`."""
    return _told(_importance(where(), trial))


@st.cache_resource(max_entries=64, show_spinner="Measuring which columns matter …")
def _importance(where: str, trial: Pick) -> Importance | SlipwayError:
    return _kept(lambda: workspace().jobs.importance(trial.job_id, trial.number))


def partial_dependence(trial: Pick, column: str, class_name: Scalar | None = None) -> PartialDependence:
    """How the answer changes with one column. Raises as `curves`."""
    return _told(_partial_dependence(where(), trial, column, class_name))


@st.cache_resource(max_entries=256, show_spinner="Trying values of the column …")
def _partial_dependence(
    where: str, trial: Pick, column: str, class_name: Scalar | None
) -> PartialDependence | SlipwayError:
    return _kept(lambda: workspace().jobs.partial_dependence(trial.job_id, trial.number, column, class_name))


def fairness(trial: Pick, column: str, threshold: float, class_name: Scalar | None = None) -> Fairness:
    """How a trial does on the groups of a column. Raises as `curves`."""
    return _told(_fairness(where(), trial, column, threshold, class_name))


@st.cache_resource(max_entries=256, show_spinner=LOOKING)
def _fairness(
    where: str, trial: Pick, column: str, threshold: float, class_name: Scalar | None
) -> Fairness | SlipwayError:
    return _kept(lambda: workspace().jobs.fairness(trial.job_id, trial.number, column, threshold, class_name))


def compared(first: Pick, second: Pick, metric: str) -> PairedDifference:
    """The gain of one trial over another. Raises as `curves`, SpecInvalid for trials on different rows."""
    return _told(_compared(where(), first, second, metric))


@st.cache_resource(max_entries=256, show_spinner="Comparing row by row …")
def _compared(where: str, first: Pick, second: Pick, metric: str) -> PairedDifference | SlipwayError:
    return _kept(lambda: workspace().jobs.compare_pair(first[:2], second[:2], metric))


def winner(job_id: str, trials: int) -> Winner:
    """Why the best of so many trials won. Raises Conflict where nobody can say."""
    return _told(_winner(where(), job_id, trials))


@st.cache_resource(max_entries=64, show_spinner="Comparing the best trials …")
def _winner(where: str, job_id: str, trials: int) -> Winner | SlipwayError:
    return _kept(lambda: workspace().jobs.winner(job_id))


def signature(job_id: str) -> Signature:
    """What the models of a job take. Raises Conflict where the table is gone."""
    return _told(_signature(where(), job_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _signature(where: str, job_id: str) -> Signature | SlipwayError:
    return _kept(lambda: workspace().jobs.signature(job_id))
