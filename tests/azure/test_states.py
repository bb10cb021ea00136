"""The SDK tells a state as a text, or as one of its enumerations; both are understood."""

from enum import Enum

import pytest

from core.azure.serving import DEPLOYMENT_STATES, word


class Provisioning(str, Enum):  # noqa: UP042 - as the SDK writes it; a StrEnum's text is its value
    SUCCEEDED = "Succeeded"


@pytest.mark.parametrize("state", ["Succeeded", "succeeded", Provisioning.SUCCEEDED])
def test_a_state_is_a_word(state):
    assert word(state) in DEPLOYMENT_STATES


def test_no_state_is_no_word():
    assert word(None) == ""
