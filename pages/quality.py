"""Quality: what was proven about each endpoint, and by what evidence."""

import time

import streamlit as st

from core import ui
from core.ui import quality

ui.frame("Quality")
workspace = ui.workspace()
with ui.explained():
    known = workspace.endpoints.list()
    if not known:
        ui.notices.empty(
            "There is nothing to prove yet",
            "Deploy a model; its gate runs by itself.",
            icon="verified",
            then=("Deploy", "Deploy a model"),
        )
        st.stop()
    endpoint = ui.endpoints.choose(known)
    ui.notices.twin(ui.endpoints.data_behind(endpoint))
    quality.run_form(workspace, endpoint)
    seen = ui.endpoints.from_now_on(workspace, endpoint)
    ui.live(lambda: quality.look(workspace, seen()), quality.pace, quality.draw)
    quality.draw_loads(workspace, time.time())
