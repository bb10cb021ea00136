"""A server that asks to come again later: whether it does, when that is, and for how long a client has patience."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BUSY = 429
"""Too many requests: the server asks to come again later."""
UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits for a server that is busy, before it takes that for an answer."""

    tries: int = 5
    """Of one request, the first among them."""
    pause_s: float = 0.5
    """Before the next try where the server names no time."""
    pause_max_s: float = 5.0
    all_s: float = 60.0
    """For all requests of one client together."""
    unsaid: frozenset[int] = frozenset({BUSY})
    """Statuses that ask to come again also where they name no time; 503 does where it names one."""

    def wait_s(self, status: int, retry_after: str | None) -> float | None:
        """The seconds until the next try; None for an answer that does not ask to come again."""
        if status not in self.unsaid and (status != UNAVAILABLE or retry_after is None):
            return None
        asked_s = asked(retry_after or "")
        return self.pause_s if math.isnan(asked_s) else max(0.0, min(asked_s, self.pause_max_s))


PATIENT = Patience()


def asked(retry_after: str) -> float:
    """The seconds that a `Retry-After` asks for, as a number or a date (RFC 9110, 10.2.3); nan where it is neither."""
    told = retry_after.strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return math.nan
