"""The Test form of a wide table asks for some columns, and sends all of them."""

from streamlit.testing.v1 import AppTest

from core.ui.kit.row_form import FIELDS, FIELDS_MAX
from core.ui.shell.style import SHEET


def _form(width: int) -> None:
    """A page of its own: AppTest runs it by its source."""
    import streamlit as st

    from core.contract.payload import Decoder
    from core.contract.samples import body
    from core.domain.data import ColumnKind
    from core.domain.signature import Column, Signature
    from core.ui.kit import row_form

    columns = tuple(Column(f"c{at}", ColumnKind.NUMBER, at % 2 == 0, typical=0.5) for at in range(width))
    signature = Signature(columns, "y", ("no", "yes"))
    row = row_form.row_form("wide:1", signature)
    if row is not None:
        st.text(f"{Decoder(signature)(body([row])).rows} row of {len(row)} columns")


def test_all_columns_are_sent_and_it_is_said_which_were_not_asked_for() -> None:
    page = AppTest.from_function(_form, args=(1_500,)).run(timeout=60)
    assert not page.exception
    assert len(page.number_input) == FIELDS_MAX
    assert [caption.value for caption in page.caption] == [
        f"{1_500 - FIELDS_MAX:,} more columns are sent with their median or most common values; "
        "use JSON to change them."
    ]
    page.button[0].click().run(timeout=60)
    assert [text.value for text in page.text] == ["1 row of 1500 columns"]


def test_the_style_sheet_lays_the_fields_out() -> None:
    assert f".st-key-{FIELDS} {{" in SHEET.read_text()


def test_a_table_of_usual_width_has_a_field_for_each_column() -> None:
    page = AppTest.from_function(_form, args=(20,)).run(timeout=60)
    assert (len(page.number_input), list(page.caption)) == (20, [])
