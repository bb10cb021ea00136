"""The code of a step as one archive: the same files give the same bytes, and nothing comes in that is not meant."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from core.definitions.code import identity, pack, packed
from core.domain.errors import SpecInvalid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "steps"
    (made / "inner").mkdir(parents=True)
    (made / "main.py").write_text("print(1)\n")
    (made / "inner" / "é.txt").write_text("x")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    return made


def files(archive: bytes) -> dict[str, tuple[bytes, int]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {m.name: (opened.read(), m.mode) for m in tar if (opened := tar.extractfile(m))}


def test_the_same_files_give_the_same_archive_wherever_and_whenever(folder: Path, tmp_path: Path) -> None:
    first = pack(folder)
    other = tmp_path / "elsewhere"
    other.mkdir()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            (copy := other / path.relative_to(folder)).parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o700 if path.suffix == ".sh" else 0o600)
            os.utime(copy, (1, 1))
    assert pack(other) == first
    assert files(first) == {
        "inner/é.txt": (b"x", 0o644),
        "main.py": (b"print(1)\n", 0o644),
        "run.sh": (b"#!/bin/sh\n", 0o755),
    }
    (folder / "main.py").write_text("print(2)\n")
    assert identity(pack(folder)) != identity(first)


def test_what_is_made_of_the_code_is_left_out(folder: Path) -> None:
    first = pack(folder)
    for name in ("__pycache__", ".git", ".venv", "inner/__pycache__"):
        (folder / name).mkdir()
        (folder / name / "main.pyc").write_text("x")
    assert pack(folder) == first


def test_one_file_is_code_too(folder: Path) -> None:
    assert list(files(pack(folder / "main.py"))) == ["main.py"]


def test_a_link_inside_the_folder_is_followed_and_one_out_of_it_is_refused(folder: Path) -> None:
    (folder / "again.py").symlink_to("main.py")
    assert files(pack(folder))["again.py"] == files(pack(folder))["main.py"]
    (folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(SpecInvalid, match="secret' is a link out of the folder"):
        pack(folder)
    (folder / "secret").unlink()
    (folder / "all").symlink_to("/")
    with pytest.raises(SpecInvalid, match="all' is a link to a folder"):
        pack(folder)


def test_what_is_no_file_and_what_is_too_large_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="There is no code at"):
        pack(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecInvalid, match="contains no file"):
        pack(tmp_path / "empty")
    with (folder / "large").open("wb") as large:
        large.truncate(50_000_001)
    with pytest.raises(SpecInvalid, match="has more than 50 MB"):
        pack(folder)
    (folder / "large").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(SpecInvalid, match="pipe' is not a file"):
        pack(folder)


def test_code_is_found_beside_the_definition_and_its_step_is_named(folder: Path) -> None:
    assert packed({"clean": "steps"}, folder.parent) == {"clean": pack(folder)}
    with pytest.raises(SpecInvalid, match="Step 'clean': There is no code at"):
        packed({"clean": "stepz"}, folder.parent)
