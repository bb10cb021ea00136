"""Whether an endpoint could be reached, and whether its requests were recorded: what the service saw when it looked.

Looks become spans of time. Between two looks that saw the same, it was so; where nobody looked, nothing is known.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from core.domain.monitoring import Availability, AvailabilityBucket, TelemetryBucket

SPANS_MAX = 5000
"""Of one endpoint: the oldest are forgotten first."""
FRESH_S = 30.0
"""What was seen last still holds."""


class Span(msgspec.Struct, frozen=True, array_like=True):
    """From one look to another, all of which saw the same."""

    since: float
    until: float
    up: bool
    recorded: bool

    def within(self, since: float, until: float) -> float:
        """How many of its seconds lie in [since, until)."""
        return max(0.0, min(self.until, until) - max(self.since, since))


def spans(file: Path) -> tuple[Span, ...]:
    """What was seen, the oldest first; nothing where nobody has looked."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=tuple[Span, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def seen(known: Sequence[Span], now: float, *, up: bool, recorded: bool, slack_s: float) -> tuple[Span, ...]:
    """The spans after one more look. After more than `slack_s` without a look nothing is known of the time between.

    An endpoint that has not been up yet is not down: it is on its way.
    """
    if not known:
        return (Span(now, now, up, recorded),) if up else ()
    last = known[-1]
    if not last.until <= now <= last.until + slack_s:  # also where a clock was set back
        return (*known, Span(now, now, up, recorded))
    last = msgspec.structs.replace(last, until=now)
    changed = (last.up, last.recorded) != (up, recorded)
    return (*known[:-1], last, Span(now, now, up, recorded)) if changed else (*known[:-1], last)


def write(file: Path, known: Sequence[Span], since: float) -> None:
    """Keep what ended after `since`. What a power cut takes of it is not known then. Raises OSError."""
    kept = [span for span in known if span.until >= since][-SPANS_MAX:]
    growing = file.with_suffix(".tmp")
    growing.write_bytes(msgspec.json.encode(kept))
    growing.chmod(0o600)
    os.replace(growing, file)


def availability(endpoint: str, file: Path, since: float, until: float, buckets: int) -> Availability:
    """Of [since, until), and of `buckets` intervals of it."""
    known, width_s = spans(file), (until - since) / buckets
    starts = [since + number * width_s for number in range(buckets)]
    found = tuple(AvailabilityBucket(at, width_s, *_up_and_down(known, at, at + width_s)) for at in starts)
    return Availability(endpoint, since, until, *_up_and_down(known, since, until), buckets=found)


def recorded_since(file: Path, begun: float | None) -> float | None:
    """Since when requests are recorded, of which the first that is kept was `begun`."""
    times = [span.since for span in spans(file) if span.recorded][:1] + ([] if begun is None else [begun])
    return min(times, default=None)


def with_gaps(
    buckets: Iterable[TelemetryBucket], file: Path, since: float | None, now: float
) -> tuple[TelemetryBucket, ...]:
    """Each interval with the reason why it is not told of, where it is not; `since` is when recording began."""
    known = spans(file)
    if known and 0 < now - known[-1].until <= FRESH_S:
        known = (*known[:-1], msgspec.structs.replace(known[-1], until=now))
    return tuple(replace(bucket, gap=_gap(bucket, known, since, now)) for bucket in buckets)


def _gap(bucket: TelemetryBucket, known: Sequence[Span], since: float | None, now: float) -> str:
    end = min(bucket.at + bucket.width_s, now)
    if since is None or end <= since:
        return "before"
    half_s = (end - bucket.at) / 2
    inside = [span for span in known if span.until > bucket.at and span.since < end]
    if sum(span.within(bucket.at, end) for span in inside if not span.recorded) > half_s:
        return "off"
    if bucket.requests or not known or end <= known[0].since:
        return ""  # somebody was answered, or nobody looked at that time at all
    up_s, down_s = _up_and_down(inside, bucket.at, end)
    if up_s + down_s < half_s:
        return "unknown"
    return "down" if down_s > half_s else ""


def _up_and_down(known: Sequence[Span], since: float, until: float) -> tuple[float, float]:
    up, down = (sum(span.within(since, until) for span in known if span.up is state) for state in (True, False))
    return up, down
