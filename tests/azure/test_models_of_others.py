"""A model that somebody else registered on Azure ML is fetched, and imported here."""

from pathlib import Path

import azure_models
import emulating
import numpy as np
import pytest
import xgboost
import yaml

from core.azure.preflight import preflight
from core.azure.workspace import open_azure
from core.domain.errors import SpecInvalid
from core.domain.monitoring import FindingState
from core.domain.signature import PARITY_LIMIT
from core.emulator.server import Running
from core.local.workspace import open_local
from core.packaging.mlflow import OF_AZURE
from core.predict.folder import load_model
from core.settings import read_settings
from core.workspace import Workspace

X = np.random.default_rng(5).normal(size=(100, 2))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with emulating.emulation(tmp_path_factory.mktemp("emulated")) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return open_local(read_settings({"SLIPWAY_HOME": str(tmp_path / "here"), "SLIPWAY_OFFLINE": "1"}))


def theirs(running: Running, client: Workspace, name: str, folder: Path, into: Path) -> Path:
    """What `model package` fetches of a model that the SDK alone has registered."""
    from azure.ai.ml.entities import Model

    emulating.ml_client(running).models.create_or_update(Model(name=name, path=str(folder), type="mlflow_model"))
    return client.models.package(name, 1, into)


def saved(folder: Path, **options: str) -> Path:
    """What `mlflow.xgboost.save_model` leaves, but for the model's own file."""
    folder.mkdir()
    inputs = '[{"name": "age", "type": "double"}, {"name": "income", "type": "double"}]'
    flavors = {"xgboost": options, "python_function": {"loader_module": "mlflow.xgboost"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors, "signature": {"inputs": inputs}}))
    return folder


def test_a_native_booster_of_somebody_else_is_packaged_and_imported(running: Running, here: Workspace, tmp_path: Path):
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, X[:, 0] > 0), 5)
    folder = saved(tmp_path / "theirs", data="model.ubj", model_class="xgboost.core.Booster")
    booster.save_model(folder / "model.ubj")
    client = open_azure(emulating.client_settings(tmp_path / "client"))
    fetched = theirs(running, client, "theirs", folder, tmp_path / "got")
    model = here.models.import_folder("theirs", fetched)
    assert [column.name for column in model.signature.used] == ["age", "income"]
    served = load_model(here.models.package("theirs", model.version, tmp_path / "again"))
    own = booster.predict(xgboost.DMatrix(X))
    assert np.abs(served.probabilities([X[:, 0].tolist(), X[:, 1].tolist()])[:, 1] - own).max() <= PARITY_LIMIT
    assert here.models.import_folder("theirs", fetched) == model


def test_a_pickle_of_somebody_else_is_refused_with_the_way_out(running: Running, here: Workspace, tmp_path: Path):
    folder = saved(tmp_path / "pickled", data="model.pkl")
    (folder / "model.pkl").write_bytes(b"\x80\x04.")
    client = open_azure(emulating.client_settings(tmp_path / "client"))
    fetched = theirs(running, client, "pickled", folder, tmp_path / "got")
    with pytest.raises(SpecInvalid, match="is a pickle") as caught:
        here.models.import_folder("pickled", fetched)
    assert "enable_onnx_compatible_models=True" in caught.value.hint


def test_a_model_of_ours_installs_what_azures_server_imports(tmp_path: Path):
    folder = azure_models.model_folder(tmp_path / "model")
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    assert set(OF_AZURE) <= set(conda["dependencies"][-1]["pip"])
    assert {finding.state for finding in preflight(folder, dry=False)} == {FindingState.OK}
