"""The rounds of forwarding: each endpoint's queue and log, for each receiver as far as it takes them."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from core.domain.errors import SlipwayError
from core.forwarding import lines as log_lines
from core.forwarding import standing
from core.forwarding.destinations import Answer, Destination
from core.forwarding.queue import DONE, Cursor, Queue, records
from core.forwarding.spans import resource, span
from core.forwarding.standing import Standing

T = TypeVar("T")

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


class Sender:
    """One receiver, how it stands, and when it is asked again."""

    def __init__(self, receiver: Destination) -> None:
        self.name, self._receiver = receiver.name, receiver
        self.standing = Standing()
        self._failures = 0
        self._until = 0.0

    def waits(self, now: float) -> bool:
        """Whether it is too early to ask it again; by the monotonic clock."""
        return now < self._until

    def ended(self, *, well: bool, now: float) -> None:
        """Note whether a round took all that there was."""
        if well:
            self._failures = 0
            self.standing = replace(self.standing, failing_since=None, why="")
            return
        self._failures += 1
        self._until = now + min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 20))
        why = self._receiver.heard.why
        if self._failures == 1:
            log.warning("telemetry is not taken by '%s': %s; trying again", self.name, why)
        since = self.standing.failing_since
        self.standing = replace(self.standing, failing_since=time.time() if since is None else since, why=why)

    def requests(self, queue: Queue, cursors: dict[str, Cursor], stopping: Callable[[], bool]) -> bool:
        """Whether all of an endpoint's requests are sent."""
        of, cursor = resource(queue.name), cursors[self.name]
        for path in queue.files():
            if (begun := cursor.taken.get(path.name, 0)) == DONE:
                continue
            found = records(path)
            for at in range(begun, len(found), BATCH):
                batch = [span(record, of) for record in found[at : at + BATCH]]
                if stopping() or not self._send(self._receiver.send_spans, batch):
                    return False
                cursor.taken[path.name] = at + BATCH
                queue.save(cursors)
            cursor.taken[path.name] = DONE
            queue.clear(cursors)
            queue.save(cursors)
        return True

    def log(self, queue: Queue, cursors: dict[str, Cursor], stopping: Callable[[], bool]) -> bool:
        """Whether all lines of an endpoint's log are sent."""
        cursor = cursors[self.name]
        while True:
            found = log_lines.read(queue.log, cursor.log)
            if found.end == cursor.log or (cursor.log is None and not queue.log.exists()):
                return True
            told = list(log_lines.log_records(found.lines, queue.name, resource(queue.name), time.time()))
            for at in range(0, len(told), BATCH):
                if stopping() or not self._send(self._receiver.send_lines, told[at : at + BATCH]):
                    return False
            cursor.log = found.end
            queue.save(cursors)

    def _send(self, send: Callable[[Sequence[T]], Answer], batch: Sequence[T]) -> bool:
        """Whether nothing of a batch is left to be sent; what the receiver refuses for good is given up, and told."""
        answer = send(batch)
        if answer is Answer.NOT_NOW:
            return False
        if answer is Answer.IN_PARTS and len(batch) > 1:
            half = len(batch) // 2
            return self._send(send, batch[:half]) and self._send(send, batch[half:])
        heard = self._receiver.heard
        if refused := len(heard.item_statuses if answer is Answer.TAKEN else batch):
            log.warning("'%s' refuses %d records for good, which are given up: %s", self.name, refused, heard.why)
            count = self.standing.refused + refused
            self.standing = replace(self.standing, refused=count, refused_why=heard.why)
        return True


def forward(
    home: Path,
    receivers: Sequence[Destination],
    stopping: Callable[[], bool],
    wait: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send what there is, and then what comes, until it is time to stop."""
    senders = [Sender(receiver) for receiver in receivers]
    told: dict[str, Standing] | None = None
    while not stopping():
        for sender in senders:
            if not sender.waits(clock()):
                well = once(home, sender, senders, stopping)
                if not stopping():
                    sender.ended(well=well, now=clock())
        told = _tell(home, {sender.name: sender.standing for sender in senders}, told)
        wait(ROUND_S)


def once(home: Path, sender: Sender, senders: Sequence[Sender], stopping: Callable[[], bool]) -> bool:
    """One round for one receiver; whether it took all that there was."""
    for folder in sorted((home / ENDPOINTS).glob("*")):
        try:
            if not _of_endpoint(Queue(folder), sender, senders, stopping):
                return False
        except FileNotFoundError:
            if folder.exists():
                raise
            # else it was deleted meanwhile, with all that waited
    return True


def _of_endpoint(queue: Queue, sender: Sender, senders: Sequence[Sender], stopping: Callable[[], bool]) -> bool:
    known = queue.cursors()
    cursors = {one.name: known.get(one.name, Cursor()) for one in senders}
    if dropped := queue.shorten():
        log.warning("endpoint %s: %d files wait for too long and are not forwarded", queue.name, dropped)
    return sender.requests(queue, cursors, stopping) and sender.log(queue, cursors, stopping)


def _tell(home: Path, now: dict[str, Standing], told: dict[str, Standing] | None) -> dict[str, Standing] | None:
    """Keep how the receivers stand, where that has changed; what is kept now."""
    if now == told:
        return told
    try:
        standing.write(home, now)
    except SlipwayError as e:  # no reason to forward nothing
        log.warning("how forwarding stands is not kept: %s", e.message)
        return told
    return now
