"""The rounds of forwarding: each endpoint's queue and log, for each receiver as far as it takes them."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.forwarding import lines as log_lines
from core.forwarding.destinations import Destination
from core.forwarding.queue import DONE, Cursor, Queue, records
from core.forwarding.spans import resource, span

log = logging.getLogger(__name__)

ENDPOINTS = "endpoints"
LOCK = "forwarding.lock"
ROUND_S = 1.0
FIRST_S, LONGEST_S = 1.0, 60.0
"""The wait after a receiver has not taken something, twice as long each time, and the longest."""
BATCH = 500
"""So many records go in one request: about 0.3 MB."""


@contextmanager
def alone(path: Path, stopping: Callable[[], bool]) -> Iterator[None]:
    """Wait until no other process forwards for this workspace; one whose service has died is about to end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not stopping():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def forward(
    home: Path,
    receivers: Sequence[Destination],
    stopping: Callable[[], bool],
    wait: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send what there is, and then what comes, until it is time to stop."""
    failed: dict[str, int] = {}
    until: dict[str, float] = {}
    while not stopping():
        for receiver in receivers:
            if clock() < until.get(receiver.name, 0.0):
                continue
            if once(home, receiver, receivers, stopping):
                failed.pop(receiver.name, None)
            else:
                count = failed[receiver.name] = failed.get(receiver.name, 0) + 1
                wait_s = min(LONGEST_S, FIRST_S * 2.0 ** min(count - 1, 20))
                until[receiver.name] = clock() + wait_s
                if count == 1:
                    log.warning("telemetry is not taken by '%s'; trying again", receiver.name)
        wait(ROUND_S)


def once(home: Path, receiver: Destination, receivers: Sequence[Destination], stopping: Callable[[], bool]) -> bool:
    """One round for one receiver; whether it took all that there was."""
    for folder in sorted((home / ENDPOINTS).glob("*")):
        queue = Queue(folder)
        known = queue.cursors()
        cursors = {one.name: known.get(one.name, Cursor()) for one in receivers}
        if dropped := queue.shorten():
            log.warning("endpoint %s: %d files wait for too long and are not forwarded", queue.name, dropped)
        taken = _requests(queue, receiver, cursors, stopping) and _log(queue, receiver, cursors)
        if not taken:
            return False
    return True


def _requests(queue: Queue, receiver: Destination, cursors: dict[str, Cursor], stopping: Callable[[], bool]) -> bool:
    of, cursor = resource(queue.name), cursors[receiver.name]
    for path in queue.files():
        if (begun := cursor.taken.get(path.name, 0)) == DONE:
            continue
        found = records(path)
        for at in range(begun, len(found), BATCH):
            if stopping() or not receiver.send_spans([span(record, of) for record in found[at : at + BATCH]]):
                return False
            cursor.taken[path.name] = at + BATCH
            queue.save(cursors)
        cursor.taken[path.name] = DONE
        queue.clear(cursors)
        queue.save(cursors)
    return True


def _log(queue: Queue, receiver: Destination, cursors: dict[str, Cursor]) -> bool:
    cursor = cursors[receiver.name]
    while True:
        found = log_lines.read(queue.log, cursor.log)
        if found.end == cursor.log or (cursor.log is None and not queue.log.exists()):
            return True
        told = list(log_lines.log_records(found.lines, queue.name, resource(queue.name), time.time()))
        for at in range(0, len(told), BATCH):
            if not receiver.send_lines(told[at : at + BATCH]):
                return False
        cursor.log = found.end
        queue.save(cursors)
