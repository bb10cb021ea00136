"""The app as a visitor drives it: through `app.py`, over a fake workspace that the settings name."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from bank_story import fill
from fakes import OPENED, FakeWorkspace, open_fake
from streamlit.testing.v1 import AppTest

from core.settings import CHECKOUT, read_settings
from core.workspace import BACKENDS

Visit = Callable[..., AppTest]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeWorkspace:
    """An empty workspace, which the app opens."""
    monkeypatch.setitem(BACKENDS, "fake", ("fakes:open_fake", ""))  # type: ignore[arg-type]  # a plain dict behind it
    monkeypatch.setenv("SLIPWAY_WORKSPACE", "fake")
    settings = read_settings(os.environ)
    open_fake(settings)
    return OPENED[settings.home]


@pytest.fixture
def bank(fake: FakeWorkspace) -> FakeWorkspace:
    """The Bank Marketing lifecycle some minutes after it went live, in the workspace that the app opens."""
    return fill(fake, time.time())


@pytest.fixture(scope="session")
def components() -> Any:
    """What `AppTest` knows of installed components: each would read the metadata of every package, for 0.5 s."""
    return AppTest.from_string("").run()._bidi_component_manager


@pytest.fixture
def visit(fake: FakeWorkspace, components: Any) -> Visit:
    """Open a page as a deep link to a fresh server does, without `app.py`; `warm`: by way of the app's first page."""

    def go(page: str, *, warm: bool = False, **query: str) -> AppTest:
        app = AppTest.from_file(str(CHECKOUT / "app.py"), default_timeout=30)
        app._bidi_component_manager = components
        if warm:
            app.run()
        for name, value in query.items():
            app.query_params[name] = value
        return app.switch_page(f"pages/{page}.py").run()

    return go
