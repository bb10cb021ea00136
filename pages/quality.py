"""Quality: what was proven about each endpoint, and by what evidence."""

import time

import streamlit as st

from core import ui
from core.ui import endpoints, reports

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
    reports.run_form(workspace, endpoint)
    ui.live(lambda: reports.look(workspace, endpoint.name), reports.pace, reports.draw)
    st.subheader("Load tests", anchor=False)
    reports.loads(workspace.load_reports(), time.time())
