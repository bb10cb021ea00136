"""The AutoML engines by name, imported only when chosen."""

from collections.abc import Mapping
from importlib import import_module

from core.domain.errors import SpecInvalid
from core.ml.search import Search

ENGINES: Mapping[str, str] = {"portfolio": "core.ml.search:search"}
"""Name -> `module:function`; a function with the signature of `core.ml.search.search`."""


def load_engine(name: str, engines: Mapping[str, str] = ENGINES) -> Search:
    """The engine of that name. Raises SpecInvalid that names those there are."""
    if name not in engines:
        raise SpecInvalid(f"There is no AutoML engine '{name}'", hint=f"Choose one of: {', '.join(sorted(engines))}")
    module, _, function = engines[name].partition(":")
    engine: Search = getattr(import_module(module), function)
    return engine
