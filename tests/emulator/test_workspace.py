"""The emulated workspace itself, as the unmodified SDK sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.emulator.server import Running
from core.emulator.storage import access

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def test_it_says_that_it_is_an_emulation(ml: MLClient) -> None:
    found = ml.workspaces.get(ml.workspace_name)
    assert found.description.startswith("An emulation")
    assert found.discovery_url
    assert found.mlflow_tracking_uri


def test_its_words_and_tags_can_be_changed_and_stay(ml: MLClient) -> None:
    found = ml.workspaces.get(ml.workspace_name)
    found.tags, found.display_name = {"team": "blue"}, "Ours"
    ml.workspaces.begin_update(found).result()
    now = ml.workspaces.get(ml.workspace_name)
    assert (now.tags["team"], now.display_name) == ("blue", "Ours")
    assert [each.name for each in ml.workspaces.list()] == [ml.workspace_name]


def test_it_gives_the_key_of_its_storage_account(ml: MLClient, running: Running) -> None:
    given = ml.workspaces.get_keys(ml.workspace_name).user_storage_key
    assert given in access.keys(running.emulation).values()
    ml.workspaces.begin_sync_keys(ml.workspace_name).result()


def test_nothing_is_wrong_with_it(ml: MLClient) -> None:
    assert ml.workspaces.begin_diagnose(ml.workspace_name).result() is not None


def test_it_is_the_only_one_and_stays(ml: MLClient, running: Running) -> None:
    from azure.ai.ml.entities import Workspace
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=r"emulation|not found|NotFound"):
        ml.workspaces.begin_create(Workspace(name="another", location="westeurope")).result()
    with pytest.raises(HttpResponseError, match="neither made nor deleted"):
        ml.workspaces.begin_delete(ml.workspace_name, delete_dependent_resources=False).result()
