"""Workloads ask for things by today's names, and find them in a `core` that has others."""

from pathlib import Path

import pytest

from core.settings import CHECKOUT
from perf.gate.side import Side, restored
from perf.workloads import moved


def revision(root: Path, **files: str) -> Path:
    """A `core` with these modules and their text; `a__b` is core/a/b.py."""
    for name, text in {"__init__": "", **files}.items():
        file = root / "core" / f"{name.replace('a__', 'a/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture
def _moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moved, "MOVED", {"core.a.b": ("a", "c")})
    monkeypatch.setattr(moved, "CALLED", {"core.a.b:Better": "Good"})


@pytest.mark.usefixtures("_moves")
def test_what_moved_into_a_package_is_found_in_the_module_of_its_name(tmp_path):
    side = Side(revision(tmp_path, a="HERE = 'before'", c="class Good: pass"))
    with restored(), side.importing():
        from core.a.b import HERE, Better  # type: ignore[import-not-found]  # of the revision that is in place

        assert (HERE, Better.__name__) == ("before", "Good")
        with pytest.raises(ImportError):
            from core.a.b import NOWHERE  # noqa: F401


@pytest.mark.usefixtures("_moves")
def test_a_revision_that_has_the_room_is_asked_itself(tmp_path):
    root = revision(tmp_path, a__b="HERE = 'now'", c="HERE = 'elsewhere'")
    assert Side(root).modules == {}
    with restored(), Side(root).importing():
        from core.a.b import HERE

        assert HERE == "now"


def test_every_name_that_moved_is_one_of_this_checkout():
    gone = [name for name in moved.MOVED if not moved.is_there(CHECKOUT, name)]
    assert gone == [], "moved again: name where it is now"
