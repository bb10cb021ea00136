"""Where inputs and predictions are not kept: what to do."""

import streamlit as st

from core.domain.errors import SlipwayError
from core.ui.kit import notices
from core.ui.monitor.opened import Opened
from core.ui.shell import failures


def not_kept(opened: Opened, error: SlipwayError) -> None:
    """Nothing can be said without rows: where they are kept already, the error says why not."""
    if opened.endpoint.limits.collect_model_data:
        failures.show(error)
        return
    notices.empty(
        "Inputs and predictions are not kept",
        "Turn their collection on: what comes in from then on is compared with the training data.",
        icon="database_off",
    )
    with st.container(horizontal_alignment="center"):
        opened.link("Collection", "Open Collection")
