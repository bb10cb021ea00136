"""Where the visitor works: chosen on Home, for all pages, and told in the address where it is not the settings' own."""

import pytest
from reading import text

from core.ui.shell import cached
from core.ui.shell.live import _pace
from core.workspace import BACKENDS

NOTICE = "Nothing here is in the cloud."


@pytest.fixture(autouse=True)
def _distant(monkeypatch):
    monkeypatch.setitem(BACKENDS, "azure", ("fakes:open_distant", ""))
    cached.opened.cache_clear()
    yield
    cached.opened.cache_clear()


def switch(app):
    return next(one for one in app.segmented_control if one.key.startswith("home.backend"))


def test_another_backend_is_chosen_on_home_and_every_page_follows(visit, bank):
    app = visit("home", warm=True)
    assert "bank-marketing" in text(app)

    switch(app).set_value("azure").run()

    assert "Nothing is live yet" in text(app)
    assert switch(app).value == "azure"
    assert "azure" in app.query_params["workspace"]
    app.query_params.clear()
    app.switch_page("pages/deploy.py").run()
    assert "bank-marketing" not in text(app)
    assert "azure" in app.query_params["workspace"], "a link from here shows the same workspace"


def test_the_way_back_leaves_nothing_in_the_address(visit, bank):
    app = visit("home", warm=True)
    switch(app).set_value("azure").run()
    switch(app).set_value("fake").run()
    assert "bank-marketing" in text(app)
    assert "workspace" not in app.query_params


@pytest.mark.parametrize("page", ["home", "explore", "leaderboard", "deploy", "monitor", "pipelines", "quality"])
def test_an_address_names_the_backend_and_every_page_says_what_must_be_known_of_it(visit, bank, page):
    app = visit(page, workspace="azure")
    assert not app.exception
    assert NOTICE in text(app)
    assert NOTICE not in text(visit(page))


def test_a_backend_that_is_not_there_is_said_so(visit, bank):
    app = visit("home", workspace="moon")
    assert "There is no workspace **moon** here." in app.warning[0].value
    assert "bank-marketing" in text(app)


def test_nothing_is_asked_more_often_than_it_can_tell_something_new(visit, bank, monkeypatch):
    monkeypatch.setenv("SLIPWAY_WORKSPACE", "azure")
    assert [_pace(lambda seen: seen, wanted_s) for wanted_s in (0.2, 10.0, None)] == [5.0, 10.0, None]
