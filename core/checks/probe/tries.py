"""How many things are tried: all of them, or as many as there is time for, and which is told."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

LEAST = 40
"""So many are tried however late it is."""
SHARE = 1 / 8
"""One check takes this part of the time that is left, so that those after it have theirs."""


class Tries(Generic[T]):
    """Things to try one by one, until its time is over; as text it says how many were, and of how many."""

    def __init__(self, found: Iterable[T], until: float, clock: Callable[[], float]) -> None:
        self._found, self._until, self._clock = found, until, clock
        self.made = 0
        self.cut = False
        """Time ended before they did."""

    def __iter__(self) -> Iterator[T]:
        for each in self._found:
            if self.made >= LEAST and self._clock() > self._until:
                self.cut = True
                return
            self.made += 1
            yield each

    def __str__(self) -> str:
        if self.cut and isinstance(self._found, Sized):
            return f"{self.made:,} of {len(self._found):,}"
        return f"{self.made:,}"


class Plan:
    """The time that all tries of one run take together. It begins with the first."""

    def __init__(self, tries_s: float, seed: int, clock: Callable[[], float]) -> None:
        self._tries_s, self._seed, self._clock = tries_s, seed, clock
        self._end: float | None = None

    def tries(self, found: Iterable[T]) -> Tries[T]:
        """These within a share of the time that is left; of many, the first are a fair sample of all."""
        now = self._clock()
        if self._end is None:
            self._end = now + self._tries_s
        if isinstance(found, Sequence) and len(found) > LEAST:
            found = Random(self._seed).sample(found, len(found))  # noqa: S311 - an order, no secret
        return Tries(found, now + max(0.0, self._end - now) * SHARE, self._clock)
