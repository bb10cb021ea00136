"""The files of deleted data versions: removed after their rows, and never while another row names them."""

import shutil
from collections.abc import Callable

from core.local.machine.failpoints import Failpoint, reach
from core.local.paths import Paths, new_id
from core.local.store import Store


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
