"""Forms that can be folded: open while nothing was done, closed when they are done, opened by an address."""

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from core.ui.shell import address, panels

    address.begin("Forms")
    with panels.panel("Train", key="train", opened_by="train", first=False) as panel:
        if panel.open:
            st.caption(f"for {address.read('train')}")
            if st.button("Go", key="go"):
                panels.close("train", opened_by="train")
                st.rerun()


def test_an_address_opens_a_form_and_what_it_has_done_closes_it():
    app = AppTest.from_function(page)
    app.query_params["train"] = "people:1"
    app.run()
    assert app.caption[0].value == "for people:1"

    app.button(key="go").click().run()

    assert not app.caption
    assert "train" not in app.query_params

    app.query_params["train"] = "people:2"
    assert app.run().caption[0].value == "for people:2"


def test_a_closed_form_draws_nothing():
    assert not AppTest.from_function(page).run().button
