"""How long the way to Azure and back takes, so that it is not held against the server."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from core.domain.errors import NoVerdict
from core.domain.proof import Target
from core.loadtest.sender import NoAnswer, Sender

TRIES = 15
BODY = b"{}"


def network_ms(target: Target, clock: Callable[[], float] = time.perf_counter) -> float:
    """The median time of a request that is refused for its key before any model sees it, over a kept connection.

    Raises NoVerdict where nothing answers.
    """
    sender = Sender(replace(target, key="", headers={}))
    took = []
    try:
        sender.score(BODY)  # it makes the connection
        for _ in range(TRIES):
            began = clock()
            sender.score(BODY)
            took.append((clock() - began) * 1000)
    except NoAnswer as e:
        raise NoVerdict(f"The endpoint does not answer at {target.url}: {e}", hint="Is it there?") from e
    finally:
        sender.close()
    return median(took)
