"""Finished segments go into their endpoint's queue, for the process that forwards them (`core.forwarding`).

A segment lies in both places as one file. One that was handed over bears that in its name, whatever becomes of its
merging: how long a receiver is away concerns the queue alone. Who is killed between the two steps hands it over again,
and what is sent twice by that has the same ids twice, which receivers take as one.
"""

import os
from collections.abc import Callable
from pathlib import Path

from core.local.records import catalog
from core.local.records.catalog import Segment


class HandingOver:
    """Lays segments into queues where somebody is to get them; otherwise nothing."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def hand_over(self, folder: Path, queue: Path, alive: Callable[[Segment], bool]) -> None:
        """All segments of a folder that nobody writes to any more."""
        for segment in catalog.look(folder).segments if self._on else ():
            if not self.done(segment) and not (segment.still_open and alive(segment)):
                queue.mkdir(parents=True, exist_ok=True, mode=0o700)
                target = queue / f"{segment.stem}.jsonl"
                if not target.exists():
                    os.link(segment.path, target)
                segment.path.rename(catalog.as_sent(segment.path))

    def done(self, segment: Segment) -> bool:
        """Whether a segment may be merged: it was handed over, or is to go nowhere."""
        return not self._on or segment.path.suffix not in (".jsonl", ".open") or catalog.sent(segment.path)
