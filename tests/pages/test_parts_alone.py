"""A tab, or a widget within one, draws that tab again and not the page around it."""

import pytest
from streamlit.testing.v1 import local_script_runner


@pytest.mark.parametrize(("page", "tabs"), [("deploy", "use"), ("explore", "view"), ("monitor", "watch")])
def test_a_tab_is_drawn_alone(visit, bank, monkeypatch: pytest.MonkeyPatch, page: str, tabs: str):
    seen = []
    parse = local_script_runner.parse_tree_from_messages
    monkeypatch.setattr(local_script_runner, "parse_tree_from_messages", lambda sent: seen.extend(sent) or parse(sent))

    app = visit(page)

    assert not app.exception
    drawn = [(m.delta.new_element, m.delta.fragment_id) for m in seen if m.delta.HasField("new_element")]
    chooser = {part for element, part in drawn if f"choice.{tabs}" in str(element)}
    heading = {
        part for element, part in drawn if element.WhichOneof("type") == "heading" and element.heading.tag == "h1"
    }
    assert len(chooser) == 1
    assert "" not in chooser
    assert heading == {""}
