"""Models, environments, components and code through the unmodified SDK."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.emulator import blobs
from core.emulator.assets import folder_of
from core.emulator.assets.uris import ARTIFACTS, artifacts_of
from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

MLMODEL = """\
flavors:
  python_function:
    loader_module: mlflow.lightgbm
    python_version: 3.11.4
  lightgbm:
    lgb_version: 4.3.0
model_uuid: 1
"""


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL, "utf-8")
    (folder / "data" / "trees größer.txt").write_text("tree", "utf-8")
    (folder / "empty").write_bytes(b"")
    return folder


def test_a_folder_is_registered_listed_and_downloaded(ml: MLClient, model_folder: Path, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    first = ml.models.create_or_update(
        Model(path=str(model_folder), type="mlflow_model", name="trees", tags={"a": "b"})
    )
    second = ml.models.create_or_update(Model(path=str(model_folder), type="mlflow_model", name="trees"))
    assert (first.version, second.version) == ("1", "2")
    assert ml.models.get("trees", label="latest").version == "2"
    assert [each.version for each in ml.models.list("trees")] == ["2", "1"]
    assert set(ml.models.get("TREES", "1").flavors) == {"python_function", "lightgbm"}
    ml.models.download("trees", "1", str(tmp_path / "down"))
    back = tmp_path / "down" / "trees" / "model"
    assert (back / "data" / "trees größer.txt").read_text() == "tree"
    assert (back / "empty").read_bytes() == b""


def test_the_model_of_a_job_knows_the_job_and_its_flavors(running: Running, ml: MLClient, model_folder: Path) -> None:
    from azure.ai.ml.entities import Model

    emulation = running.emulation
    blobs.write_folder(emulation, ARTIFACTS, f"{artifacts_of('olive_sun')}/outputs/mlflow-model", model_folder)
    uri = "azureml://jobs/olive_sun/outputs/artifacts/paths/outputs/mlflow-model/"
    made = ml.models.create_or_update(Model(path=uri, type="mlflow_model", name="of-a-job"))
    assert made.job_name == "olive_sun"
    assert "/datastores/workspaceartifactstore/paths/ExperimentRun/dcid.olive_sun/outputs/mlflow-model" in made.path
    assert made.flavors["lightgbm"] == {"lgb_version": "4.3.0"}
    assert (folder_of(emulation, made.id) / "MLmodel").read_text() == MLMODEL


def test_where_a_model_lies_cannot_change(ml: MLClient, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model
    from azure.core.exceptions import ResourceExistsError

    for text in ("one", "two"):
        (tmp_path / text).write_text(text)
    ml.models.create_or_update(Model(path=str(tmp_path / "one"), name="fixed", version="1"))
    with pytest.raises(ResourceExistsError, match="modelUri cannot be changed"):
        ml.models.create_or_update(Model(path=str(tmp_path / "two"), name="fixed", version="1"))
    again = ml.models.create_or_update(Model(path=str(tmp_path / "one"), name="fixed", version="1", tags={"x": "y"}))
    assert again.tags == {"x": "y"}


def test_what_is_archived_is_listed_apart(ml: MLClient, tmp_path: Path) -> None:
    from azure.ai.ml.constants import ListViewType
    from azure.ai.ml.entities import Model

    (tmp_path / "weights").write_text("1")
    for _ in range(2):
        ml.models.create_or_update(Model(path=str(tmp_path / "weights"), name="old"))
    ml.models.archive("old", "1")
    assert [each.version for each in ml.models.list("old")] == ["2"]
    assert [each.version for each in ml.models.list("old", list_view_type=ListViewType.ARCHIVED_ONLY)] == ["1"]
    ml.models.restore("old", "1")
    assert len(list(ml.models.list("old", list_view_type=ListViewType.ALL))) == 2
    ml.models.archive("old")
    assert "old" not in {each.name for each in ml.models.list()}


def test_an_environment_has_a_new_version_when_its_image_changes(ml: MLClient) -> None:
    from azure.ai.ml.entities import Environment

    conda = {"name": "x", "dependencies": ["python=3.11", {"pip": ["slipway"]}]}
    made = [
        ml.environments.create_or_update(Environment(name="mine", image=image, conda_file=conda))
        for image in ("ubuntu:22.04", "ubuntu:22.04", "ubuntu:24.04")
    ]
    assert [each.version for each in made] == ["1", "1", "2"]
    assert ml.environments.get("mine", label="latest").image == "ubuntu:24.04"
    assert ml.environments.get("mine", "1").conda_file == conda


def test_curated_environments_are_there(ml: MLClient) -> None:
    assert "sklearn-1.5" in {each.name for each in ml.environments.list()}
    assert ml.environments.get("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", label="latest").version == "33"


def test_a_component_and_its_code_are_registered(running: Running, ml: MLClient, tmp_path: Path) -> None:
    from azure.ai.ml import Input, command

    code = tmp_path / "src"
    code.mkdir()
    (code / "run.py").write_text("print(1)\n")
    step = command(
        command="python run.py --rows ${{inputs.rows}}", code=str(code), environment="sklearn-1.5@latest",
        inputs={"rows": Input(type="integer", default=3)}, name="step",
    )  # fmt: skip
    made = ml.components.create_or_update(step.component)
    again = ml.components.create_or_update(step.component)
    assert made.version != again.version
    assert made.code == again.code
    assert made.environment.endswith("/environments/sklearn-1.5/versions/25")
    assert made.inputs["rows"]["default"] == 3
    assert (folder_of(running.emulation, made.code) / "run.py").read_text() == "print(1)\n"
    assert ml.components.get("step", label="latest").version == again.version
    ml.components.download("step", version=made.version, download_path=tmp_path / "down")
    assert next((tmp_path / "down").rglob("run.py")).read_text() == "print(1)\n"


def test_a_component_without_a_name_has_one_of_its_content(ml: MLClient) -> None:
    from azure.ai.ml import command

    def step(text: str) -> object:
        made = command(command=f"echo {text}", environment="sklearn-1.5@latest").component
        return ml.components.create_or_update(made, version=None, is_anonymous=True)

    first, again, other = step("a"), step("a"), step("b")
    assert first.id == again.id != other.id
    assert "azureml_anonymous" not in {each.name for each in ml.components.list()}
