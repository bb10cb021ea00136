"""The files of deleted data versions: removed after their rows, and never while another row names them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from core.domain.data import DataAsset, DataRef
from core.local.machine.failpoints import Failpoint, reach
from core.local.paths import Paths, new_id
from core.local.store import Store


@contextmanager
def files(store: Store, ref: DataRef) -> Iterator[DataAsset]:
    """The version whose files are read within. Raises DataNotFound, also where it is deleted under the reader."""
    asset = store.data.get(ref)
    try:
        yield asset
    except (OSError, duckdb.IOException):
        store.data.get(asset.ref)
        raise


def sweep(store: Store, paths: Paths, clock: Callable[[], float]) -> None:
    """Remove what deleted versions have left, also what a process that was killed meanwhile did not get to."""
    for name, content_id in store.data.deleted():
        folder, staged = paths.data(name, content_id), paths.incoming / new_id(clock)
        # Who registers the same table at this moment puts its row and its files in place in one transaction, too.
        with store.write() as tx:
            if tx.data.holds(name, content_id):
                tx.data.swept(name, content_id)
                continue
            if folder.exists():
                paths.incoming.mkdir(exist_ok=True, mode=0o700)
                folder.rename(staged)
            reach(Failpoint.DATA_MOVED)
            tx.data.swept(name, content_id)
        shutil.rmtree(staged, ignore_errors=True)
