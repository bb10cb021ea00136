"""What a row names is on the disk before the row: every file, every folder, up to the workspace's own."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from local_world import SIGNATURE, World
from msgspec import json

from core.contract.signature import to_json
from core.domain.errors import StorageFull
from core.domain.training import TrainingSpec
from core.durable import copy_folder, growing, place, storage_error, write_atomic
from core.local.registration import register_from_job
from core.local.workspace import open_local

Seen = set[tuple[int, int]]


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Device and inode of everything that was flushed to the disk in this process."""
    seen: Seen = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        about = os.fstat(descriptor)
        seen.add((about.st_dev, about.st_ino))

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def unflushed(flushed: Seen, named: Path, home: Path) -> list[Path]:
    """What a power cut could take of a file or folder that is named: itself, what it holds, the way to it."""
    above = [path for path in named.parents if path == home or home in path.parents]
    inside = list(named.rglob("*")) if named.is_dir() else []
    about = {path: path.stat() for path in (named, *inside, *above)}
    return [path for path, stat in about.items() if (stat.st_dev, stat.st_ino) not in flushed]


def test_a_registered_models_folder_is_on_the_disk(world: World, flushed: Seen) -> None:
    spec = TrainingSpec(world.data.ref, "y")
    job_id = world.add_job(spec)
    source = world.paths.job_model(job_id)
    (source / "native" / "deep").mkdir(parents=True)
    (source / "native" / "deep" / "model.txt").write_bytes(b"trees")
    card = {"trial": 0, "algorithm": "Fake", "metrics": {}}
    (source / "card.json").write_bytes(json.encode(card))
    (source / "signature.json").write_bytes(json.encode(to_json(SIGNATURE)))
    model = register_from_job(world.store, world.paths, "bank", world.job(job_id), lambda: 1.0)
    folder = world.paths.model(model.name, model.job_id, model.trial)
    assert unflushed(flushed, folder, world.settings.home) == []
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == [
        "card.json",
        "model.txt",
        "signature.json",
    ]


def test_a_registered_tables_folder_is_on_the_disk(world: World, flushed: Seen, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("a,y\n1,yes\n2,no\n")
    asset = open_local(world.settings).data.register("people", str(tmp_path / "people.csv"))
    assert unflushed(flushed, world.paths.data(asset.name, asset.content_id), world.settings.home) == []


def test_a_folder_that_somebody_placed_first_stays(tmp_path: Path) -> None:
    for name, word in (("theirs", b"first"), ("ours", b"second")):
        write_atomic(tmp_path / name / "file", word)
        place(tmp_path / name, tmp_path / "folder")
    assert (tmp_path / "folder" / "file").read_bytes() == b"first"


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_folder(tmp_path / "nothing", tmp_path / "folder", tmp_path / "staged")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"old")
    with pytest.raises(TypeError), growing(tmp_path / "file") as file:
        file.writelines([b"half of the ne", None])  # type: ignore[list-item]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_a_disk_that_fills_up_while_a_folder_is_copied_is_called_full() -> None:
    gathered = shutil.Error([("a", "b", str(OSError(errno.ENOSPC, "No space left on device")))])
    assert isinstance(storage_error(gathered, "copy"), StorageFull)
    other = shutil.Error([("a", "b", str(OSError(errno.EACCES, "Permission denied")))])
    assert storage_error(other, "copy") is other
