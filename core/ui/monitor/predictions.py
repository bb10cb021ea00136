"""The Predictions tab: what was predicted over time, and how scores are spread."""

import time

import streamlit as st

from core.domain.drift import Predictions
from core.domain.errors import Conflict
from core.ui.kit import charts, words
from core.ui.monitor import cached, data_charts
from core.ui.monitor.asked import choose_span
from core.ui.monitor.collected import not_kept
from core.ui.monitor.opened import Opened
from core.ui.shell import choices
from core.ui.shell.markup import literal

MOST = "most"


def show(opened: Opened) -> None:
    """Of one deployment, or of the one with the most traffic."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        window_s = choose_span("predictions_window", "24h")
        deployment = _deployment(opened)
    try:
        found = cached.predictions(opened.name, window_s, deployment).told()
    except Conflict as error:
        not_kept(opened, error)
        return
    if not found.rows:
        st.info("**No predictions in this window.** Choose a longer one.", icon=":material/hourglass_empty:")
        return
    _charts(found)


def _deployment(opened: Opened) -> str:
    names = {MOST: "With the most traffic", **{d.name: d.name for d in opened.endpoint.deployments}}
    picked = choices.choose("Deployment", names, key="predicted_by", scope=opened.name, noun="deployment")
    return "" if picked == MOST else picked


def _charts(found: Predictions) -> None:
    now = time.time()
    left, right = st.columns(2, gap="medium")
    with left:
        what = f"Rows predicted **{literal(found.positive)}**" if found.positive else "**Mean prediction**"
        st.markdown(what)
        charts.show(data_charts.positive_share(found), key="monitor.positive", alt="Predictions over time")
    with right:
        st.markdown("**Scores**" if found.positive else "**Predicted values**")
        charts.show(data_charts.scores(found), key="monitor.scores", alt="Scores lately and in training")
    unknown = "" if found.training else " The scores of training are not known for this model."
    st.caption(
        f"{words.plural(found.rows, 'row')} of {found.deployment}, {words.moment(found.since, now)} to "
        f"{words.moment(min(found.until, now), now)}, clients only, from the answers that were kept. Training: rows "
        f"that the model had not seen (cross-validation).{unknown} A gap: no row in that interval."
    )
