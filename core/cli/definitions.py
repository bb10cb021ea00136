"""The pipeline that a command names: a shipped definition, or a file."""

from pathlib import Path

from core.domain.errors import PipelineNotFound, SpecInvalid
from core.domain.pipeline import PipelineSpec


def definition(named: str) -> PipelineSpec:
    """A shipped definition by its name, else a file. Raises PipelineNotFound, SpecInvalid."""
    from core.definitions import parse_pipeline, shipped  # YAML is loaded only where a definition is read

    known = {spec.name: spec for spec in shipped()}
    if named in known:
        return known[named]
    try:
        return parse_pipeline(Path(named).read_text("utf-8"))
    except OSError as e:
        raise PipelineNotFound(
            f"There is no file and no shipped definition '{named}'", hint=f"Shipped: {', '.join(known)}"
        ) from e
    except UnicodeDecodeError as e:
        raise SpecInvalid(f"{named} is not UTF-8 text") from e
