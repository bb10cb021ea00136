"""What is live, or the way there."""

import streamlit as st

from core.domain.data import DataSource
from core.ui.home import journey
from core.ui.home.overview import Overview
from core.ui.kit import endpoints, notices


def show(seen: Overview) -> None:
    """A card for each endpoint; the way to the first one while none is live."""
    notices.twin(next((a for a in seen.assets if a.source is DataSource.TWIN), None))
    if not seen.live:
        _not_live_yet(seen)
    for endpoint in seen.endpoints:
        endpoints.card(endpoint, seen.served[endpoint.name], seen.hours[endpoint.name], seen.now)


def _not_live_yet(seen: Overview) -> None:
    if seen.running or seen.endpoints:
        st.info(
            "**On the way.** Nothing is live yet; each step below turns green as it is done.",
            icon=":material/hourglass_top:",
        )
    else:
        st.info(
            "**Nothing is live yet.** Five steps lead from a table to a proven endpoint. `python -m core quickstart` "
            "takes them all by itself, and this page shows it.",
            icon=":material/flag:",
        )
    journey.draw(journey.stages(seen.assets, seen.jobs, seen.models, seen.endpoints, seen.now))
