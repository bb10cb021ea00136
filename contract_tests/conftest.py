"""What is proven here: the endpoint that the session's quickstart left running."""

import pytest
from living import Live

from core.domain.proof import Target


@pytest.fixture(scope="session")
def live(quickstart: Live) -> Target:
    """The live endpoint as any client knows it: address and key."""
    return Target(quickstart.url, quickstart.key)
