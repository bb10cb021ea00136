"""Slowdowns of a stated size planted in a checkout, for proving the gate.

With 0 % the same lines are planted and do nothing, so that a base and a head differ by nothing else.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

NEVER = 10**9

DECODE = """
        request = self._typed(body)
"""
DECODE_SLOW = """
        self.planted = getattr(self, "planted", 0) + 1
        if self.planted % {every} == 0:
            self._typed(body)
        request = self._typed(body)
"""
"""A call takes 10 us, too little for the clock: every so many calls the work is done twice."""

PREDICT = """
    def probabilities(self, columns: Sequence[Sequence[Any]]) -> Array:
"""
PREDICT_SLOW = """
    def probabilities(self, columns: Sequence[Sequence[Any]], clock=__import__("time").perf_counter) -> Array:
        began = clock()
        answer = self.once(columns)
        end = clock()
        while clock() < end + {share} * (end - began):
            pass
        return answer

    def once(self, columns: Sequence[Sequence[Any]]) -> Array:
"""

PAGE = """
route()
"""
PAGE_SLOW = """
import time as _time

_began = _time.perf_counter()
route()
_end = _time.perf_counter()
while _time.perf_counter() < _end + {share} * (_end - _began):
    pass
"""


def _doubled(pct: float) -> Mapping[str, object]:
    return {"every": round(100 / pct) if pct else NEVER}


def _longer(pct: float) -> Mapping[str, object]:
    return {"share": pct / 100}


PLACES: Mapping[str, tuple[str, str, str, Callable[[float], Mapping[str, object]]]] = {
    "decode": ("core/contract/payload.py", DECODE, DECODE_SLOW, _doubled),
    "predict": ("core/predict/folder.py", PREDICT, PREDICT_SLOW, _longer),
    "page": ("app.py", PAGE, PAGE_SLOW, _longer),
}


def plant(root: Path, place: str, pct: float) -> None:
    """Make one place of the checkout at `root` that much slower, in percent of its own time.

    Raises ValueError when the checkout does not look as it did when this was written.
    """
    file, before, after, values = PLACES[place]
    source = (root / file).read_text("utf-8")
    if source.count(before) != 1:
        raise ValueError(f"{file} has changed: the lines to plant in are there {source.count(before)} times")
    (root / file).write_text(source.replace(before, after.format(**values(pct))), "utf-8")
