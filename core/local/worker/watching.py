"""A look at what runs, again and again, whatever its owner is busy with."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_S = 0.05
"""How often what runs is looked at."""


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Inside the block `look` is called often, in a thread of its own; what is given raises what that raised."""
    over, bugs = threading.Event(), list[Exception]()

    def watch() -> None:
        try:
            while not over.wait(LOOK_S):
                look()
        except Exception as e:  # noqa: BLE001 - it is raised in the thread of the block
            bugs.append(e)

    def check() -> None:
        if bugs:
            raise bugs[0]

    threading.Thread(target=watch, name="watching", daemon=True).start()
    try:
        yield check
    finally:
        over.set()
