"""What the app remembers of one visitor's session: typed, each key with its owner and default."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast, overload

import streamlit as st

from core.domain.outcomes import FeedbackReceipt

T = TypeVar("T")


class Remembered(Generic[T]):
    """One value in Streamlit's session state under `key`; `default` until it is set."""

    def __init__(self, key: str, default: T) -> None:
        self.key, self.default = key, default

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> "Remembered[T]": ...

    @overload
    def __get__(self, owner: "State", kind: type[Any]) -> T: ...

    def __get__(self, owner: "State | None", kind: type[Any]) -> "T | Remembered[T]":
        if owner is None:
            return self
        return cast(T, st.session_state.get(self.key, self.default))

    def __set__(self, owner: "State", value: T) -> None:
        st.session_state[self.key] = value


@dataclass(slots=True)
class Visit:
    """One stay on a page."""

    page: str
    at: str
    """The whole query as the session knows it."""
    replaced: dict[str, float] = field(default_factory=dict)
    """Earlier queries of this stay, and when each was replaced."""
    taken: set[tuple[str, str]] = field(default_factory=set)
    """Who has read which parameter since the visitor came by the address."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A deployment that the visitor has seen being proven, and since when it is live."""

    endpoint: str
    deployment: str
    live_at: float | None = None


class State:
    """Every key that is not a widget's own. Widgets use `page.field`; what a URL should carry is bound to the URL."""

    routed = Remembered("slipway.routed", False)
    """True from the moment `app.py` routes a run until the page's frame has seen it."""
    backend = Remembered("slipway.backend", "")
    """The backend that the visitor has chosen; empty: the settings'."""
    visit: Remembered[Visit | None] = Remembered("slipway.visit", None)
    """The visitor's stay on the page that is drawn, kept by `address`."""
    shown_trials: Remembered[tuple[int, ...]] = Remembered("slipway.shown_trials", ())
    """Trial numbers in the order the leaderboard last drew them, to read a click on a row."""
    board_metric = Remembered("slipway.board_metric", "")
    """The metric by which the leaderboard was last drawn."""
    charted_trials: Remembered[tuple[str, frozenset[int]]] = Remembered("slipway.charted_trials", ("", frozenset()))
    """The metric and the trials of the chart that is drawn."""
    board_columns: Remembered[tuple[str, ...]] = Remembered(
        "slipway.board_columns", ("spread", "state", "time", "predict_ms")
    )
    """The columns that the visitor has chosen for the leaderboard."""
    drawn_trial: Remembered[tuple[str, str, str]] = Remembered("slipway.drawn_trial", ("", "", ""))
    """The trial that is drawn below the leaderboard: its job, its number, and how it stood then."""
    uploads = Remembered("slipway.uploads", 0)
    """How many tables were registered: the next file gets an empty place."""
    gate_job = Remembered("slipway.gate_job", "")
    """The gate that was asked for on the Quality page."""
    rise: Remembered[Rise | None] = Remembered("slipway.rise", None)
    """The deployment that the Deploy page has last seen on its way."""
    newest_report = Remembered("slipway.newest_report", "")
    """The newest gate report that the Quality page has shown."""
    receipt: Remembered[FeedbackReceipt | None] = Remembered("slipway.receipt", None)
    """What became of the outcomes that the visitor has sent last."""
    seen_request = Remembered("slipway.seen_request", "")
    """The id of the request whose log the Monitor page shows."""
    newest_load = Remembered("slipway.newest_load", "")
    """The newest load that the Deploy page has shown: one that is newer is shown without being asked for."""
    answer: Remembered[Any] = Remembered("slipway.answer", None)
    """The endpoint's last answer to the Test form: an `Answer`, or None."""


state = State()
