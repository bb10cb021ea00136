"""What every group of verbs works with."""

import time
from collections.abc import Callable
from functools import cached_property

from core.domain.errors import SpecInvalid
from core.domain.training import Compute
from core.local.paths import Paths
from core.local.store import Store
from core.settings import Settings
from core.workspace import Workspace

LOCAL_COMPUTE = "local"
PROOF_COMPUTE = "proof"
"""Gates and load tests have a place of their own, one at a time: they measure, and must not wait for training."""


def check_limit(limit: int) -> int:
    """`limit`, where it is one. Raises SpecInvalid: SQLite takes a negative one for none, and 0 hides everything."""
    if type(limit) is not int or limit < 1:
        raise SpecInvalid(f"A limit is a whole number from 1 on, got {limit!r}")
    return limit


class LocalVerbs(Workspace):
    """Settings, paths, clock and store of one workspace folder. Opening does no I/O; the first verb does."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._paths = Paths(settings.home)

    @cached_property
    def _store(self) -> Store:
        store = Store(self._paths.store)
        known = {compute.name for compute in store.computes.list()}
        for compute in (
            Compute(LOCAL_COMPUTE, threads=self.settings.threads, memory_mb=self.settings.memory_mb),
            Compute(PROOF_COMPUTE, threads=1),
        ):
            if compute.name not in known:
                store.computes.settle(compute)
        return store
