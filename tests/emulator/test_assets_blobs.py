"""The storage account through Azure's own client: uploads in every form, lists, conditions, and who may do it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.emulator import blobs
from core.emulator.server import Running
from core.emulator.storage import access

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

SEGMENTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=20)
NAMES = st.lists(SEGMENTS.map(lambda text: text.strip(".") or "x"), min_size=1, max_size=4).map("/".join)
"""Names that clients themselves leave as they are: dots at the ends of a segment belong to an address."""


@pytest.fixture(scope="module")
def account(running: Running) -> Iterator[BlobServiceClient]:
    from azure.storage.blob import BlobServiceClient

    emulation = running.emulation
    with BlobServiceClient(
        f"https://{emulation.names.blob_host}",
        credential=access.keys(emulation)["key1"],
        max_block_size=1024,
        max_single_put_size=4096,
        max_single_get_size=4096,
        max_chunk_get_size=1024,
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
def container(account: BlobServiceClient) -> ContainerClient:
    return account.create_container(f"test-{uuid4().hex[:12]}")


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 10_000])
def test_content_of_any_size_comes_back(container: ContainerClient, size: int) -> None:
    content = bytes(at % 251 for at in range(size))
    container.upload_blob("folder/größe ä%20+&?.bin", content, metadata={"a": "b"})
    found = container.get_blob_client("folder/größe ä%20+&?.bin")
    assert found.download_blob(max_concurrency=3).readall() == content
    properties = found.get_blob_properties()
    assert (properties.size, properties.metadata) == (size, {"a": "b"})
    assert (
        found.download_blob(offset=size // 2, length=10).readall() == content[size // 2 : size // 2 + 10]
        if size
        else True
    )


@given(name=NAMES)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_kept_as_it_is(container: ContainerClient, name: str) -> None:
    container.upload_blob(name, name.encode(), overwrite=True)
    assert container.download_blob(name).readall() == name.encode()
    assert [each.name for each in container.list_blobs(name_starts_with=name) if each.name == name] == [name]
    container.delete_blob(name)


def test_a_blob_may_have_the_name_of_a_folder(running: Running, container: ContainerClient) -> None:
    names = ("a/b", "a", "a/b/c", "A")
    for name in names:
        container.upload_blob(name, name)
    assert sorted(each.name for each in container.list_blobs()) == ["A", "a", "a/b", "a/b/c"]
    assert [container.download_blob(name).readall() for name in ("a/b", "a", "a/b/c", "A")] == [
        b"a/b",
        b"a",
        b"a/b/c",
        b"A",
    ]
    for name in ("a", "a/b/c", "a/b", "A"):
        container.delete_blob(name)
    assert list(container.list_blobs()) == []


def test_no_name_leads_out_of_the_folder(running: Running) -> None:
    emulation = running.emulation
    root = blobs.folder(emulation).resolve()
    for name in ("../../x", "a/../../../x", "/etc/x", "a//b", "x" * 300, "a/./b", "new\nline", "\ud800"):
        blob = blobs.write(emulation, "names", name, b"1")
        assert (root / blob.file).resolve().is_relative_to(root)
        assert blobs.path_of(emulation, "names", name).read_bytes() == b"1"
    assert len(blobs.listed(emulation, "names")) == 8


def test_lists_come_in_pages_and_by_folder(container: ContainerClient) -> None:
    names = sorted([f"f{at % 3}/{at:02}.txt" for at in range(9)] + ["top.txt"])
    for name in names:
        container.upload_blob(name, b"1")
    pages = [[each.name for each in page] for page in container.list_blobs(results_per_page=4).by_page()]
    assert pages == [names[:4], names[4:8], names[8:]]
    walked = [[each.name for each in page] for page in container.walk_blobs(results_per_page=3).by_page()]
    assert walked == [["f0/", "f1/", "f2/"], ["top.txt"]]
    assert [each.name for each in container.list_blobs(name_starts_with="f1/0")] == names[3:6]


def test_an_upload_that_was_interrupted_leaves_nothing_and_is_taken_up_again(container: ContainerClient) -> None:
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import BlobBlock

    blob = container.get_blob_client("half")
    blob.stage_block("AAAA", b"old")
    blob.stage_block("AAAA", b"first ")
    with pytest.raises(ResourceNotFoundError):
        blob.get_blob_properties()
    assert [(each.id, each.size) for each in blob.get_block_list("all")[1]] == [("AAAA", 6)]
    blob.stage_block("AAAB", b"second")
    blob.commit_block_list([BlobBlock("AAAA"), BlobBlock("AAAB")])
    assert blob.download_blob().readall() == b"first second"
    blob.stage_block("AAAC", b"third ")
    blob.commit_block_list([BlobBlock("AAAC"), BlobBlock("AAAB")])
    assert blob.download_blob().readall() == b"third second"
    assert blob.get_block_list("all")[1] == []


def test_a_list_with_a_block_that_is_not_there_is_refused(container: ContainerClient) -> None:
    from azure.core.exceptions import HttpResponseError
    from azure.storage.blob import BlobBlock

    blob = container.get_blob_client("none")
    with pytest.raises(HttpResponseError) as refused:
        blob.commit_block_list([BlobBlock("AAAA")])
    assert refused.value.error_code == "InvalidBlockList"


def test_conditions_hold_or_refuse(container: ContainerClient) -> None:
    from azure.core import MatchConditions
    from azure.core.exceptions import HttpResponseError, ResourceExistsError

    blob = container.get_blob_client("one")
    blob.upload_blob(b"1")
    with pytest.raises(ResourceExistsError) as refused:
        blob.upload_blob(b"2")
    assert refused.value.error_code == "BlobAlreadyExists"
    etag = blob.get_blob_properties().etag
    blob.upload_blob(b"2", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
    with pytest.raises(HttpResponseError) as stale:
        blob.upload_blob(b"3", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
    assert (stale.value.status_code, stale.value.error_code) == (412, "ConditionNotMet")
    with pytest.raises(HttpResponseError) as unchanged:
        blob.download_blob(if_modified_since=datetime.now(UTC) + timedelta(hours=1))
    assert unchanged.value.status_code == 304


def test_what_is_said_of_a_blob_changes_alone(container: ContainerClient) -> None:
    from azure.storage.blob import ContentSettings

    blob = container.get_blob_client("said")
    blob.upload_blob(b"text", content_settings=ContentSettings(content_type="text/plain"), validate_content=True)
    before = blob.get_blob_properties()
    blob.set_blob_metadata({"upload_status": "completed"})
    blob.set_http_headers(ContentSettings(content_type="text/csv"))
    after = blob.get_blob_properties()
    assert before.content_settings.content_md5 == bytearray(hashlib.md5(b"text").digest())
    assert (after.content_settings.content_type, after.metadata) == ("text/csv", {"upload_status": "completed"})
    assert before.etag != after.etag
    copy = container.get_blob_client("copied")
    assert copy.start_copy_from_url(blob.url)["copy_status"] == "success"
    assert copy.download_blob().readall() == b"text"
    listed = next(iter(container.list_blobs("said", include=["metadata"])))
    assert listed.metadata == {"upload_status": "completed"}


def test_a_log_grows(container: ContainerClient) -> None:
    log = container.get_blob_client("log.txt")
    log.create_append_blob()
    for line in (b"one\n", b"two\n"):
        log.append_block(line)
    assert log.download_blob().readall() == b"one\ntwo\n"


def test_content_that_was_damaged_on_its_way_is_refused(running: Running, container: ContainerClient) -> None:
    import httpx

    signature = access.container_sas(running.emulation, container.container_name)
    headers = {"x-ms-blob-type": "BlockBlob", "content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}
    answer = httpx.put(f"{container.url}/x?{signature}", content=b"rows", headers=headers)
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "Md5Mismatch")


def test_many_at_once_end_as_one_of_them(container: ContainerClient) -> None:
    contents = [str(at).encode() * 3000 for at in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: container.upload_blob("same", content, overwrite=True), contents))
        list(pool.map(lambda at: container.upload_blob(f"own/{at}", contents[at]), range(8)))
    assert container.download_blob("same").readall() in contents
    assert [container.download_blob(f"own/{at}").readall() for at in range(8)] == contents


def test_who_has_no_right_is_refused(running: Running, container: ContainerClient) -> None:
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
    from azure.identity import ClientSecretCredential
    from azure.storage.blob import (
        ContainerClient,
        generate_account_sas,
        generate_blob_sas,
        generate_container_sas,
    )

    emulation = running.emulation
    names, key = emulation.names, access.keys(emulation)["key2"]
    container.upload_blob("a b/ü", b"1")
    soon, past = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)
    own = container.container_name

    def client(credential: object) -> ContainerClient:
        return ContainerClient(f"https://{names.blob_host}", own, credential=credential, retry_total=0)

    about = {"account_name": names.storage_account, "account_key": key}
    allowed = [
        key,
        generate_container_sas(container_name=own, permission="rl", expiry=soon, **about),
        generate_blob_sas(container_name=own, blob_name="a b/ü", permission="r", expiry=soon, **about),
        generate_account_sas(resource_types="sco", permission="r", expiry=soon, **about),
        ClientSecretCredential(names.tenant, names.client, emulation.secret),
    ]
    for credential in allowed:
        assert client(credential).download_blob("a b/ü").readall() == b"1"
    refused = [
        "AAAA" + key[4:],
        generate_container_sas(container_name=own, permission="r", expiry=past, **about),
        generate_container_sas(container_name="other", permission="r", expiry=soon, **about),
        generate_container_sas(container_name=own, permission="w", expiry=soon, **about),
        generate_blob_sas(container_name=own, blob_name="b", permission="r", expiry=soon, **about),
        allowed[1].replace("sp=rl", "sp=rwl"),
        None,
    ]
    for credential in refused:
        with pytest.raises((ClientAuthenticationError, HttpResponseError)):
            client(credential).download_blob("a b/ü").readall()


def test_a_key_that_entra_delegates_signs(running: Running, container: ContainerClient) -> None:
    from azure.identity import ClientSecretCredential
    from azure.storage.blob import BlobClient, BlobServiceClient, generate_blob_sas

    names = running.emulation.names
    credential = ClientSecretCredential(names.tenant, names.client, running.emulation.secret)
    container.upload_blob("x", b"1")
    now = datetime.now(UTC)
    with BlobServiceClient(f"https://{names.blob_host}", credential=credential) as service:
        key = service.get_user_delegation_key(now, now + timedelta(hours=1))
    signature = generate_blob_sas(
        names.storage_account, container.container_name, "x", user_delegation_key=key, permission="r",
        expiry=now + timedelta(hours=1),
    )  # fmt: skip
    assert BlobClient.from_blob_url(f"{container.url}/x?{signature}").download_blob().readall() == b"1"


@pytest.mark.full
def test_a_hundred_megabytes_come_and_go(running: Running) -> None:
    from azure.storage.blob import BlobServiceClient

    emulation = running.emulation
    content = bytes(range(256)) * (100 * 4096)
    with BlobServiceClient(f"https://{emulation.names.blob_host}", credential=access.keys(emulation)["key1"]) as client:
        blob = client.get_blob_client(emulation.names.container, "large.bin")
        blob.upload_blob(content, max_concurrency=4)
        assert (
            hashlib.sha256(blob.download_blob(max_concurrency=4).readall()).digest() == hashlib.sha256(content).digest()
        )
