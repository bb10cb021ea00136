"""Events of alerts reach whom their rules name, and start what they name: each at least once, whoever is killed.

Each event has an id, which is in its messages: what is sent again, because the service was killed between an answer and
its note of it, can be told from another event. A pipeline is started once for an event: the id is its run's repeat key.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from core.domain.errors import QueueFull, ServiceUnavailable, SlipwayError, StorageFull
from core.domain.run import RunOrigin
from core.local.alerting import parameters
from core.local.machine.failpoints import Failpoint, reach
from core.local.service.background import Background
from core.local.service.notifying import run_command, send_post
from core.local.store import Store
from core.local.store.alert_messages import Message, Way
from core.local.workspace import open_local
from core.settings import Settings

log = logging.getLogger(__name__)

EVERY_S = 0.5
FIRST_S, LONGEST_S = 5.0, 600.0
"""The wait after a first failure, twice as long after each further one, and the longest."""
GIVE_UP_S: Mapping[Way, float] = {Way.WEBHOOK: 86_400.0, Way.COMMAND: 86_400.0, Way.PIPELINE: 3600.0}
"""So long it is tried. A pipeline that could not be started for an hour is left to a person."""
LOOK_S = 0.1
PATIENCE_S = 5.0
"""So long a round waits for answers to what it has sent; a later one takes those that come after."""
WHO = {Way.WEBHOOK: "the webhook", Way.COMMAND: "the command", Way.PIPELINE: "the pipeline"}


class Send(Protocol):
    """A way to another program. Raises ServiceUnavailable where it was not taken."""

    def __call__(self, message: Message, stopping: Callable[[], bool]) -> None: ...


def _post(message: Message, stopping: Callable[[], bool]) -> None:
    send_post(message.target, message.body.encode())


def _run(message: Message, stopping: Callable[[], bool]) -> None:
    run_command(message.target, message.body.encode(), stopping)


class Announcing:
    """Sends what is due, each message to another program in a thread of its own."""

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._background = Background("messages of alerts", self.once, self._store.close, EVERY_S)
        self._answers: queue.Queue[tuple[Message, str]] = queue.Queue()
        self._sent: set[tuple[int, Way]] = set()
        """What was sent and is not answered yet."""

    def background(self) -> Background:
        """The thread, to be entered."""
        return self._background

    def once(self) -> None:
        """Send all that is due: one that hangs holds up none of another alert."""
        now_sent = set()
        for message in self._store.alert_messages.due(self._clock(), LONGEST_S):
            key = (message.event, message.way)
            if message.way is Way.PIPELINE:
                self._start(message)
            elif key not in self._sent:
                now_sent.add(key)
                threading.Thread(target=self._send, args=(message,), daemon=True).start()
        self._sent |= now_sent
        self._take_answers(now_sent)

    def _take_answers(self, awaited: set[tuple[int, Way]]) -> None:
        """Note what has been answered; for what was sent just now that is waited for a little."""
        until = time.monotonic() + PATIENCE_S
        while not self._stopping():
            waits = bool(awaited & self._sent) and time.monotonic() < until
            try:
                message, problem = self._answers.get(timeout=LOOK_S) if waits else self._answers.get_nowait()
            except queue.Empty:
                if not waits:
                    return
                continue
            self._sent.discard((message.event, message.way))
            self._note(message, problem)

    def _send(self, message: Message) -> None:
        send: Send = _post if message.way is Way.WEBHOOK else _run
        answer = self._answers.put
        try:
            send(message, self._stopping)
        except ServiceUnavailable as e:
            answer((message, e.message))
        except Exception as e:  # whatever an address or a program may do, the others are told
            log.exception("alert %s: %s failed", message.alert, WHO[message.way])
            answer((message, f"it failed ({type(e).__name__})"))
        else:
            answer((message, ""))

    def _note(self, message: Message, problem: str) -> None:
        if not problem:
            self._close(message)
        elif not self._stopping():  # or the end of the service has cut it off
            self._put_off(message, problem)

    def _put_off(self, message: Message, problem: str) -> None:
        now, said = self._clock(), f"{WHO[message.way]}: {problem}"
        if now - message.created_at < GIVE_UP_S[message.way]:
            log.warning("alert %s: %s; trying again", message.alert, said)
            wait_s = min(LONGEST_S, FIRST_S * 2.0 ** min(message.tries, 20))
            self._store.alert_messages.put_off(message, now + wait_s, said)
        else:
            log.error("alert %s: given up. %s", message.alert, said)
            self._store.alert_messages.close(message, now, error=said)

    def _start(self, message: Message) -> None:
        """Start the rule's pipeline; what it refuses once, it refuses for good, unless its queue is full."""
        pipelines = open_local(self._settings, self._clock, confined=message.confined).pipelines
        try:
            given = parameters(pipelines.get(message.target), message.parameters)
            run = pipelines.trigger(
                message.target, f"alert {message.alert}", given, origin=RunOrigin.ALERT, repeat_key=message.id
            )
        except (QueueFull, ServiceUnavailable, StorageFull) as e:
            self._put_off(message, e.message)
        except SlipwayError as e:
            log.error("alert %s: pipeline %s was not started: %s", message.alert, message.target, e.message)
            said = f"pipeline '{message.target}' was not started: {e.message}"
            self._store.alert_messages.close(message, self._clock(), error=said)
        else:
            self._close(message, run.id)

    def _close(self, message: Message, run_id: str = "") -> None:
        """It was taken: nobody is told again."""
        reach(Failpoint.ALERT_TOLD)
        self._store.alert_messages.close(message, self._clock(), run_id=run_id)

    def _stopping(self) -> bool:
        return self._background.stopping()
