"""What a backend cannot do is greyed with its reason, on every page, and is never asked of it."""

from dataclasses import replace

import pytest
import streamlit as st
from bank_story import AUTOML_ID, RUN_ID, nightly
from fakes import FakeWorkspace, without
from reading import text
from turns import in_turn

from core.ui.deploy.parts import TABS
from core.ui.monitor.parts import TABS as WATCHED
from core.ui.pipelines.endpoint_tab import USES
from core.ui.shell import cached
from core.ui.shell.navigation import PAGES

VIEWS = [
    *({"page": page.file} for page in PAGES if page.file != "deploy"),
    {"page": "explore", "view": "Preview"},
    {"page": "pipelines", "view": "Runs"},
    {"page": "pipelines", "view": "Schedules", "schedule": "nightly", "schedule_for": "Bankmarketing Train"},
    *({"page": "pipelines", "use": use.title} for use in USES),
    {"page": "pipelines", "run": RUN_ID, "step": "automl", "compare": "r-1"},
    *({"page": "deploy", "use": tab.title} for tab in TABS),
    *({"page": "monitor", "watch": tab} for tab in ("Requests", "Alerts")),
]
RARELY = [{"page": "monitor", "watch": tab.title} for tab in WATCHED if tab.title not in ("Requests", "Alerts")]


def named(view: dict[str, str]) -> str:
    return "-".join(view.values())


@pytest.fixture
def bank(bank: FakeWorkspace) -> FakeWorkspace:
    """The lifecycle with a schedule."""
    nightly(bank)
    return bank


def afresh(fake: FakeWorkspace, *verbs: str) -> None:
    """The app opens its workspace anew, on a backend without these verbs."""
    cached.opened.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()
    fake.workspace = without(fake.whole, *verbs)
    fake.calls.clear()


@pytest.mark.parametrize(
    "view",
    [*in_turn(VIEWS, 2, named), *(pytest.param(view, id=named(view), marks=pytest.mark.full) for view in RARELY)],
)
def test_a_page_does_without_each_verb_that_it_asks_for(visit, bank, view):
    visit(**view)
    asked = sorted({name for name, _ in bank.calls})

    for verb in asked:
        afresh(bank, verb)
        app = visit(**view)
        assert not app.exception, verb
        assert not app.error, verb
        assert not bank.called(verb)


ACTS = [
    ({"page": "explore", "register": "1"}, "Register", "data.register"),
    ({"page": "leaderboard", "train": "bankmarketing-train:1"}, "Train", "jobs.submit"),
    ({"page": "leaderboard", "job": AUTOML_ID}, "Register the best model: AUC 0.9492", "models.register"),
    ({"page": "deploy", "model": "bank-marketing:3"}, "Deploy", "endpoints.deploy"),
    ({"page": "deploy", "use": "Traffic"}, "Apply", "endpoints.set_traffic"),
    ({"page": "deploy", "use": "Details"}, "Save", "endpoints.update"),
    ({"page": "deploy", "use": "Details"}, "Delete the endpoint", "endpoints.delete"),
    ({"page": "deploy", "use": "Load test"}, "Run", "jobs.submit"),
    ({"page": "pipelines"}, "Run now", "pipelines.trigger"),
    ({"page": "pipelines", "view": "Schedules", "schedule_for": "Bankmarketing Train"}, "Create", "schedules.create"),
    ({"page": "pipelines", "view": "Schedules", "schedule": "nightly"}, "Turn off", "schedules.enable"),
    ({"page": "pipelines", "view": "Schedules", "schedule": "nightly"}, "Run now", "schedules.run_now"),
    ({"page": "pipelines", "use": "Versions"}, "Disable", "pipelines.enable"),
    ({"page": "pipelines", "run": RUN_ID}, "Cancel the run", "pipelines.cancel"),
    ({"page": "quality"}, "Run the gate", "proofs.run_gate"),
    ({"page": "monitor", "watch": "Collection"}, "Save", "endpoints.update"),
    ({"page": "monitor", "watch": "Drift"}, "Save", "records.set_drift_limit"),
    ({"page": "monitor", "watch": "Alerts"}, "Create", "records.set_alert"),
]


@pytest.mark.parametrize(("view", "label", "verb"), ACTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_button_is_greyed_with_its_reason_where_its_verb_is_lacking(visit, bank, view, label, verb):
    bank.models = [replace(model, job_id="another") for model in bank.models]
    afresh(bank, verb)
    app = visit(**view)

    button = next(button for button in app.button if button.label == label)
    assert button.disabled
    assert button.help == f"The fake workspace cannot do this: it lacks `{verb}`."


@pytest.mark.parametrize("tab", [tab for tab in TABS if tab.needs], ids=lambda tab: tab.title)
def test_a_tab_says_why_it_has_nothing_to_show(visit, bank, tab):
    afresh(bank, *tab.needs)
    app = visit("deploy", use=tab.title)

    needs = " and ".join(f"`{verb}`" for verb in tab.needs)
    assert f"**{tab.title}** · The fake workspace cannot do this: it lacks {needs}." in text(app)


def test_a_workspace_without_a_service_has_none_in_the_sidebar(visit, bank):
    afresh(bank, "service.start", "service.status")
    app = visit("home")

    assert "Service" not in text(app)
    assert "Workspace `fake`" in text(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_a_workspace_that_can_do_nothing_is_explained_on_every_page(visit, bank, page):
    afresh(bank, *bank.workspace.verbs)
    app = visit(page.file)

    assert not app.exception
    assert not app.error
    assert bank.calls == []
    assert "The fake workspace cannot do this" in text(app)
