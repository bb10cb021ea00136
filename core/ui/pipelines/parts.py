"""What the page shows: a run that is opened, else one of its tabs."""

import streamlit as st

from core.ui.kit.parts import Part
from core.ui.pipelines import endpoint_tab, opened, run_page, run_tab, schedule_tab
from core.ui.shell import abilities, address, choices, failures
from core.workspace import Workspace

TABS: tuple[Part[Workspace], ...] = (
    Part("Pipelines", endpoint_tab.show),
    Part("Runs", run_tab.show, needs=("pipelines.list_runs",)),
    Part("Schedules", schedule_tab.show),
)


def draw(workspace: Workspace) -> None:
    """The run that is opened, at its own address; else the tab that the visitor (or the address) chooses."""
    if (address.take("view", by="run") or address.take("pipeline", by="run")) and not address.read("run"):
        choices.put("run", "")
    run = opened.run(workspace)
    if run is not None:
        address.write(dict.fromkeys(("view", "pipeline", "use", "schedule", *run_tab.KEYS), ""))
        run_page.show(workspace, run)
        return
    address.write({"step": "", "compare": ""})
    titles = {tab.title: f":gray[{tab.title}]" if abilities.lacking(*tab.needs) else tab.title for tab in TABS}
    picked = choices.choose("Show", titles, key="view", first=TABS[0].title, noun="tab", draw=choices.tabs)
    tab = next(tab for tab in TABS if tab.title == picked)
    if reason := abilities.lacking(*tab.needs):
        abilities.say(tab.title, reason)
        return
    with failures.explained():
        tab.draw(workspace)
    st.space("small")
