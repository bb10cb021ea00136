"""Data assets through the unmodified SDK: uploads, versions, labels, and the table that an address means."""

from __future__ import annotations

import csv
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.emulator import blobs
from core.emulator.assets import folder_of, located, open_data, versions
from core.emulator.assets.mltable import parsed
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError
from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def test_a_table_is_uploaded_and_opened_under_every_address(running: Running, ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data

    made = ml.data.create_or_update(Data(path=str(table), type="mltable", name="people"))
    assert (made.version, made.type) == ("1", "mltable")
    emulation = running.emulation
    for uri in ("azureml:people:1", "people@latest", made.id, f"azureml:{made.id.upper()}", made.path):
        assert open_data(emulation, uri).read_text() == "age,y\n30,yes\n40,no\n"


def test_versions_count_up_and_content_is_uploaded_once(running: Running, ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data

    made = [ml.data.create_or_update(Data(path=str(table), type="mltable", name="counted")) for _ in range(2)]
    assert [each.version for each in made] == ["1", "2"]
    assert len({each.path for each in made}) == 1
    assert ml.data.get("counted", label="latest").version == "2"
    (table / "rows.csv").write_text("age,y\n1,no\n", "utf-8")
    changed = ml.data.create_or_update(Data(path=str(table), type="mltable", name="counted"))
    assert changed.path != made[0].path
    assert open_data(running.emulation, "azureml:counted:2").read_text() == "age,y\n30,yes\n40,no\n"


def test_where_a_version_lies_cannot_change_and_what_is_said_of_it_can(ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data
    from azure.core.exceptions import ResourceExistsError

    def made(**more: object) -> Data:
        return ml.data.create_or_update(Data(path=str(table), type="mltable", name="stays", version="7", **more))

    made()
    assert made(tags={"a": "b"}, description="more").tags == {"a": "b"}
    (table / "rows.csv").write_text("age,y\n2,no\n", "utf-8")
    with pytest.raises(ResourceExistsError, match="dataUri cannot be changed"):
        made()


def test_names_are_found_in_any_case_and_what_is_not_there_is_missed(ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data
    from azure.core.exceptions import ResourceNotFoundError

    ml.data.create_or_update(Data(path=str(table), type="mltable", name="Mixed-Case"))
    assert ml.data.get("mixed-case", "1").name == "Mixed-Case"
    for name, version in (("mixed-case", "2"), ("nobody", "1")):
        with pytest.raises(ResourceNotFoundError, match="Could not find asset"):
            ml.data.get(name, version)


def test_lists_come_in_pages(running: Running, ml: MLClient) -> None:
    from azure.ai.ml.entities import Data

    emulation = running.emulation
    made = versions.registered(emulation, "data", "many", {"dataUri": "azureml://x", "dataType": "uri_file"})
    for at in range(2, 206):
        path = str(made["id"]).removesuffix("/1") + f"/{at}"
        emulation.state.hold(path, made | {"id": path, "name": str(at)})
    assert len(list(ml.data.list("many"))) == 205
    found = [each.name for each in ml.data.list()]
    assert found.count("many") == 1
    ml.data.create_or_update(Data(path="https://example.org/x.csv", type="uri_file", name="elsewhere"))
    with pytest.raises(AzureError, match="no address of data"):
        open_data(emulation, "azureml:elsewhere:1")


def test_a_name_that_is_refused_leaves_nothing(ml: MLClient, table: Path) -> None:
    from azure.ai.ml.entities import Data
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="'no name!:1' is no name and version"):
        ml.data.create_or_update(Data(path=str(table), type="mltable", name="no name!"))
    assert "no name!" not in {each.name for each in ml.data.list()}


def test_an_upload_that_was_interrupted_is_done_again(running: Running, ml: MLClient, table: Path) -> None:
    """The SDK marks what is complete; what is not is written over."""
    from azure.ai.ml.entities import Data

    emulation = running.emulation
    made = ml.data.create_or_update(Data(path=str(table), type="mltable", name="half"))
    place = located(emulation, made.path)
    for blob in place.blobs(emulation):
        blobs.write(emulation, blob.container, blob.name, b"", metadata={})
    ml.data.create_or_update(Data(path=str(table), type="mltable", name="half"))
    assert open_data(emulation, "azureml:half:2").read_text() == "age,y\n30,yes\n40,no\n"


def test_files_and_folders_come_back_with_their_names(ml: MLClient, running: Running, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Data

    folder = tmp_path / "größe und maß"
    (folder / "in ner").mkdir(parents=True)
    (folder / "in ner" / "ü&+%20.csv").write_text("1", "utf-8")
    (folder / "leer").write_bytes(b"")
    made = ml.data.create_or_update(Data(path=str(folder), type="uri_folder", name="names"))
    found = {
        path.relative_to(root).as_posix()
        for root in [folder_of(running.emulation, made.id)]
        for path in root.rglob("*")
    }
    assert found == {"in ner", "in ner/ü&+%20.csv", "leer"}
    one = ml.data.create_or_update(Data(path=str(folder / "in ner" / "ü&+%20.csv"), type="uri_file", name="one"))
    assert open_data(running.emulation, one.path).read_text() == "1"
    ml.data.archive("one")
    assert "one" not in {each.name for each in ml.data.list()}


@pytest.mark.parametrize("kind", ["blob", "lake"])
def test_data_goes_to_an_account_of_ones_own(ml: MLClient, running: Running, table: Path, kind: str) -> None:
    from azure.ai.ml import entities

    key = entities.AccountKeyConfiguration(account_key=b64encode(kind.encode()).decode())
    if kind == "blob":
        store = entities.AzureBlobDatastore(name=kind, account_name="theirs", container_name="rows", credentials=key)
        ml.datastores.create_or_update(store)
    else:
        store = entities.AzureDataLakeGen2Datastore(
            name=kind, account_name=running.emulation.names.storage_account, filesystem="azureml"
        )
        ml.datastores.create_or_update(store)
    data = entities.Data(path=str(table), type="mltable", name=f"in-{kind}", datastore=f"azureml:{kind}")
    for version in ("1", "2"):
        made = ml.data.create_or_update(data)
        assert f"/datastores/{kind}/paths/" in made.path
        data = entities.Data(path=str(table), type="mltable", name=f"in-{kind}", datastore=f"azureml:{kind}")
        assert open_data(running.emulation, f"azureml:in-{kind}:{version}").read_text() == "age,y\n30,yes\n40,no\n"


def put(emulation: Emulation, files: dict[str, bytes]) -> str:
    folder = f"tables/{uuid4().hex}"
    for name, content in files.items():
        blobs.write(emulation, emulation.names.container, f"{folder}/{name}", content)
    return f"azureml://datastores/workspaceblobstore/paths/{folder}/"


def mltable(paths: str, *steps: str) -> bytes:
    return f"paths: [{paths}]\ntransformations: [{', '.join(steps)}]\n".encode()


ROWS = [["a", "b"], ["1", "ä"], ["2", "x;y"]]


@pytest.mark.parametrize(
    ("content", "step"),
    [
        ('a;b\n1;ä\n2;"x;y"\n'.encode(), "{read_delimited: {delimiter: ';'}}"),
        ("a\tb\n1\tä\n2\tx;y\n".encode("latin-1"), "{read_delimited: {delimiter: '\\t', encoding: iso88591}}"),
        ("a,b\n1,ä\n2,x;y\n".encode("utf-16"), "{read_delimited: {encoding: utf16, header: from_first_file}}"),
        ("\ufeffa,b\n1,ä\n2,x;y\n".encode(), "{read_delimited: {encoding: utf8}}, {take: 2}"),
        ("c,a,b\n0,1,ä\n0,2,x;y\n".encode(), "read_delimited, {drop_columns: c}"),
        ("c,a,b\n0,1,ä\n0,2,x;y\n".encode(), "read_delimited, {keep_columns: [a, b]}"),
    ],
)
def test_a_table_is_read_as_its_file_says(running: Running, content: bytes, step: str) -> None:
    emulation = running.emulation
    found = open_data(emulation, put(emulation, {"rows.txt": content, "MLTable": mltable("{file: ./rows.txt}", step)}))
    with found.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == ROWS


def test_a_table_without_names_gets_some(running: Running) -> None:
    emulation = running.emulation
    step = "{read_delimited: {header: no_header}}"
    found = open_data(emulation, put(emulation, {"x": b"1,2\n3,4\n", "MLTable": mltable("{file: x}", step)}))
    assert found.read_text().splitlines() == ["Column1,Column2", "1,2", "3,4"]


@pytest.mark.parametrize("paths", ["{folder: ./in}", "{pattern: in/*.csv}", "{pattern: '**/*.csv'}"])
def test_many_files_are_one_table(running: Running, paths: str) -> None:
    emulation = running.emulation
    files = {"in/1.csv": b"a,b\n1,2\n", "in/2.csv": b"a,b\n3,4\n", "MLTable": mltable(paths, "read_delimited")}
    assert open_data(emulation, put(emulation, files)).read_text().splitlines() == ["a,b", "1,2", "3,4"]


def test_parquet_files_are_one_table(running: Running, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    emulation = running.emulation
    for name in ("1", "2"):
        pq.write_table(pa.table({"a": [int(name)], "b": ["x"]}), tmp_path / name)
    files = {f"in/{name}.parquet": (tmp_path / name).read_bytes() for name in ("1", "2")}
    files["MLTable"] = mltable("{pattern: ./in/*.parquet}", "read_parquet", "{keep_columns: a}")
    assert pq.read_table(open_data(emulation, put(emulation, files))).to_pydict() == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (mltable("{file: x}", "read_json_lines"), "cannot do 'read_json_lines'"),
        (mltable("{file: x}", "read_delimited", "{convert_column_types: []}"), "cannot do 'convert_column_types'"),
        (mltable("{file: x}"), "none of read_delimited, read_parquet"),
        (mltable("{file: x}", "{read_delimited: {delimiter: '||'}}"), "delimiters of one letter"),
        (mltable("{file: x}", "{read_delimited: {include_path_column: true}}"), "cannot do 'include_path_column'"),
        (mltable("{file: x}", "{read_delimited: {encoding: ebcdic}}"), "the encoding 'ebcdic'"),
        (mltable("{file: y}", "read_delimited"), "names 'y', which is not there"),
        (mltable("{file: ../../../../../x}", "read_delimited"), "leads out of its container"),
        (mltable("{file: x}", "read_delimited", "{keep_columns: z}"), "a column that is not there: z"),
        (mltable("{file: x}", "{read_delimited: {encoding: ascii, delimiter: ';'}}"), "cannot be read"),
        (b"a: [", "it is no YAML"),
        (b"paths: x", "it has no"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(running: Running, definition: bytes, said: str) -> None:
    emulation = running.emulation
    with pytest.raises(AzureError, match=said):
        open_data(emulation, put(emulation, {"x": "a\nä\n".encode(), "MLTable": definition}))


def test_the_table_of_microsofts_examples_is_the_one_that_is_known_here(running: Running) -> None:
    where = "https://automlsamplenotebookdata.blob.core.windows.net/automl-sample-notebook-data/bankmarketing_train.csv"
    step = "{read_delimited: {delimiter: ',', encoding: 'ascii', empty_as_string: false}}"
    uri = put(running.emulation, {"MLTable": mltable(f"{{file: '{where}'}}", step)})
    assert str(open_data(running.emulation, uri)) == "bank-marketing"


@given(text=st.text(max_size=60))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_address_is_located_or_refused(running: Running, text: str) -> None:
    for uri in (text, f"azureml://datastores/workspaceblobstore/paths/{text}", f"azureml://jobs/{text}/outputs/x"):
        with suppress(AzureError):
            place = located(running.emulation, uri)
            assert ".." not in place.container


@given(content=st.binary(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_definition_is_understood_or_refused(content: bytes) -> None:
    with suppress(AzureError):
        parsed(content)
    with suppress(AzureError):
        parsed(b"paths:\n- file: x\ntransformations:\n" + content)
