"""A pipeline's Python file, run to have its `pipeline`: somebody's own file, on their own command line alone."""

import sys
import traceback
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from core.definitions.builder import Pipeline
from core.definitions.parsing import Definition
from core.domain.errors import SlipwayError, SpecInvalid


def load_python(path: Path) -> Definition:
    """What the file's `pipeline` defines. Raises SpecInvalid, also for whatever the file itself raises."""
    module = _run(path)
    pipeline = getattr(module, "pipeline", None)
    if not isinstance(pipeline, Pipeline):
        raise SpecInvalid(f"{path} has no `pipeline`", hint='pipeline = Pipeline("Name"), from core.definitions')
    return pipeline.definition()


def _run(path: Path) -> ModuleType:
    name, folder = path.stem, str(path.resolve().parent)
    if not name.isidentifier():
        raise SpecInvalid(f"'{path.name}' is not a module's name", hint="Letters, digits and _, a letter first")
    found = spec_from_file_location(name, path.resolve())
    assert found is not None
    assert found.loader is not None
    module, before = module_from_spec(found), dict(sys.modules)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        found.loader.exec_module(module)
    except SlipwayError as e:
        raise SpecInvalid(f"{_where(path, e)}: {e.message}", hint=e.hint) from e
    except (Exception, SystemExit) as e:
        raise SpecInvalid(f"{_where(path, e)}: {type(e).__name__}: {e}") from e
    finally:
        sys.path.remove(folder)
        _forget(folder, before)
    return module


def _forget(folder: str, before: Mapping[str, ModuleType]) -> None:
    """What was imported from the file's folder is no module of ours: another file's may have the same name."""
    for name, module in list(sys.modules.items()):
        if before.get(name) is module or not str(getattr(module, "__file__", None) or "").startswith(f"{folder}/"):
            continue
        if name in before:
            sys.modules[name] = before[name]
        else:
            del sys.modules[name]


def _where(path: Path, error: BaseException) -> str:
    """The file, with the line of it that the error came from."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{path}, line {error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path.resolve()
    ]
    return f"{path}, line {lines[-1]}" if lines else str(path)
