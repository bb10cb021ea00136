"""A table becoming a version of a data asset: its files and its row, in one transaction."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from core.domain.data import DataAsset, TableProfile
from core.domain.names import check_name
from core.durable import make_folder, place, storage_error, write_atomic
from core.local.paths import Paths, new_id
from core.local.store import Store
from core.ml.data.profile import from_json, profile_table, to_json
from core.ml.data.spellings import spelling_notes

TABLE = "table.parquet"


@contextmanager
def incoming(paths: Paths, name: str, clock: Callable[[], float]) -> Iterator[Path]:
    """A folder for what becomes a version of `name`; nothing stays in it. Raises SpecInvalid, StorageFull."""
    check_name("a data asset", name)
    folder = paths.incoming / new_id(clock)
    try:
        make_folder(folder)
        yield folder
    except OSError as e:
        raise storage_error(e, f"register '{name}'") from e
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def published(store: Store, paths: Paths, asset: DataAsset, staged: Path) -> DataAsset:
    """The asset with its table and profile in place, and notes on what somebody should decide by the profile."""
    folder = paths.data(asset.name, asset.content_id)
    summary = _profiled(folder if folder.exists() else staged)
    asset = replace(asset, notes=(*asset.notes, *spelling_notes(summary)))
    # Files and row in one transaction: whoever deletes the same table at this moment comes before or after both.
    with store.write() as tx:
        if not (folder / TABLE).exists():
            _profiled(staged)
            place(staged, folder)
        return tx.data.add(replace(asset, size_bytes=(folder / TABLE).stat().st_size))


def _profiled(folder: Path) -> TableProfile:
    """The profile of the table in a folder, made and kept beside it where there is none yet."""
    path = folder / "profile.json"
    if not path.exists():
        write_atomic(path, msgspec.json.encode(to_json(profile_table(folder / TABLE))))
    return from_json(msgspec.json.decode(path.read_bytes()))
