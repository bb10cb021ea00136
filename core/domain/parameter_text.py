"""A parameter's value that came as text: from a command line, or from a client that sends all values so."""

import json
import math
import re
from typing import Any

from core.domain.pipeline import ParameterType

WHOLE = re.compile(r"[+-]?\d{1,18}")


def from_text(text: str, kind: ParameterType | None) -> Any:
    """The value that the text means for this type; the text itself where it means none, for the type's check to refuse.

    A list is written in JSON.
    """
    if kind is ParameterType.INTEGER and WHOLE.fullmatch(text):
        return int(text)
    if kind is ParameterType.BOOLEAN and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind not in (ParameterType.NUMBER, ParameterType.LIST):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    sound = number if kind is ParameterType.NUMBER else isinstance(value, list)
    return value if sound else text
