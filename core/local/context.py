"""What the collections of a local workspace share."""

import logging
import time
from collections.abc import Callable
from functools import cached_property

from core.domain.compute import Compute
from core.local.paths import Paths
from core.local.store import Store
from core.settings import Settings

log = logging.getLogger(__name__)

LOCAL_COMPUTE = "local"
PROOF_COMPUTE = "proof"
"""Gates and load tests have a place of their own, one at a time: they measure, and must not wait for training."""


def compute_named(store: Store, settings: Settings, name: str) -> Compute:
    """The limits of a compute; one that was never stored has those of the settings."""
    known = {compute.name: compute for compute in store.computes.list()}
    return known.get(name) or Compute(name, threads=settings.threads, memory_mb=settings.memory_mb)


class Context:
    """Settings, paths, clock and store of one workspace folder. Making one does no input or output."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        announce: Callable[[str], None] = log.warning,
        *,
        confined: bool = False,
    ) -> None:
        self.settings, self.clock, self.confined = settings, clock, confined
        self.paths = Paths(settings.home)
        self.announce = announce
        """Where a sentence goes that people must see before something happens (a download)."""

    @cached_property
    def store(self) -> Store:
        """The workspace's store, opened when first asked for, with the computes that are always there."""
        store = Store(self.paths.store)
        known = {compute.name for compute in store.computes.list()}
        for compute in (
            Compute(LOCAL_COMPUTE, threads=self.settings.threads, memory_mb=self.settings.memory_mb),
            Compute(PROOF_COMPUTE, threads=1),
        ):
            if compute.name not in known:
                store.computes.settle(compute)
        return store
