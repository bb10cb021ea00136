"""The table of pages, the navigation made from it, and links between them."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import Page
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.shell.markup import literal

LOGO = (Path(__file__).parent / "logo.svg").read_text()
MARK = (Path(__file__).parent / "mark.svg").read_text()


class PageEntry(NamedTuple):
    """One page: its file in `pages/` without the ending, what it is called, and what it answers."""

    file: str
    title: str
    icon: str
    section: str
    lead: str
    needs: tuple[str, ...] = ()
    """The verbs of the workspace without which there is nothing to show."""

    @property
    def path(self) -> str:
        return f"pages/{self.file}.py"


PAGES = (
    PageEntry("home", "Home", "home", "", "What is live, what is running, and whether it can be trusted."),
    PageEntry(
        "explore",
        "Explore",
        "table_chart",
        "Build",
        "Your tables, column by column, before you train on them.",
        needs=("data.list", "data.profile"),
    ),
    PageEntry(
        "leaderboard",
        "Leaderboard",
        "leaderboard",
        "Build",
        "Train models, and watch every trial as it finishes.",
        needs=("data.list", "data.get", "data.profile", "jobs.list", "jobs.get"),
    ),
    PageEntry(
        "deploy",
        "Deploy",
        "rocket_launch",
        "Serve",
        "Put a model behind an endpoint, try it, and hand it over.",
        needs=("data.get", "models.list", "models.get", "endpoints.list", "endpoints.get"),
    ),
    PageEntry(
        "monitor",
        "Monitor",
        "monitoring",
        "Serve",
        "What each endpoint does, how fast, how often it fails, and whether its answers still hold.",
        needs=("data.get", "models.get", "endpoints.list", "endpoints.get", "records.telemetry"),
    ),
    PageEntry(
        "pipelines",
        "Pipelines",
        "account_tree",
        "Automate",
        "The whole path from table to live model, started by hand, by a REST call, or on a schedule.",
        needs=("pipelines.list",),
    ),
    PageEntry(
        "quality",
        "Quality",
        "verified",
        "Prove",
        "What was proven about each endpoint, and the evidence for it.",
        needs=("data.get", "models.get", "endpoints.list", "endpoints.get"),
    ),
)


def entry(title: str) -> PageEntry:
    """The page of that title."""
    return next(page for page in PAGES if page.title == title)


def declare() -> Page:
    """Declare the app's navigation, in its sections; the page that the address names.

    The page icon is a file of ours: a Material icon there would be fetched from another host.
    """
    st.set_page_config(page_title="Slipway", page_icon=MARK, layout="wide")
    sections: dict[str, list[Page]] = {}
    for page in PAGES:
        declared = st.Page(
            page.path,
            title=page.title,
            icon=f":material/{page.icon}:",
            url_path="" if page is PAGES[0] else page.file,
            default=page is PAGES[0],
            help=page.lead,
        )
        sections.setdefault(page.section, []).append(declared)
    sections[""].append(st.Page(_home, title=PAGES[0].title, url_path=PAGES[0].file, visibility="hidden"))
    st.logo(LOGO, size="large", icon_image=MARK)
    return st.navigation(sections)


def _home() -> None:
    """The first page by its name: Streamlit serves it at `/` alone, and calls any other address of it unknown."""
    st.switch_page(PAGES[0].path)


def declare_beside() -> None:
    """Declare the navigation from within a page that Streamlit runs by itself, and go on in that page.

    `st.navigation` marks the run as the router's own, and widgets drawn after it would have other identities than in
    the next run, which `app.py` routes: the visitor's first click would be lost (measured with Streamlit 1.67).
    """
    context = get_script_run_ctx()
    if context is None:
        return
    with context.run_with_active_hash(""):
        declare()


def link(title: str, label: str = "", **query: str) -> None:
    """A link to another page, by its title; `query` chooses there, e.g. `endpoint="bank-marketing"`.

    Nothing in the label is markup: it may be a column's name, which whoever sent the table has chosen.
    """
    page = entry(title)
    st.page_link(
        page.path, label=literal(label or page.title), icon=f":material/{page.icon}:", query_params=query or None
    )


def go(title: str, **query: str) -> None:
    """Go to another page now, such as after a click on a row; `query` chooses there. Nothing after it is run."""
    st.switch_page(entry(title).path, query_params=query)
