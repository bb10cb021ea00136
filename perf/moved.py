"""Names that have moved: the gate runs our benchmarks on an older revision too, which has them where they were."""

from importlib import import_module
from typing import Any


def first(*places: str) -> Any:
    """What the first of these `module:name` names that this revision of `core` has."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"None of {', '.join(places)} is there")
