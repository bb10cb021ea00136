"""What a program prints, on its job's log line by line: the beginning and the end of it, never more than is allowed.

A program may print faster than its lines can be written. What will be left out anyway is counted and never looked at,
so that a gigabyte costs neither room nor much time, and no more memory than what is kept of the end.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from core.domain.errors import StorageFull
from core.domain.job import LogLine
from core.local.worker.work import JobLog

LINE_CHARS_MAX = 8192
"""A longer line is broken into several."""
PARTIAL_S = 2.0
"""A line without an end that has waited so long, such as a progress bar, is shown as it stands."""
PACE_S = 0.5
"""While the end of the log is written, so often."""
PACE_TIMES = 4
"""At least so much longer than writing it takes: the program is not to wait for its log."""
CHUNK_BYTES_MAX = 65_536
ROOM_BYTES = 1_000_000
"""What the store needs to note how a step has ended, and more."""

_LINES = msgspec.json.Encoder()


class Printed:
    """The log's keeper of one program's output; `max_mb` is for both of its streams together."""

    def __init__(
        self,
        log: JobLog,
        max_mb: float,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._max_mb, self._clock, self._monotonic = log, max_mb, clock, monotonic
        self._head_left = self._tail_max = int(max_mb * 1e6 / 2)
        self.chunk_bytes = max(1024, min(CHUNK_BYTES_MAX, self._tail_max // 8))
        """So much is to be read at once."""
        self._rests = {"out": _Rest(), "err": _Rest()}
        self._waiting = _Kept()
        """What was not looked at yet."""
        self._head_end = 0
        self._tail = _Kept()
        """Lines behind the log's beginning."""
        self._left_out = 0
        self._stale, self._next_at = False, 0.0
        self._last = {"out": "", "err": ""}
        self._begun_at = log.size()
        self._full = False

    @property
    def last(self) -> str:
        """The last line that says something, of the errors where there are some."""
        return self._last["err"] or self._last["out"]

    def take(self, level: str, chunk: bytes) -> None:
        """Something was printed."""
        self._waiting.add(_Part(level, self._clock(), len(chunk), chunk))
        if self._head_left <= 0 and self._waiting.size > self._tail_max / 2:
            self._left_out += self._waiting.shorten(self._tail_max // 2)
            self._stale = True

    def look(self) -> None:
        """Bring the log up to date, as far as that is due. Raises StorageFull."""
        began = self._monotonic()
        if self._head_left > 0 or began >= self._next_at:
            self._guarded(lambda rest: rest.waiting(began))
            took_s = self._monotonic() - began
            self._next_at = began + took_s + max(PACE_S, PACE_TIMES * took_s)

    def close(self) -> None:
        """Nothing more comes. Raises StorageFull."""
        self._guarded(lambda rest: bool(rest.text))

    def note(self, text: str) -> None:
        """Say something about the program behind what it has printed."""
        self.close()
        self._log.warning(text)

    def _guarded(self, ready: "Callable[[_Rest], bool]") -> None:
        """Where the disk is full, so much of the log makes room that the step's end can be noted."""
        if self._full:
            return
        try:
            self._bring_up_to_date(ready)
        except StorageFull:
            self._full = True
            self._log.cut(max(self._begun_at, self._log.size() - ROOM_BYTES))
            raise

    def _bring_up_to_date(self, ready: "Callable[[_Rest], bool]") -> None:
        """Write what has come, and those lines without an end that are `ready`."""
        while (part := self._waiting.first()) is not None:
            texts = self._rests[part.level].lines(part.content, self._monotonic())
            self._keep(part.at, part.level, part.printed, texts)
        for level, rest in self._rests.items():
            if ready(rest):
                self._keep(self._clock(), level, 0, [rest.take()])
        if self._stale:
            self._rewrite()

    def _keep(self, at: float, level: str, printed: int, texts: list[str]) -> None:
        self._last[level] = next((said for text in reversed(texts) if (said := text.strip())), self._last[level])
        lines = _LINES.encode_lines([LogLine(at, level, text) for text in texts])
        if self._head_left > 0:
            self._log.append(lines)
            self._head_left -= len(lines)
            self._head_end = self._log.size()
            return
        self._tail.add(_Part(level, at, printed, lines))
        if self._tail.size > self._tail_max:  # to half: the log is not written anew for each line that follows
            self._left_out += self._tail.shorten(self._tail_max // 2)
            self._stale = True
        elif not self._stale:
            self._log.append(lines)

    def _rewrite(self) -> None:
        """The log's beginning stays; behind it come what was left out, as a line, and the end as it is now."""
        left_out = f"{self._left_out / 1e6:,.1f} MB of what it printed are left out here"
        said = LogLine(self._clock(), "warning", f"{left_out}; SLIPWAY_STEP_LOG_MAX_MB is {self._max_mb:g}")
        self._log.rewrite(self._head_end, (_LINES.encode_lines([said]), *self._tail.contents()))
        self._stale = False


@dataclass(frozen=True, slots=True)
class _Part:
    """Something of one stream, with its time and how many bytes were printed for it."""

    level: str
    at: float
    printed: int
    content: bytes


class _Kept:
    """Parts of both streams, in order."""

    def __init__(self) -> None:
        self._parts: deque[_Part] = deque()
        self._sizes = {"out": 0, "err": 0}

    @property
    def size(self) -> int:
        return sum(self._sizes.values())

    def add(self, part: _Part) -> None:
        self._parts.append(part)
        self._sizes[part.level] += len(part.content)

    def first(self) -> _Part | None:
        """Take the oldest, where there is one."""
        if not self._parts:
            return None
        part = self._parts.popleft()
        self._sizes[part.level] -= len(part.content)
        return part

    def shorten(self, size: int) -> int:
        """Drop the oldest of the stream that takes more: an error outlives a flood. How many bytes were printed for
        what is gone; the newest part stays whatever its size."""
        gone = 0
        while self.size > size and len(self._parts) > 1:
            level = max(self._sizes, key=self._sizes.__getitem__)
            at = next(at for at, part in enumerate(self._parts) if part.level == level)
            part = self._parts[at]
            del self._parts[at]
            self._sizes[level] -= len(part.content)
            gone += part.printed
        return gone

    def contents(self) -> Iterator[bytes]:
        return (part.content for part in self._parts)


class _Rest:
    """The end of a stream that is no whole line yet."""

    def __init__(self) -> None:
        self.text = b""
        self._since = 0.0
        self._shown = False
        """Whether its beginning was shown already, without its end."""

    def lines(self, chunk: bytes, now: float) -> list[str]:
        """The lines that the chunk completes, as a terminal would show them."""
        if not self.text:
            self._since = now
        whole, end, rest = (self.text + chunk).rpartition(b"\n")
        texts = []
        if end:
            texts = whole.decode("utf-8", "replace").split("\n")
            if self._shown and not texts[0].strip("\r"):
                del texts[0]
            self._shown, self._since = False, now
            if b"\r" in whole or len(max(texts, key=len, default="")) > LINE_CHARS_MAX:
                texts = [piece for text in texts for piece in _pieces(_seen(text))]
        rest = rest[rest.rstrip(b"\r").rfind(b"\r") + 1 :]
        while len(rest) > LINE_CHARS_MAX:
            at = _before(rest, LINE_CHARS_MAX)
            texts.append(rest[:at].decode("utf-8", "replace"))
            rest = rest[at:]
        self.text = rest
        return texts

    def waiting(self, now: float) -> bool:
        """Whether it has waited long enough to be shown without its end."""
        return bool(self.text) and now - self._since >= PARTIAL_S

    def take(self) -> str:
        """What it shows; it is empty afterwards."""
        text, self.text, self._shown = self.text, b"", True
        return _seen(text.decode("utf-8", "replace"))


def _seen(line: str) -> str:
    """What stands in a line at its end: a carriage return lets what follows overwrite it."""
    return line.rstrip("\r").rpartition("\r")[2]


def _pieces(line: str) -> Iterator[str]:
    for at in range(0, len(line) or 1, LINE_CHARS_MAX):
        yield line[at : at + LINE_CHARS_MAX]


def _before(text: bytes, at: int) -> int:
    """The place at or before `at` where no character of UTF-8 is cut in two."""
    return next((place for place in range(at, max(at - 4, 0), -1) if text[place] & 0xC0 != 0x80), at)
