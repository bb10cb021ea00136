"""Labels and probabilities that stand beside each other in one answer, as many servers reply."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

CHANCES = re.compile(r"(?i)prob|chance|likelihood")
LABEL = re.compile(r"(?i)label|class|categor|predict|result|output|answer")


class Told(NamedTuple):
    """What one answer tells."""

    chances: list[float]
    """One alone where the answer tells only that of its label, or of one class."""
    classes: list[str] | None
    """Whose they are, where they stand under the names of classes."""
    label: Any
    """None where it tells no label, or several."""


def told(answer: Any) -> Told | None:
    """The probabilities in an answer and the label beside them; None where it tells none."""
    if not isinstance(answer, Mapping):
        return None
    for name, value in answer.items():
        if not CHANCES.search(name):
            continue
        cells = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
        if cells and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells):
            return Told(
                [float(cell) for cell in cells], list(value) if isinstance(value, Mapping) else None, _label(answer)
            )
    return None


def _label(answer: Mapping[str, Any]) -> Any:
    named = [value for name, value in answer.items() if LABEL.search(name) and not CHANCES.search(name)]
    return named[0] if len(named) == 1 and isinstance(named[0], str | int | float) else None
