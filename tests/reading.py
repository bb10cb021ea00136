"""What a visitor can read on a page of an AppTest."""

from typing import Any

from streamlit.testing.v1 import AppTest

KINDS = ("title", "header", "subheader", "markdown", "caption", "code", "error", "warning", "info", "success", "metric")


def text(app: AppTest) -> str:
    """All text of the page and its sidebar, in the order of kinds."""
    parts: list[str] = []
    for kind in KINDS:
        for element in app.get(kind):
            parts += [str(getattr(element, "label", "")), str(element.value)]
    return "\n".join(parts)


def by_label(elements: Any, label: str) -> Any:
    """The one element (button, selectbox, ...) with this label."""
    found = [e for e in elements if e.label == label]
    assert len(found) == 1, f"{len(found)} elements are labelled {label!r}: {[e.label for e in elements]}"
    return found[0]
