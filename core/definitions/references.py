"""`${parameter}` in a step's settings: found, and replaced by a run's values.

A value that is nothing but a reference takes the parameter's value with its type; inside longer text it is written as
text. In a list, a reference to a list gives all its entries.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

REFERENCE = re.compile(r"\$\{([^\W\d]\w*)\}")


def referred(value: Any) -> Iterator[str]:
    """The parameters that a setting's value names, at any depth."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from referred(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from referred(item)


def whole(value: Any) -> str:
    """The parameter that a value is nothing but a reference to; empty for any other."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with all that `values` gives; other references stay as they are."""
    if isinstance(value, Mapping):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return list(_items(value, values))
    if not isinstance(value, str):
        return value
    if (name := whole(value)) in values:
        return values[name]
    return REFERENCE.sub(lambda found: _text(values[found[1]]) if found[1] in values else found[0], value)


def filled_words(value: Any, values: Mapping[str, Any]) -> Any:
    """A list whose entries are texts, filled: a number becomes the text that people write."""
    made = filled(value, values)
    return [_text(item) for item in made] if isinstance(made, list) else made


def _items(items: list[Any] | tuple[Any, ...], values: Mapping[str, Any]) -> Iterator[Any]:
    for item in items:
        made = filled(item, values)
        if whole(item) and isinstance(made, list):
            yield from made
        else:
            yield made


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
