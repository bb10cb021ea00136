"""All of this folder asks how what was seen is judged, not how much is seen."""

import pytest


@pytest.fixture(autouse=True)
def _less_effort(less_effort: None) -> None:
    """In a quick run."""
