"""A list of thousands of options, such as a wide table's columns, is drawn in no time."""

import time

from streamlit.testing.v1 import AppTest


def _list(many: int) -> None:
    import streamlit as st

    from core.ui.shell import choices

    names = {"first": "twin", "second": "twin", "third": "twin (2)"}
    labels = names | {f"c{at}": f"column {at}" for at in range(many)}

    def draw(label: str, ids: list[str], key: str, name: object, wanted: str | None) -> str:
        st.write(", ".join(map(name, ids[:3])), len({name(each) for each in ids}))
        return ids[0]

    choices.choose("Column", labels, key="column", draw=draw)


def test_thousands_of_options_are_told_apart_in_no_time():
    AppTest.from_function(_list, args=(1,)).run(timeout=60)
    began = time.process_time()
    page = AppTest.from_function(_list, args=(5_000,)).run(timeout=60)
    assert time.process_time() - began < 1  # each was compared with all others for 2 s
    assert not page.exception
    assert page.markdown[0].value == "twin, twin (2), twin (2) (2) `5003`"
