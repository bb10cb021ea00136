"""One SHA-256 of a file or a folder: the same for the same names and bytes, another for any other."""

import hashlib
import os
from pathlib import Path

from core.local.machine.digests import digest


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_is_known_by_names_and_bytes_and_by_nothing_else(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "uvwxyz"]
    for folder in folders:
        (folder / "in").mkdir(parents=True)
        (folder / "in" / "a").write_text("1")
    same, renamed, changed, moved, linked = folders[1:]
    os.utime(same / "in" / "a", (1, 1))
    (renamed / "in" / "a").rename(renamed / "in" / "b")
    (changed / "in" / "a").write_text("2")
    (moved / "in" / "a").rename(moved / "a")
    (linked / "in" / "a").unlink()
    (linked / "in" / "a").symlink_to("/etc/passwd")
    first = digest(folders[0])
    assert digest(same) == first
    assert len({first, *map(digest, (renamed, changed, moved, linked))}) == 5


def test_a_pipe_that_nobody_writes_to_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    assert len(digest(tmp_path)) == 64
