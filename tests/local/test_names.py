"""A data asset keeps the name that it was given, whatever it is, and no two of them meet."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.cli.values import data_ref
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.names import BYTES_MAX, check_name, folder_name, table_name
from core.local.paths import Paths
from core.local.workspace import open_local
from core.settings import read_settings
from core.workspace import Workspace

ODD = (
    *("Données été 2024 (final)", "donnees-ete-2024-final", "Donnees Ete 2024 final", "Été", "été", "e\u0301te\u0301"),
    *("状态", "数据", "🙂", "a b", "A B", "a_b", "a-b", "a.b", "x..", "~", "-x", "50 %", "x'y\"z", "$HOME", "*"),
    *("x" * BYTES_MAX, "é" * (BYTES_MAX // 2), "CON", "a:b", "a:b:c", "name\\back", "[glob]", "k=v"),
)


def sound(name: str) -> bool:
    try:
        check_name("a data asset", name)
    except SpecInvalid:
        return False
    return True


NAMES = st.sampled_from(ODD) | st.text(max_size=40).filter(sound)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("names")
    (home / "people.csv").write_text("age,answer\n1,yes\n2,no\n")
    return home


@pytest.fixture(scope="module")
def workspace(home: Path) -> Workspace:
    return open_local(read_settings({"SLIPWAY_OFFLINE": "1"}, home=str(home / "workspace")))


def goes_round(workspace: Workspace, home: Path, name: str) -> None:
    asset = workspace.data.register(name, str(home / "people.csv"))
    assert (asset.name, asset.version) == (name, 1)
    assert asset in workspace.data.list()
    assert workspace.data.get(data_ref(f"{name}:latest")) == workspace.data.get(data_ref(str(asset.ref))) == asset
    assert [column.name for column in workspace.data.profile(asset.ref).columns] == ["age", "answer"]
    assert len(workspace.data.sample(asset.ref).rows) == 2
    assert workspace.data.lineage(DataRef(name)).data == asset.ref


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_goes_round(workspace: Workspace, home: Path, name: str) -> None:
    goes_round(workspace, home, name)


@given(name=NAMES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_goes_round(workspace: Workspace, home: Path, name: str) -> None:
    goes_round(workspace, home, name)


@given(names=st.lists(NAMES, min_size=2, max_size=6, unique=True))
@settings(deadline=None)
def test_no_two_names_share_a_folder_even_where_letters_of_one_size_are_the_same(names: list[str]) -> None:
    folders = [folder_name(name) for name in names]
    assert len({folder.casefold() for folder in folders}) == len(names)
    assert all(folder.isascii() and "/" not in folder and len(folder) <= BYTES_MAX for folder in folders)


REFUSED = (
    *("", "  ", "a/b", "a:1", "people:latest", "a:b:2", "a:", ":x", ".hidden", ".."),
    *("a\nb", "a\0b", "\ud800", "é" * 101),
)


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_would_mean_two_things_or_cannot_be_written_is_refused(name: str) -> None:
    assert not sound(name)


def test_a_folder_that_is_called_by_the_name_itself_is_found(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    earlier = tmp_path / "data" / "Kunden Österreich" / ("ab" * 8)
    assert paths.data("Kunden Österreich", "ab" * 32) != earlier
    earlier.mkdir(parents=True)
    assert paths.data("Kunden Österreich", "ab" * 32) == earlier


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/12:30.csv", "12-30"),
        ("a:b.csv", "a:b"),
        ("Été 2024.CSV.gz", "Été 2024"),
        (".csv", ".csv"),
        ("a/b/", "b"),
        ("x.y", "x.y"),
    ],
)
def test_a_file_gives_its_name(source: str, name: str) -> None:
    assert table_name(source) == name
