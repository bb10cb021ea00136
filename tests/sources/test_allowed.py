"""Which paths are read for somebody who sits behind the app or the HTTP door."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data import DataSource
from core.domain.errors import SourceUnreadable
from core.settings import Settings, read_settings
from core.sources import available, check_source, resolve

TABLE = "age,y\n1,yes\n2,no\n"
SECRET = "root:x:0:0\nann:x:1:1\n"


def lay(base: Path) -> Settings:
    """An allowed folder, another, one that is not, and links that lead in and out."""
    for folder in ("data/deep", "more", "secret", "data/home/cache", "database"):
        (base / folder).mkdir(parents=True)
    for name in ("data/t.csv", "data/deep/t.csv", "more/t.csv", "data/home/cache/c.csv"):
        (base / name).write_text(TABLE)
    for name in ("secret/t.csv", "data/home/service.csv", "database/t.csv"):
        (base / name).write_text(SECRET)
    (base / "data/out.csv").symlink_to("../secret/t.csv")
    (base / "data/away").symlink_to("../secret")
    (base / "data/circle.csv").symlink_to("circle.csv")
    (base / "secret/in.csv").symlink_to("../data/t.csv")
    (base / "linked").symlink_to("more")
    os.mkfifo(base / "data/pipe.csv")
    return replace(
        read_settings({"SLIPWAY_OFFLINE": "1"}),
        home=base / "data" / "home",
        data_dir=(base / "data",),
        read_dir=(base / "linked",),
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return lay(tmp_path)


def read(text: str, settings: Settings, *, confined: bool = True) -> str:
    found = resolve(text, settings, lambda _: None, confined=confined)
    assert found.path is not None
    return found.path.read_text()


@pytest.mark.parametrize(
    "path",
    ["data/t.csv", "data/deep/t.csv", "data/../data/t.csv", "more/t.csv", "linked/t.csv", "secret/in.csv",
     "data/home/cache/c.csv"],
)  # fmt: skip
def test_what_lies_in_an_allowed_folder_in_the_end_is_read(tmp_path: Path, settings: Settings, path: str) -> None:
    assert read(f"{tmp_path}/{path}", settings) == TABLE


@pytest.mark.parametrize(
    "path",
    ["secret/t.csv", "data/../secret/t.csv", "data/out.csv", "data/away/t.csv", "data/away/../secret/t.csv",
     "data/home/service.csv", "database/t.csv", "data/circle.csv", "secret/nothing.csv", "secret", "nothing"],
)  # fmt: skip
def test_anything_else_is_refused_in_the_same_words_whether_it_is_there_or_not(
    tmp_path: Path, settings: Settings, path: str
) -> None:
    with pytest.raises(SourceUnreadable) as refused:
        read(f"{tmp_path}/{path}", settings)
    assert "is outside the folders that the app and REST calls may read" in refused.value.message
    assert f"'{tmp_path / 'data'}'" in refused.value.hint
    assert "SLIPWAY_READ_DIR" in refused.value.hint
    assert "root:x" not in f"{refused.value}{refused.value.hint}"


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/dev/stdin", "/proc/self/root/etc/passwd", "~"])
def test_files_of_the_system_are_refused(settings: Settings, path: str) -> None:
    with pytest.raises(SourceUnreadable, match="is outside"):
        read(path, settings)


@pytest.mark.parametrize("text", ["a\0b", "/tmp/\0", "\ud800.csv", "~nobody-of-this-name/t.csv"])
def test_what_no_file_can_be_called_is_refused_in_a_sentence(settings: Settings, text: str) -> None:
    for confined in (True, False):
        with pytest.raises(SourceUnreadable):
            read(text, settings, confined=confined)


@pytest.mark.parametrize(("path", "what"), [("data/pipe.csv", "not a file"), ("data/deep", "a folder")])
def test_a_pipe_and_a_folder_are_no_tables_there_either(
    tmp_path: Path, settings: Settings, path: str, what: str
) -> None:
    with pytest.raises(SourceUnreadable, match=what):
        read(f"{tmp_path}/{path}", settings)


def test_the_command_line_reads_them_all(tmp_path: Path, settings: Settings) -> None:
    for path in ("secret/t.csv", "data/out.csv", "data/away/t.csv", "data/home/service.csv"):
        assert read(f"{tmp_path}/{path}", settings, confined=False) == SECRET


def test_a_name_is_looked_up_in_the_data_folders_alone_and_its_link_is_followed(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read("t", settings) == TABLE
    for name in ("out", "circle"):
        with pytest.raises(SourceUnreadable):
            read(name, settings)
        with pytest.raises(SourceUnreadable):
            check_source(str(tmp_path / "data" / f"{name}.csv"), settings)
    (tmp_path / "secret" / "bare").write_text(SECRET)
    monkeypatch.chdir(tmp_path / "secret")
    with pytest.raises(SourceUnreadable, match="no table 'bare'"):
        read("bare", settings)


PARTS = st.lists(st.sampled_from(["data", "deep", "more", "secret", "away", "linked", "home", "cache", "t.csv",
                                  "in.csv", "out.csv", "c.csv", "service.csv", "..", "."]), max_size=6)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    base = tmp_path_factory.mktemp("place").resolve()
    return base, lay(base)


@hypothesis.settings(deadline=None)  # a busy machine may take longer to look at files
@given(PARTS)
def test_a_path_is_read_if_and_only_if_its_real_path_lies_in_an_allowed_folder(
    place: tuple[Path, Settings], parts: list[str]
) -> None:
    base, settings = place
    path = os.path.join(base, *parts)
    real = os.path.realpath(path)
    home = f"{base}/data/home/"
    allowed = f"{real}/".startswith((f"{base}/data/", f"{base}/more/")) and (
        not f"{real}/".startswith(home) or f"{real}/".startswith(f"{home}cache/")
    )
    there = allowed and os.path.isfile(real)
    check: Callable[[], object] = lambda: read(path, settings)  # noqa: E731
    if there:
        assert check() == TABLE
    else:
        with pytest.raises(SourceUnreadable) as refused:
            check()
        assert ("is outside" in refused.value.message) == (not allowed)


def test_the_tables_that_a_name_means_are_told_without_reading_one(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "data" / "adult.csv.xz").write_bytes(b"not read")
    (tmp_path / "data" / "notes.md").write_text("no table")
    found = {table.name: table for table in available(settings)}
    assert list(found) == ["adult", "bank-marketing", "c", "t"]
    assert (found["adult"].where, found["adult"].size_bytes) == (str(tmp_path / "data"), 8)
    assert [found[name].kind for name in found] == [
        DataSource.FILE, DataSource.TWIN, DataSource.CACHE, DataSource.FILE,
    ]  # fmt: skip
    for name in ("t", "c"):
        assert read(name, settings) == TABLE
    kinds = {table.kind for table in available(replace(settings, offline=False))}
    assert DataSource.DOWNLOAD in kinds
