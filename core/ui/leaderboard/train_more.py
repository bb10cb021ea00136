"""Everything else that a training may be told; what is left alone is the engine's own choice."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.algorithms import algorithms_of
from core.domain.data import ColumnProfile
from core.domain.signature import Scalar
from core.domain.training import BALANCED, FOLDS_MAX, TRIALS_USUAL, Sampling
from core.ui.kit import tables, words
from core.ui.leaderboard import train_columns, train_costs, train_space
from core.ui.leaderboard.train_asked import More
from core.ui.shell.markup import literal

FEW_CLASSES = 10
"""Weights and costs are asked for class by class only up to so many."""
AUTOMATIC, FOLDS, SHARE, TABLE = "Automatic", "Cross-validation", "A share of the rows", "Another table"
ALIKE, RARE, OWN = "Equal", "Balanced", "My own"
SAMPLINGS: Mapping[Sampling, str] = {
    Sampling.DEFAULT: "Known good, then Bayesian",
    Sampling.RANDOM: "At random",
    Sampling.GRID: "All combinations",
    Sampling.BAYESIAN: "Bayesian",
}


def ask(more: More) -> Callable[[], Mapping[str, Any]]:
    """Two folded forms; what was given there is made when it is called for. Every field has a default that is good."""
    with st.expander("More settings", icon=":material/tune:", key="leaderboard.more"):
        _algorithms(more)
        _limits(more)
        _validation(more)
        if not more.regression:
            _classes(more)
        _other(more)
    with st.expander("Advanced: columns and search space", icon=":material/rule_settings:", key="leaderboard.advanced"):
        train_columns.ask(more)
        train_space.ask(more)
    return more.fields


def _algorithms(more: More) -> None:
    known = sorted(algorithms_of(more.regression), key=words.algorithm)
    left, right = st.columns(2)
    allowed = left.multiselect(
        "Only these algorithms",
        known,
        format_func=words.algorithm,
        key=f"leaderboard.allowed.{more.regression}",
        placeholder="All that the engine chooses from",
    )
    blocked = right.multiselect(
        "Not these algorithms",
        known,
        format_func=words.algorithm,
        key=f"leaderboard.blocked.{more.regression}",
        placeholder="None blocked",
    )
    more.given["allowed_training_algorithms"] = tuple(allowed)
    more.given["blocked_training_algorithms"] = tuple(blocked)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    more.given["sampling_algorithm"] = left.selectbox(
        "Hyperparameters",
        list(SAMPLINGS),
        format_func=SAMPLINGS.__getitem__,
        key="leaderboard.sampling",
        help="Known good ones are tried first, then others near the best. Bayesian begins with the latter.",
    )
    more.given["enable_vote_ensemble"] = middle.checkbox(
        "Voting ensemble",
        value=True,
        key="leaderboard.vote",
        help="The mean of the best models, each with a weight; most often the best model of all.",
    )
    more.given["enable_stack_ensemble"] = right.checkbox(
        "Stack ensemble",
        value=True,
        key="leaderboard.stack",
        help="A model of what the others say, kept only where it is better on rows that it has not seen.",
    )


def _limits(more: More) -> None:
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    more.given["max_trials"] = int(
        first.number_input("Trials at most", 1, 1_000_000, TRIALS_USUAL, key="leaderboard.max_trials") or TRIALS_USUAL
    )
    more.given["trial_timeout_s"] = _at_most(second, "Trial timeout (s)", "trial_timeout_s", "Automatic")
    more.given["exit_score"] = third.number_input(
        "Stop at this score",
        value=None,
        format="%g",
        key="leaderboard.exit_score",
        placeholder="None",
        help="The search ends once a trial's score is this good.",
    )
    more.given["max_predict_ms"] = _at_most(
        fourth,
        "Predict time (ms)",
        "max_predict_ms",
        "Automatic",
        "A model that takes longer for one row is not chosen, and ensembles are kept as small.",
    )
    more.given["enable_early_termination"] = st.checkbox(
        "End early when nothing more is gained",
        value=True,
        key="leaderboard.early",
        help="Ends a trial whose first folds are hopeless, and the search when nothing was gained for long.",
    )


def _at_most(place: DeltaGenerator, label: str, name: str, without: str, told: str | None = None) -> float:
    """A limit of the spec by that name, 0 where none is given; `without` says what holds then."""
    key = f"leaderboard.{name}"
    given = place.number_input(label, min_value=0.0, value=None, format="%g", key=key, placeholder=without, help=told)
    return float(given or 0.0)


def _validation(more: More) -> None:
    left, right = st.columns(2)
    ways = [AUTOMATIC, FOLDS, SHARE, *([TABLE] if more.assets else [])]
    way = left.selectbox("Judge trials by", ways, key="leaderboard.validation")
    with right:
        if way == FOLDS:
            folds = st.number_input("Folds", 2, FOLDS_MAX, 5, key="leaderboard.folds")
            more.given["n_cross_validations"] = int(folds or 5)
        elif way == SHARE:
            share = st.number_input("Percent held out", 1, 90, 20, key="leaderboard.share")
            more.given["validation_share"] = (share or 20) / 100
        elif way == TABLE:
            by_key = {tables.key_of(asset): asset for asset in more.assets}
            picked = st.selectbox("Table to judge on", list(by_key), key="leaderboard.validation_data")
            more.given["validation_data"] = by_key[picked].ref
        else:
            st.caption(
                "Cross-validation with as many folds as the rows allow; from a million rows on, a tenth is held out."
            )


def _classes(more: More) -> None:
    """Weights and costs, by class where there are few."""
    classes = classes_of(more.target)
    ways = [ALIKE, RARE, *([OWN] if classes else [])]
    left, _ = st.columns(2)
    way = left.selectbox(
        "Class weights", ways, key="leaderboard.weights", help="Balanced: the rarer a class, the more its rows count."
    )
    if way == RARE:
        more.given["class_weights"] = BALANCED
    elif way == OWN:
        more.given["class_weights"] = {
            str(name): float(
                place.number_input(
                    literal(f"Weight of {name}"), 0.001, value=1.0, format="%g", key=f"leaderboard.weight.{name}"
                )
                or 1.0
            )
            for place, name in zip(st.columns(min(4, len(classes)) or 1) * len(classes), classes, strict=False)
        }
    if not classes:
        st.caption(f"Weights and costs of your own are asked for up to {FEW_CLASSES} classes; the CLI takes more.")
    else:
        train_costs.ask(more, classes)


def classes_of(column: ColumnProfile) -> tuple[Scalar, ...]:
    """A column's values, where they are few and the profile names them all."""
    values = tuple(level.value for level in column.levels)
    known = len(values) == column.distinct and len(values) <= FEW_CLASSES
    return tuple(sorted(values, key=str)) if known else ()


def _other(more: More) -> None:
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    more.features = left.checkbox(
        "Make features from columns",
        value=True,
        key="leaderboard.featurization",
        help="Dates become parts, text with many values becomes rates, and so on. Clients send the raw columns.",
    )
    more.given["max_concurrent_trials"] = int(
        middle.number_input(
            "Trials at once",
            0,
            10_000,
            0,
            key="leaderboard.concurrent",
            help="0: as many as the compute allows. With 1 the same seed gives the same result again.",
        )
        or 0
    )
    more.given["seed"] = int(right.number_input("Random seed", 0, 2**31 - 1, 7, key="leaderboard.seed") or 0)
