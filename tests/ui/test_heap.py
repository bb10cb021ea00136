"""The collector that Streamlit runs after every click is spared what lives as long as the process."""

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from core.ui.shell import heap


@pytest.fixture(autouse=True)
def _thawed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heap._settled, "modules", 0)
    yield
    gc.unfreeze()


def test_what_was_imported_is_left_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heap.settle()
    settled = gc.get_freeze_count()
    held = [[number] for number in range(1000)]
    heap.settle()
    assert settled > 100_000
    assert gc.get_freeze_count() <= settled, f"{len(held)} lists of a run were frozen"
    monkeypatch.setitem(sys.modules, "imported_later", ModuleType("imported_later"))
    heap.settle()
    assert gc.get_freeze_count() > settled + 900


def test_the_frame_of_a_page_settles_the_heap() -> None:
    from core.ui.shell import frame

    assert "settle" in frame.frame.__code__.co_names
