"""Call one function and keep what it returns: the program of a Python step. Nothing of Slipway is loaded here.

The environment names a JSON file with the function's keywords and a folder for what it gives; see `own_code`.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any


def call(function: str, told: Mapping[str, Any]) -> Any:
    """What the function returns; an input that lies somewhere comes as its path."""
    module, _, name = function.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    inputs = {name: given.get("path", given["value"]) for name, given in told["inputs"].items()}
    return found(**told["arguments"], **inputs)


def keep(returned: Any, types: Mapping[str, str], outputs: Path) -> None:
    """Plain values in `outputs.json`, files in the folder under their outputs' names."""
    if returned is None:
        returned = {}
    if not isinstance(returned, Mapping):
        raise TypeError(f"The function returned {type(returned).__name__}, expected a mapping of its outputs")
    plain = {}
    for name, value in returned.items():
        if types.get(name) == "file":
            _place(Path(value), outputs / name)
        else:
            plain[name] = value
    written = outputs / "outputs.json"
    if plain or not written.exists():
        written.write_text(json.dumps(plain, default=_plain, allow_nan=False), "utf-8")


def _place(given: Path, path: Path) -> None:
    """What a function names by its path is copied, unless it lies where it should."""
    if given.resolve() == path.resolve():
        return
    if given.is_dir():
        shutil.copytree(given, path)
    else:
        shutil.copyfile(given, path)


def _plain(value: Any) -> Any:
    """A number of NumPy's as JSON's own."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON value; give it as a file")


def main() -> None:
    """Do it for the function that the first argument names."""
    sys.path.insert(0, os.getcwd())
    told = json.loads(Path(os.environ["SLIPWAY_STEP_INPUTS"]).read_text("utf-8"))
    keep(call(sys.argv[1], told), told["outputs"], Path(os.environ["SLIPWAY_STEP_OUTPUTS"]))


if __name__ == "__main__":
    main()
