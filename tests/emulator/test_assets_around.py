"""What lies around the assets, through the unmodified SDK: the workspace, datastores, connections, registries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import emulating
import httpx
import pytest

from core.emulator import blobs
from core.emulator.assets.uris import ARTIFACTS, artifacts_of
from core.emulator.entra import signed
from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def test_the_workspace_shows_its_keys_and_is_described_anew(ml: MLClient) -> None:
    found = ml.workspaces.get()
    assert [each.name for each in ml.workspaces.list()] == [found.name]
    assert ml.workspaces.get_keys().user_storage_key
    ml.workspaces.begin_sync_keys().result()
    assert ml.workspaces.begin_diagnose(found.name).result().storage_account_results == []
    found.description = "For us"
    assert ml.workspaces.begin_update(found).result().description == "For us"
    assert ml.workspaces.get().description == "For us"


def test_a_workspace_is_never_deleted(ml: MLClient) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="one workspace"):
        ml.workspaces.begin_delete(ml.workspace_name, delete_dependent_resources=False).result()


def test_datastores_are_made_used_and_deleted(ml: MLClient) -> None:
    from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore
    from azure.core.exceptions import ResourceNotFoundError

    assert ml.datastores.get_default().name == "workspaceblobstore"
    assert len({each.name for each in ml.datastores.list()}) == 4
    store = AzureBlobDatastore(
        name="theirs", account_name="otheraccount", container_name="rows",
        credentials=AccountKeyConfiguration(account_key="dGhpcw=="),
    )  # fmt: skip
    ml.datastores.create_or_update(store)
    assert ml.datastores.get("THEIRS", include_secrets=True).credentials.account_key == "dGhpcw=="
    ml.datastores.delete("theirs")
    with pytest.raises(ResourceNotFoundError, match="Could not find datastore: theirs"):
        ml.datastores.get("theirs")


def test_connections_keep_their_keys_apart(ml: MLClient) -> None:
    from azure.ai.ml.entities import ApiKeyConfiguration, WorkspaceConnection

    wanted = WorkspaceConnection(
        name="search", type="custom", target="https://example.org", credentials=ApiKeyConfiguration(key="k"),
        metadata={"a": "b"},
    )  # fmt: skip
    ml.connections.create_or_update(wanted)
    assert ml.connections.get("search").credentials.key is None
    assert ml.connections.get("search", populate_secrets=True).credentials.key == "k"
    assert [each.name for each in ml.connections.list()] == ["search"]
    ml.connections.delete("search")
    assert list(ml.connections.list()) == []


def test_azures_registry_can_be_read_and_not_written(running: Running) -> None:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Environment
    from azure.core.exceptions import HttpResponseError
    from azure.identity import ClientSecretCredential

    names = running.emulation.names
    credential = ClientSecretCredential(names.tenant, names.client, running.emulation.secret)
    registry = MLClient(credential, registry_name="azureml", enable_telemetry=False)
    assert "sklearn-1.5" in {each.name for each in registry.environments.list()}
    assert registry.environments.get("sklearn-1.5", label="latest").version == "25"
    assert list(registry.models.list()) == []
    with pytest.raises(HttpResponseError):
        registry.environments.create_or_update(Environment(name="mine", version="1", image="ubuntu"))


def test_feature_stores_are_refused_by_name(ml: MLClient) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="The emulation has no feature stores"):
        list(ml.feature_sets.list())


def test_artifacts_are_listed_and_opened(running: Running, tmp_path: Path) -> None:
    emulation = running.emulation
    run, names = "sad_bee", emulation.names
    blobs.write(emulation, ARTIFACTS, f"{artifacts_of(run)}/outputs/größe.txt", b"1")
    base = f"https://{names.api_host}/artifact/v2.0{names.workspace_path}/artifacts"
    token = signed(emulation, "https://ml.azure.com", emulation.clock.now() + 60)
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        found = client.get(f"{base}/ExperimentRun/dcid.{run}", params={"path": "outputs"}).json()["value"]
        assert [each["path"] for each in found] == ["outputs/größe.txt"]
        info = client.get(f"{base}/contentinfo/ExperimentRun/dcid.{run}/outputs/größe.txt").json()
        made = client.post(f"{base}/batch/metadata/ExperimentRun/dcid.{run}", json={"paths": [{"path": "new"}]}).json()
        assert client.get(f"{base}/content/ExperimentRun/dcid.{run}/none").status_code == 404
    assert httpx.get(info["contentUri"]).content == b"1"
    where = made["artifactContentInformation"]["new"]["contentUri"]
    assert httpx.put(where, content=b"2", headers={"x-ms-blob-type": "BlockBlob"}).status_code == 201
    assert blobs.read(emulation, ARTIFACTS, f"{artifacts_of(run)}/new") == b"2"


def test_what_was_there_is_there_after_a_restart(tmp_path: Path, table: Path) -> None:
    from azure.ai.ml.entities import Data

    with emulating.emulation(tmp_path / "home") as running:
        emulating.ml_client(running).data.create_or_update(Data(path=str(table), type="mltable", name="kept"))
    with emulating.emulation(tmp_path / "home") as running:
        ml = emulating.ml_client(running)
        assert ml.data.get("kept", label="latest").version == "1"
        assert ml.data.create_or_update(Data(path=str(table), type="mltable", name="kept")).version == "2"
