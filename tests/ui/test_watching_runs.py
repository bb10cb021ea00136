"""A page of pipelines looks at what it shows only when something has changed."""

import os
import time

import pytest
from bank_story import RUN_ID, fill
from fakes import FakeWorkspace, without

from core.domain.errors import StorageFull
from core.domain.job import JobState
from core.settings import read_settings
from core.ui.pipelines.watching import changes, revision


@pytest.fixture
def bank() -> FakeWorkspace:
    return fill(FakeWorkspace(read_settings(os.environ)), time.time())


def watch(bank: FakeWorkspace, run_id: str):
    """Whether a page of a run is to be drawn again."""
    workspace = bank.workspace
    since = revision(workspace)
    drawn = workspace.pipelines.get_run(run_id)
    bank.calls.clear()
    return changes(workspace, lambda: workspace.pipelines.get_run(run_id), drawn, since)


def test_nothing_but_one_number_is_read_while_nothing_changes(bank):
    changed = watch(bank, RUN_ID)

    assert [changed() for _ in range(3)] == [False] * 3
    assert {name for name, _ in bank.calls} == {"pipelines.revision"}


def test_a_change_is_seen_at_the_next_look(bank):
    changed = watch(bank, RUN_ID)

    bank.move(RUN_ID, state=JobState.SUCCEEDED)

    assert changed()


def test_another_run_that_changes_is_looked_at_once(bank):
    changed = watch(bank, RUN_ID)

    bank.move("r-1", message="something else")

    assert not changed()
    assert not changed()
    assert len(bank.called("pipelines.get_run")) == 1


def test_what_fails_to_be_looked_at_is_looked_at_again(bank):
    changed = watch(bank, RUN_ID)
    bank.move(RUN_ID, state=JobState.SUCCEEDED)
    bank.failures["pipelines.get_run"].append(StorageFull("The disk is full"))

    assert not changed()
    assert changed()


def test_a_backend_without_that_number_is_asked_for_what_is_shown(bank):
    bank.workspace = without(bank.whole, "pipelines.revision")
    changed = watch(bank, RUN_ID)

    assert not changed()
    bank.move(RUN_ID, state=JobState.SUCCEEDED)
    assert changed()
