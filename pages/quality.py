"""Quality: what was proven about each endpoint, and by what evidence."""

import time

import streamlit as st

from core import ui
from core.ui.kit import endpoints
from core.ui.quality import gates, reports

ui.frame("Quality")
workspace = ui.workspace()
with ui.explained():
    known = workspace.list_endpoints()
    if not known:
        ui.notices.empty(
            "There is nothing to prove yet",
            "Deploy a model; its gate runs by itself.",
            icon="verified",
            then=("Deploy", "Deploy a model"),
        )
        st.stop()
    endpoint = endpoints.choose(known)
    ui.notices.twin(endpoints.data_behind(endpoint))
    gates.run_form(workspace, endpoint)
    ui.live(lambda: gates.look(workspace, endpoint.name), gates.pace, lambda seen: gates.draw(workspace, seen))
    st.subheader("Load tests", anchor=False)
    reports.loads(workspace.load_reports(), time.time())
