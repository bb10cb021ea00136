"""What is live, or the way there."""

import streamlit as st

from core.domain.data import DataSource
from core.ui.home import journey, quickstart, samples
from core.ui.home.overview import Overview
from core.ui.kit import endpoints, notices


def show(seen: Overview) -> None:
    """A card for each endpoint; the way to the first one while none is live."""
    behind = [s.data for served in seen.served.values() for s in served if s.data] or seen.assets
    notices.twin(next((a for a in behind if a.source is DataSource.TWIN), None))
    if not seen.live:
        _not_live_yet(seen)
    for endpoint in seen.endpoints:
        endpoints.card(endpoint, seen.served[endpoint.name], seen.hours[endpoint.name], seen.now)


def _not_live_yet(seen: Overview) -> None:
    if seen.assets or seen.running or seen.endpoints:
        st.info(
            "**Nothing is live yet.** The next step is marked below; each step turns green when it is done.",
            icon=":material/flag:",
        )
    else:
        st.info(
            "**Nothing is live yet.** Five steps lead from a table to a proven endpoint. The quickstart takes all five "
            "on a sample table, as `python -m core quickstart` does. To go step by step, begin with a sample, or "
            "register your own table on Explore.",
            icon=":material/flag:",
        )
    if not (seen.running or seen.endpoints):
        quickstart.button()
    if not (seen.assets or seen.running or seen.endpoints):
        samples.buttons()
    journey.draw(journey.stages(seen.assets, seen.jobs, seen.models, seen.endpoints, seen.now))
