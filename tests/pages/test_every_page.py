"""Every page in each of its states: empty, filled, on a twin, over a workspace that fails."""

import time

import pytest
from bank_story import fill
from fakes import FakeWorkspace
from reading import text

from core.domain.data import DataSource
from core.domain.errors import StorageFull
from core.ui.shell.navigation import PAGES

FILES = [page.file for page in PAGES]

EMPTY = {
    "home": ("Nothing is live yet", "python -m core quickstart"),
    "explore": ("No table is registered yet", "one click registers it"),
    "leaderboard": ("No table to train on yet", "Register a table"),
    "deploy": ("There is no model to deploy yet", "Train one"),
    "monitor": ("There is no endpoint to watch yet", "Deploy a model"),
    "pipelines": ("No pipeline is published yet", "Publish one of those below"),
    "quality": ("There is nothing to prove yet", "Deploy a model"),
}
FILLED = {
    "home": ("Live and proven", "Train on bankmarketing-train to predict y", "0.9492"),
    "explore": ("32,950", "Integer · 76 distinct values"),
    "leaderboard": ("Train on bankmarketing-train to predict y", "4 trials done"),
    "deploy": ("Live and proven", "http://127.0.0.1:8701/score"),
    "monitor": ("p99", "Status codes"),
    "pipelines": ("Prepare the Bank Marketing table", "Latest runs"),
    "quality": ("all 9 applicable checks passed", "largest difference 2.2e-16"),
}


@pytest.mark.parametrize("page", FILES)
def test_an_empty_page_says_what_to_do_next(visit, page):
    app = visit(page, warm=True)

    assert not app.exception
    assert not app.error
    for expected in EMPTY[page]:
        assert expected in text(app)


@pytest.mark.parametrize("page", FILES)
def test_a_filled_page_tells_its_story(visit, bank, page):
    app = visit(page)

    assert not app.exception
    assert not app.error
    assert app.title[0].value == next(p.title for p in PAGES if p.file == page)
    for expected in FILLED[page]:
        assert expected in text(app)


@pytest.mark.parametrize("page", FILES)
def test_a_failing_workspace_is_explained_with_its_hint(visit, fake: FakeWorkspace, page):
    fake.broken = StorageFull("The disk is full", hint="Free some space")

    app = visit(page)

    assert not app.exception
    assert "The disk is full" in app.error[0].value
    assert "Free some space" in app.error[0].value
    assert "Service stopped" in text(app)


@pytest.mark.parametrize("page", [p for p in FILES if p != "pipelines"])
def test_figures_of_a_synthetic_twin_say_so(visit, fake, page):
    fill(fake, time.time(), source=DataSource.TWIN)

    assert any("Synthetic twin" in warning.value for warning in visit(page).warning)


def test_a_workspace_that_is_not_known_ends_the_page_with_what_can_be_chosen(visit, monkeypatch):
    monkeypatch.setenv("SLIPWAY_WORKSPACE", "elsewhere")

    app = visit("explore")

    assert not app.exception
    assert "There is no workspace 'elsewhere' here" in app.error[0].value
    assert "local" in app.error[0].value
