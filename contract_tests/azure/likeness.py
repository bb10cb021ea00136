"""Whether two answers have the same shape: which fields there are, and of which types."""

from collections.abc import Iterator
from typing import Any

from contract_tests.azure.words import named

FREE = frozenset({"tags"})
"""Maps whose keys are the user's, or notes of Azure's own services."""


def differences(recorded: Any, ours: Any, at: str = "") -> Iterator[str]:
    """What was recorded and is otherwise here. What was null may be anything, and more may be said."""
    if recorded is None or recorded == "" or recorded in ({}, []):
        return
    where = at or "the answer"
    if ours is None:
        yield f"{where}: nothing, where {_short(recorded)} is recorded"
    elif named(recorded) != named(ours) and {named(recorded), named(ours)} != {"integer", "number"}:
        yield f"{where}: {named(ours)} {_short(ours)}, where {_short(recorded)} is recorded"
    elif isinstance(recorded, list):
        if not ours:
            yield f"{where}: empty, where {_short(recorded)} is recorded"
        for index, each in enumerate(ours):  # kinds may be mixed, and their order is nobody's promise
            yield from min((list(differences(one, each, f"{at}[{index}]")) for one in recorded), key=len)
    elif isinstance(recorded, dict) and not _free(at):
        for name, each in recorded.items():
            if "." in name:  # a note of a service to itself, such as azureml.isreused
                continue
            yield from differences(each, ours.get(name), f"{at}.{name}" if at else name)


def _free(at: str) -> bool:
    *before, last = at.rsplit(".", 2)
    return last in FREE or (last == "properties" and before[-1:] == ["properties"] and at.count("properties") == 2)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
