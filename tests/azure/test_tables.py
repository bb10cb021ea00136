"""Tables on Azure ML: what is sent, what is fetched again, and what others have registered."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import emulating
import pandas as pd
import pytest
import yaml

from core.azure.errors import translated
from core.azure.storage import uploading
from core.azure.workspace import open_azure
from core.domain.data import DataRef
from core.domain.errors import DataNotFound, Forbidden, ServiceUnavailable, SourceUnreadable
from core.emulator.assets import located
from core.emulator.faults import Fault, of_folder
from core.emulator.server import Running
from core.workspace import Workspace


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated")) as started:
        yield started


@pytest.fixture(scope="module")
def workspace(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_azure(emulating.client_settings(tmp_path_factory.mktemp("client")))


@pytest.fixture
def stranger(running: Running, tmp_path: Path) -> Workspace:
    """The same workspace from another machine, which has fetched nothing yet."""
    return open_azure(emulating.client_settings(tmp_path / "another"))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("age,bought\n" + "".join(f"{20 + i},{('no', 'yes')[i % 2]}\n" for i in range(30)))
    return path


def registered_elsewhere(running: Running, folder: Path, name: str, kind: str, **more: Any) -> None:
    from azure.ai.ml.entities import Data

    emulating.ml_client(running).data.create_or_update(Data(name=name, path=str(folder), type=kind, **more))


def test_a_table_is_sent_as_mltable_that_automl_can_read(running, workspace, people):
    asset = workspace.data.register("sent", str(people))
    sent = emulating.ml_client(running).data.get("sent", str(asset.version))
    assert (sent.type, sent.tags["slipway.content"]) == ("mltable", asset.content_id)
    folder = located(running.emulation, str(sent.path)).path(running.emulation)
    described = yaml.safe_load((folder / "MLTable").read_text())
    assert described["paths"] == [{"file": "./table.parquet"}]
    assert "read_parquet" in described["transformations"][0]
    assert list(pd.read_parquet(folder / "table.parquet").columns) == ["age", "bought"]


def test_another_machine_fetches_the_table_and_knows_all_of_it(workspace, stranger, people):
    asset = workspace.data.register("shared", str(people))
    assert stranger.data.get(asset.ref) == asset
    assert stranger.data.profile(asset.ref) == workspace.data.profile(asset.ref)
    assert stranger.data.sample(asset.ref, 1).rows == ((20, "no"),)


def test_what_was_uploaded_is_kept_for_another_machine(workspace, stranger):
    asset = workspace.data.upload("", "Größe.csv", BytesIO(b"a;y\n1,5;n\n2,5;p\n3,5;p\n"))
    again = stranger.data.read_again(asset.ref, asset.reading)
    assert again == asset
    assert stranger.data.get(DataRef("Größe")).origin == "Größe.csv"


@pytest.mark.parametrize("kind", ["uri_file", "uri_folder", "mltable"])
def test_a_table_that_was_registered_elsewhere_is_read_when_it_is_looked_at(running, workspace, tmp_path, kind):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "rows.csv").write_text("age|y\n30|yes\n40|no\n50|no\n")
    if kind == "mltable":
        steps = [{"read_delimited": {"delimiter": "|", "encoding": "utf8", "header": "all_files_same_headers"}}]
        described = {"type": "mltable", "paths": [{"pattern": "./*.csv"}], "transformations": steps}
        (folder / "MLTable").write_text(yaml.safe_dump(described))
    name = f"theirs-{kind.replace('_', '-')}"
    registered_elsewhere(running, folder / "rows.csv" if kind == "uri_file" else folder, name, kind)
    before = workspace.data.get(DataRef(name))
    assert (before.rows, before.columns) == (0, ()), "nothing was fetched to list it"
    assert workspace.data.sample(before.ref, 2).rows == ((30, "yes"), (40, "no"))
    assert workspace.data.profile(before.ref, "y").column("y").distinct == 2
    assert (workspace.data.get(before.ref).rows, workspace.data.get(before.ref).columns) == (3, ("age", "y"))


def test_what_consists_of_several_files_is_refused_in_a_sentence(running, workspace, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in ("one", "two"):
        (folder / f"{part}.csv").write_text("a,y\n1,n\n2,p\n")
    registered_elsewhere(running, folder, "parts", "uri_folder")
    with pytest.raises(SourceUnreadable, match="consists of 2 files"):
        workspace.data.profile(DataRef("parts"))


def test_what_is_no_table_is_refused_by_its_name(running, workspace, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n" + bytes(200))
    registered_elsewhere(running, path, "picture", "uri_file")
    with pytest.raises(SourceUnreadable, match="a picture, not a table"):
        workspace.data.sample(DataRef("picture"))


def test_versions_that_are_no_numbers_and_kept_reports_are_left_out(running, workspace, people):
    registered_elsewhere(running, people, "dated", "uri_file", version="2024-05")
    registered_elsewhere(running, people, "a-report", "uri_file", tags={"slipway.report": "gate"})
    assert not {"dated", "a-report"} & {asset.name for asset in workspace.data.list()}
    with pytest.raises(DataNotFound, match="dated"):
        workspace.data.get(DataRef("dated"))


def test_an_upload_that_breaks_off_says_so():
    from azure.core.exceptions import ServiceResponseError

    with pytest.raises(ServiceUnavailable, match="The upload of 'people' was interrupted") as broken:  # noqa: SIM117
        with uploading("people"), translated("data", "people"):
            raise ServiceResponseError("Connection aborted")
    assert "start it again" in broken.value.hint


def test_what_cannot_be_sent_leaves_no_version(running, workspace, people):
    faults = of_folder(running.emulation.folder)
    faults.add(Fault("forbidden", method="PUT", path="*/data/refused/*", times=1))
    with pytest.raises(Forbidden):
        workspace.data.register("refused", str(people))
    with pytest.raises(DataNotFound):
        workspace.data.get(DataRef("refused"))
    assert workspace.data.register("refused", str(people)).version == 1
