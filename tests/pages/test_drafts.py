"""Forms over stored state follow it, and never overwrite what somebody else has changed."""

import pytest
from reading import text
from streamlit.testing.v1 import AppTest

from core.domain.errors import StateChanged

STORED = {"rows": 10, "open": False}
LATE: dict[str, int] = {}
"""What somebody else stores between the page's look and its save."""


def page(stored, save):
    import streamlit as st

    from core.ui.shell import address, drafts

    address.begin("Settings")
    draft = drafts.draft("settings", dict(stored))
    with st.form("settings"):
        rows = st.number_input("Rows", value=stored["rows"], key=draft.key("rows"))
        if st.form_submit_button("Save", key="save"):
            draft.save("Saving", save, rows, expected=draft.stored)


def save(rows, expected):
    STORED.update(LATE)
    if expected != STORED:
        raise StateChanged("rows is 12")
    STORED["rows"] = rows


@pytest.fixture
def app():
    STORED.update(rows=10, open=False)
    return AppTest.from_function(page, args=(STORED, save)).run()


def change(app, rows):
    app.number_input[0].set_value(rows)
    return app.button(key="save").click().run()


def test_a_save_is_kept_and_says_nothing(app):
    change(app, 20)

    assert STORED["rows"] == 20
    assert app.number_input[0].value == 20
    assert not app.info
    assert not app.error


def test_a_form_follows_what_is_stored_and_says_so(app):
    STORED["rows"] = 1000
    app.run()

    assert app.number_input[0].value == 1000
    assert "rows is 1,000 (was 10)" in text(app)


def test_a_save_from_an_older_state_is_refused_with_what_changed(app):
    app.number_input[0].set_value(20)
    STORED.update(rows=12, open=True)
    app.button(key="save").click().run()

    assert STORED["rows"] == 12
    assert app.number_input[0].value == 12
    assert "Nothing was saved" in app.error[0].value
    assert "rows is 12 (was 10); open is on (was off)" in app.error[0].value

    change(app, 20)
    assert STORED["rows"] == 20
    assert not app.error


def test_nothing_comes_between_the_look_and_the_save(app, monkeypatch):
    monkeypatch.setitem(LATE, "rows", 12)
    change(app, 20)

    assert STORED["rows"] == 12
    assert app.number_input[0].value == 12
    assert "Nothing was saved" in app.error[0].value
