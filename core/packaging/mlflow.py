"""The model folder as an MLflow model: `MLmodel` and its environment, in the layout that MLflow 2 and 3 read.

MLflow itself is not needed to write it. There is no pickle: the python_function flavour imports the code beside it.
"""

import platform
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

PACKAGES = ("numpy", "msgspec")
"""All that the folder's own code needs."""
OF_AZURE = ("azureml-inference-server-http", "azureml-ai-monitoring")
"""What Azure's no-code server imports, and installs from `conda.yaml` alone."""
CODE = ("domain", "contract", "predict")
LOADER = "core.packaging.pyfunc"
MLFLOW_VERSION = "2.22.0"
"""The layout's version: MLflow 3 reads what MLflow 2 wrote, the reverse fails (Azure's no-code deployment runs 2)."""

_TYPES: Mapping[ColumnKind, str] = {
    ColumnKind.INTEGER: "long",
    ColumnKind.NUMBER: "double",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.STRING: "string",
}


def write_flavor(folder: Path, signature: Signature, *, job_id: str, created_at: float) -> None:
    """Write `MLmodel`, `requirements.txt`, `conda.yaml`, `python_env.yaml` and `code/` into a model folder."""
    pinned = [f"{name}=={version(name)}" for name in PACKAGES]
    python = platform.python_version()
    (folder / "requirements.txt").write_text("\n".join(pinned) + "\n")
    _write_yaml(folder / "python_env.yaml", {"python": python, "dependencies": ["-r requirements.txt"]})
    conda = {
        "name": "slipway-model",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": [*pinned, *OF_AZURE]}],
    }
    _write_yaml(folder / "conda.yaml", conda)
    _write_yaml(folder / "MLmodel", _mlmodel(signature, python, job_id, created_at))
    _copy_code(folder / "code" / "core")


def _mlmodel(signature: Signature, python: str, job_id: str, created_at: float) -> dict[str, Any]:
    return {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "code": "code",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": LOADER,
                "python_version": python,
            }
        },
        "mlflow_version": MLFLOW_VERSION,
        "model_uuid": uuid.uuid5(uuid.NAMESPACE_URL, f"slipway:{job_id}:{created_at!r}").hex,
        "run_id": job_id,
        "signature": _signature(signature),
        "utc_time_created": f"{datetime.fromtimestamp(created_at, UTC):%Y-%m-%d %H:%M:%S.%f}",
    }


def _signature(signature: Signature) -> dict[str, str]:
    """JSON inside the YAML. Columns that the model does not read are left out, since MLflow ignores extra ones."""
    inputs = [{"name": c.name, "type": _type(c), "required": not c.nullable} for c in signature.used]
    outputs = [{"type": _class_type(signature.classes[0] if signature.classes else 0.0), "required": True}]
    method = [{"name": "method", "type": "string", "default": "predict", "shape": None}]
    parts = {"inputs": inputs, "outputs": outputs, "params": method}
    return {name: msgspec.json.encode(part).decode() for name, part in parts.items()}


def _type(column: Column) -> str:
    """In a frame an integer column with a missing cell is one of floats, which MLflow refuses as `long`."""
    if column.kind is ColumnKind.INTEGER and column.nullable:
        return "double"
    return _TYPES[column.kind]


def _class_type(value: Scalar) -> str:
    return {bool: "boolean", int: "long", float: "double"}.get(type(value), "string")


def _copy_code(target: Path) -> None:
    """The rooms that a model needs to answer, as they were when it was made."""
    source = Path(__file__).resolve().parent.parent
    for path in (source / "__init__.py", *(p for room in CODE for p in sorted((source / room).glob("*.py")))):
        _copy(path, target / path.relative_to(source))
    for name in ("__init__.py", "pyfunc.py"):
        _copy(source / "packaging" / name, target / "packaging" / name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(values), sort_keys=True))
