"""Every public operation of the SDK's classes is run once: what works works, and what is refused is refused."""

from collections.abc import Iterator

import emulating
import living
import pytest

from contract_tests.azure.operations.table import OF_THE_NOUNS, cases, share
from contract_tests.azure.operations.world import World
from core.emulator.emulation import Options
from scripts import azure_operations

KNOWN = cases()
ALL = [(owner, name) for owner, known in KNOWN.items() for name in known]
RUN = [(owner, name) for owner, name in ALL if not KNOWN[owner][name].refused]
REFUSED = [(owner, name) for owner, name in ALL if KNOWN[owner][name].refused]
AT_LEAST = 0.8


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    options = Options(allow_code=True, scale=600.0, retry_after_ms=20, poll_s=0.05)
    home = tmp_path_factory.mktemp("operations")
    try:
        with emulating.emulation(home, options) as running:
            running.emulation.workspace.service.start()
            yield World(running, emulating.ml_client(running), tmp_path_factory.mktemp("client"))
    finally:
        living.close(home)


@pytest.mark.parametrize(("owner", "name"), RUN, ids=[".".join(each) for each in RUN])
def test_what_works_works(world: World, owner: str, name: str) -> None:
    KNOWN[owner][name].run(world)


@pytest.mark.parametrize(("owner", "name"), REFUSED, ids=[".".join(each) for each in REFUSED])
def test_what_is_refused_is_refused_in_words(world: World, owner: str, name: str) -> None:
    case = KNOWN[owner][name]
    with pytest.raises(Exception, match=f"(?is){case.says}"):
        case.run(world)


def test_the_table_has_every_public_operation() -> None:
    from azure.ai.ml import operations

    from contract_tests.azure.operations.elsewhere import operations_of

    there = {(owner, name) for owner in set(operations.__all__) for name in operations_of(getattr(operations, owner))}
    assert set(ALL) == there


def test_most_operations_of_the_issues_nouns_work() -> None:
    works, all_of_them = share()
    assert works / all_of_them >= AT_LEAST
    assert set(KNOWN) >= OF_THE_NOUNS


def test_the_document_shows_the_table() -> None:
    assert azure_operations.main(["--check"]) == 0, "run scripts/azure_operations.py"
