"""The pipeline that a command names: a shipped definition, or a file with the code that its steps bring along."""

from collections.abc import Mapping
from pathlib import Path

from core.domain.errors import PipelineNotFound, SpecInvalid
from core.domain.pipeline import PipelineSpec


def definition(named: str) -> tuple[PipelineSpec, Mapping[str, bytes]]:
    """A shipped definition by its name, else a file, and the archive of each step's code.

    A Python file is run: it is the caller's own. Raises PipelineNotFound, SpecInvalid.
    """
    from core.definitions import parse_definition, shipped  # YAML is loaded only where a definition is read
    from core.definitions.code import packed
    from core.definitions.python_file import load_python

    known = {spec.name: spec for spec in shipped()}
    if named in known:
        return known[named], {}
    path = Path(named).expanduser()
    try:
        found = load_python(path) if path.suffix == ".py" and path.is_file() else parse_definition(_text(path), named)
    except (OSError, ValueError) as e:
        raise PipelineNotFound(
            f"There is no file and no shipped definition '{named}'", hint=f"Shipped: {', '.join(known)}"
        ) from e
    return found.spec, packed(found.code, path.parent)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as e:
        raise SpecInvalid(f"{path} is not UTF-8 text") from e
