"""Mirrored traffic: a share of the requests is scored by another deployment too, recorded, and never answered from.

It happens behind the reply, one at a time, in a thread; what would queue too long is left out and counted.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

from msgspec.structs import asdict, replace

from core.domain.errors import SlipwayError
from core.serving import bodies
from core.serving.causes import Causes
from core.serving.comparing import compared
from core.serving.deployment import Deployment, Scored
from core.serving.exchange import Exchange
from core.serving.metrics import Metrics
from core.serving.refusals import ModelFailed
from core.serving.telemetry import Mirrored, Record, Telemetry, record_of

log = logging.getLogger(__name__)

WAITING_MAX = 64
"""Mirrored requests that wait for the thread; further ones are left out."""
WAITING_BYTES_MAX = 32 * 1024 * 1024
"""Of their bodies: more is left out, unless nothing waits."""


class Mirror:
    """Scores copies. `draw` gives numbers in [0, 1) for the choice by percent."""

    def __init__(self, telemetry: Telemetry, metrics: Metrics, draw: Callable[[], float], causes: Causes) -> None:
        self._telemetry, self._metrics, self._draw, self._causes = telemetry, metrics, draw, causes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mirror")
        self._places = Semaphore(WAITING_MAX)
        self._offered_bytes = self._done_bytes = 0
        """Each is one thread's own."""

    def offer(self, exchange: Exchange, body: bytes, answered: Scored) -> None:
        """Score a copy of a request that was answered with 200, by chance and where there is room; never raises."""
        if not exchange.now.file.limits.app_insights:
            return  # nobody would ever see what it made of a copy
        for name, percent in exchange.now.file.mirror.items():
            deployment = exchange.now.deployments.get(name)
            if deployment is None or name == exchange.deployment or self._draw() * 100 >= percent:
                continue
            if self._takes(len(body)):
                self._thread.submit(self._score, deployment, exchange, body, answered)
            else:
                self._metrics.mirror_dropped += 1

    def close(self) -> None:
        """Let go of the thread; what waits is left out."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _takes(self, size: int) -> bool:
        waiting = self._offered_bytes - self._done_bytes
        if (waiting and waiting + size > WAITING_BYTES_MAX) or not self._places.acquire(blocking=False):
            return False
        self._offered_bytes += size
        return True

    def _score(self, deployment: Deployment, exchange: Exchange, body: bytes, answered: Scored) -> None:
        try:
            self._telemetry.put(_scored(deployment, exchange, body, answered, self._causes))
        finally:
            self._done_bytes += len(body)
            self._places.release()


def _scored(deployment: Deployment, exchange: Exchange, body: bytes, answered: Scored, causes: Causes) -> Record:
    """What the mirror made of the request, as a record of its own."""
    blank = asdict(record_of(exchange, 200, 0)) | {"elapsed_ms": 0.0, "run_ms": 0.0}
    record = Mirrored(**blank | {"deployment": deployment.name, "mirrored": True, "live": exchange.deployment})
    try:
        plain = bodies.unpack(body, exchange.now.file.limits) if exchange.packed else body
        scored = deployment.score(plain)
    except SlipwayError as e:
        cause = causes.key_of(e) if isinstance(e, ModelFailed) else ""
        return replace(record, status=e.status, problem=type(e).__name__, cause=cause)
    except Exception as e:
        log.error("a mirrored request failed on a bug of the server", exc_info=e)
        return replace(record, status=500, problem=type(e).__name__, cause=causes.key_of(e))
    run_ms = round(scored.run_ms, 3)
    record = replace(record, elapsed_ms=run_ms, run_ms=run_ms, bytes_out=len(scored.reply))
    assert exchange.target is not None
    told = compared(
        exchange.target.predictor.signature,
        answered.probabilities,
        deployment.predictor.signature,
        scored.probabilities,
    )
    return record if told is None else replace(record, **told._asdict())
