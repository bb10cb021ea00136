"""This machine: the SDK and what disturbs it, the settings, and what is left of the SDK v1."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path

from core.azure import known
from core.azure.context import Context
from core.azure.doctor import commands
from core.azure.doctor.finding import beware, failed, fine
from core.domain.errors import SpecInvalid
from core.domain.monitoring import Finding

SDK = "azure-ai-ml"
SDK_FROM, SDK_BELOW = (1, 35, 2), (1, 36)
V1_PACKAGES = ("azureml-core", "azureml-sdk", "azureml-pipeline", "azureml-train-automl-client")
MLFLOW_TESTED_BELOW = (3,)
FILES_MAX, FILE_MAX_BYTES, SHOWN = 2000, 500_000, 5
_V1_CODE = re.compile(rb"(^|\")[ \t]*(from|import) azureml\.(core|pipeline|train|data|widgets)\b", re.MULTILINE)
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv"})


def look(context: Context, folder: Path) -> Iterator[Finding]:
    """All of it; `folder` is where the user stands."""
    yield _sdk()
    yield from _disturbing()
    yield from _v1_installed()
    yield from _v1_files(folder)
    yield _target(context)


def installed(name: str) -> str:
    """A package's version; empty where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])


def _sdk() -> Finding:
    found = installed(SDK)
    wanted = '"azure-ai-ml>=1.35.2,<1.36"'
    if not found:
        return failed("SDK", f"{SDK} is not installed", hint=f"make setup, or: pip install {wanted} azure-identity")
    if not SDK_FROM <= numbers(found) < SDK_BELOW:
        return beware("SDK", f"{SDK} {found} is another version than Slipway was tested with", f"pip install {wanted}")
    return fine("SDK", f"{SDK} {found}, azure-identity {installed('azure-identity')}")


def _disturbing() -> Iterator[Finding]:
    """Packages that Slipway does not need, and that spoil models or installs."""
    if found := installed("azureml-mlflow"):
        yield beware("azureml-mlflow", f"{found} is installed. {known.MLFLOW_CAP.cause}", known.MLFLOW_CAP.way_out)
    mlflow = installed("mlflow") or installed("mlflow-skinny")
    if mlflow and numbers(mlflow) >= MLFLOW_TESTED_BELOW:
        yield beware(
            "MLflow",
            f"mlflow {mlflow} is installed: what it logs to Azure ML fails, and what it saves does not deploy there."
            f" {known.LOGGED_MODELS.cause}",
            known.LOGGED_MODELS.way_out,
        )


def _v1_installed() -> Iterator[Finding]:
    if found := [f"{name} {at}" for name in V1_PACKAGES if (at := installed(name))]:
        yield beware(
            "SDK v1",
            f"{', '.join(found)} of the SDK v1 is installed. {known.SDK_V1.cause}",
            f"pip uninstall {' '.join(V1_PACKAGES)}. {known.SDK_V1.way_out}",
        )


def _v1_files(folder: Path) -> Iterator[Finding]:
    code, settings = v1_code(folder), v1_settings(folder)
    if code or settings:
        said = []
        if code:
            said.append(f"{_some(code, folder)} import the SDK v1")
        if settings:
            said.append(f"{_some(settings, folder)} are settings of the SDK v1, which v2 does not read")
        yield beware("SDK v1 files", f"{'; '.join(said)}. {known.SDK_V1.cause}", known.SDK_V1.way_out)


def v1_code(folder: Path) -> list[Path]:
    """Python files and notebooks below a folder that import the SDK v1."""
    wanted = (path for path in _files(folder) if path.suffix in (".py", ".ipynb"))
    return [path for path in wanted if _V1_CODE.search(_read(path).replace(b'\\"', b'"'))]


def v1_settings(folder: Path) -> list[Path]:
    """Files of settings that only the SDK v1 reads."""
    found = [path for path in _files(folder) if path.suffix == ".runconfig" or path.parent.name == "aml_config"]
    return [path for path in found if path.name != "config.json"]


def _files(folder: Path) -> Iterable[Path]:
    def below(at: Path, depth: int) -> Iterator[Path]:
        try:
            entries = sorted(at.iterdir())
        except OSError:
            return
        for entry in entries:
            hidden = entry.name.startswith(".") and entry.name != ".azureml"
            if entry.is_dir() and not entry.is_symlink() and depth and not hidden and entry.name not in _SKIPPED:
                yield from below(entry, depth - 1)
            elif entry.is_file():
                yield entry

    return islice(below(folder, 4), FILES_MAX)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(FILE_MAX_BYTES)
    except OSError:
        return b""


def _some(paths: list[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths[:SHOWN]]
    return ", ".join(names) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")


def _target(context: Context) -> Finding:
    try:
        target = context.target
    except SpecInvalid as e:
        return failed(
            "Settings",
            e.message,
            f"{e.hint}. Where there is no workspace yet: {commands.make_workspace(commands.UNKNOWN)}",
        )
    where = context.settings.azure_config or "the settings"
    return fine(
        "Settings",
        f"Workspace {target.workspace} in group {target.resource_group} of subscription {target.subscription},"
        f" from {where}",
    )
