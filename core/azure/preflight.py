"""What a model folder meets in Azure's no-code deployment, found out before it is sent there.

Azure says most of it after twenty minutes and without a cause: the versions that its server cannot load, packages that
it imports and the folder does not install, pickles, and a folder that does not even start here.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from core.azure import known
from core.azure.dry_run import dry_run
from core.domain.errors import SpecInvalid
from core.domain.monitoring import Finding, FindingState

MLMODEL = "MLmodel"
OURS = "core.packaging.pyfunc"
"""The loader of the folders that Slipway writes; another's cannot be run by the local server."""
NEEDED = ("azureml-ai-monitoring", "azureml-inference-server-http")
"""What Azure's no-code server imports."""
PICKLES = (".pkl", ".pickle", ".joblib")
START_TIMEOUT_S = 60.0
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?\s*(==\s*([^\s;,]+))?")


def preflight(folder: Path, *, timeout_s: float = START_TIMEOUT_S, dry: bool = True) -> tuple[Finding, ...]:
    """Everything at once; a finding that failed means that the deployment would fail."""
    model = _mlmodel(folder)
    if isinstance(model, Finding):
        return (model,)
    found = [*_flavours(model), *_versions(folder, model), *_packages(folder), *_pickles(folder, model)]
    if dry and _loader(model) == OURS:
        found.append(_dry(folder, timeout_s))
    return tuple(found)


def check(folder: Path, *, timeout_s: float = START_TIMEOUT_S) -> tuple[Finding, ...]:
    """The same, as a refusal. Raises SpecInvalid with the first cause and its way out."""
    found = preflight(folder, timeout_s=timeout_s)
    if failed := [finding for finding in found if finding.state is FindingState.FAILED]:
        raise SpecInvalid(f"This model would not deploy on Azure ML: {failed[0].detail}", hint=failed[0].hint)
    return found


def _mlmodel(folder: Path) -> Mapping[str, Any] | Finding:
    hint = "Register a model that Slipway trained, or save one with MLflow 2"
    try:
        found = yaml.safe_load((folder / MLMODEL).read_text("utf-8"))
    except FileNotFoundError:
        return Finding("MLmodel", FindingState.FAILED, "There is no MLmodel in the folder", hint)
    except (OSError, ValueError, yaml.YAMLError) as e:
        return Finding("MLmodel", FindingState.FAILED, f"Its MLmodel cannot be read: {e}", hint)
    if not isinstance(found, dict) or not isinstance(found.get("flavors"), dict):
        return Finding("MLmodel", FindingState.FAILED, "Its MLmodel names no flavors", hint)
    return found


def _flavours(model: Mapping[str, Any]) -> Iterator[Finding]:
    flavours = ", ".join(sorted(model["flavors"]))
    if "python_function" not in model["flavors"]:
        yield Finding(
            "Flavor",
            FindingState.FAILED,
            f"It has the flavors {flavours} and no python_function, which Azure's no-code server runs",
            "Save it with the library's own mlflow module, which adds python_function",
        )
    else:
        yield Finding("Flavor", FindingState.OK, flavours)
    if not model.get("signature"):
        yield Finding(
            "Signature",
            FindingState.WARNING,
            "It has no signature: Azure's swagger and its own check of requests are empty",
            "Save it with signature=mlflow.models.infer_signature(inputs, outputs)",
        )


def _versions(folder: Path, model: Mapping[str, Any]) -> Iterator[Finding]:
    written = str(model.get("mlflow_version", ""))
    installed = requirements(folder).get("mlflow") or requirements(folder).get("mlflow-skinny") or ""
    named = {"written by": written, "installs": installed}
    bad = [f"{what} MLflow {version}" for what, version in named.items() if _major(version) >= 3]
    if bad:
        trap = known.MLFLOW_3_MODEL
        yield Finding("MLflow", FindingState.FAILED, f"It is {' and '.join(bad)}. {trap.cause}", trap.way_out)
    elif not written:
        yield Finding("MLflow", FindingState.WARNING, "Its MLmodel does not say which MLflow wrote it")
    else:
        yield Finding("MLflow", FindingState.OK, f"Written for MLflow {written}")


def _packages(folder: Path) -> Iterator[Finding]:
    found = requirements(folder)
    if not (folder / "conda.yaml").exists():
        yield Finding(
            "Requirements",
            FindingState.FAILED,
            "There is no conda.yaml, from which Azure builds the environment",
            "Save the model with MLflow 2, which writes one",
        )
        return
    if missing := [name for name in NEEDED if name not in found]:
        trap = known.MONITORING
        yield Finding("Requirements", FindingState.WARNING, f"{', '.join(missing)} missing: {trap.cause}", trap.way_out)
    if "azureml-mlflow" in found:
        trap = known.MLFLOW_CAP
        yield Finding("Requirements", FindingState.WARNING, trap.cause, trap.way_out)
    if loose := [name for name, version in found.items() if not version and name not in (*NEEDED, "pip")]:
        yield Finding(
            "Requirements",
            FindingState.WARNING,
            f"{', '.join(loose[:5])} without a version: what Azure installs changes from day to day",
            "Pin each with ==",
        )


def requirements(folder: Path) -> dict[str, str]:
    """The packages that a folder's environment installs: name -> exact version, empty where none is named."""
    lines: list[str] = []
    try:
        conda = yaml.safe_load((folder / "conda.yaml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        conda = {}
    for entry in (conda.get("dependencies") or []) if isinstance(conda, dict) else []:
        lines += entry.get("pip") or [] if isinstance(entry, dict) else []
    if any(str(line).startswith("-r") for line in lines) or not lines:
        with suppress(OSError, ValueError):
            lines += (folder / "requirements.txt").read_text("utf-8").splitlines()
    matches = (_REQUIREMENT.match(str(line)) for line in lines if not str(line).lstrip().startswith(("#", "-")))
    return {m.group(1).lower().replace("_", "-"): m.group(4) or "" for m in matches if m}


def _pickles(folder: Path, model: Mapping[str, Any]) -> Iterator[Finding]:
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in PICKLES)
    if found:
        yield Finding(
            "Pickle",
            FindingState.WARNING,
            f"It holds pickles ({', '.join(found[:3])}): they load only with the very versions that wrote them, and"
            " Slipway never opens one",
            "Train with ONNX compatibility, or keep a native booster",
        )


def _dry(folder: Path, timeout_s: float) -> Finding:
    if cause := dry_run(folder, timeout_s):
        return Finding("Dry run", FindingState.FAILED, cause[:1].upper() + cause[1:], "Train or package it anew")
    return Finding("Dry run", FindingState.OK, "The local server starts with it and scores two rows")


def _loader(model: Mapping[str, Any]) -> str:
    flavour = model["flavors"].get("python_function")
    return str(flavour.get("loader_module", "")) if isinstance(flavour, dict) else ""


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found.group()) if found else 0
