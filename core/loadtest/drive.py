"""Drive a scoring endpoint and say how it held.

Closed loop: each of `concurrency` clients sends its next request when the last one is answered; it shows what a server
can do. Open loop: requests are due at a fixed rate and their latency counts from then; it shows what users meet when
the server stalls, since they do not wait for each other (no coordinated omission).

A server that is busy may ask to come again later. A client of a closed loop waits as long as it is told, within bounds,
and sends its request again; requests of an open loop are due whatever the server says, and count as refused.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from time import perf_counter

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.proof import LoadReport, LoadSpec
from core.loadtest.busy import PATIENT
from core.loadtest.client import Address, ComeLater, Pool, connect, request_bytes
from core.loadtest.sender import NoAnswer
from core.loadtest.tally import BROKEN, Tally

HANG_S = 10.0
"""A request still unanswered this long after the load's end counts as failed."""
RECONNECT_PAUSE_S = 0.05
"""Between attempts while a server that was there is gone; each attempt counts as a failed request."""
PROGRESS_S = 0.5
BREATH = 64
"""An open loop that is behind its schedule lets answers come in after so many requests."""
UNANSWERED_MAX = 10_000
"""An open loop with so many under way sends none of what falls due, and counts it as failed: its memory is bounded."""

Clock = Callable[[], float]
Progress = Callable[[LoadReport], None]


def run(
    spec: LoadSpec,
    bodies: Sequence[bytes],
    *,
    clock: Clock = perf_counter,
    hang_s: float = HANG_S,
    ceiling_requests_per_s: float = 0.0,
    on_progress: Progress | None = None,
) -> LoadReport:
    """Send `bodies` in turn to where the target scores for `spec.duration_s` seconds and report what came back.

    `clock` gives monotonic seconds. `on_progress` hears twice a second what was met so far. With the client's own
    ceiling (`core.loadtest.ceiling`) the report says whether it was the bottleneck. Ends at the latest `hang_s` seconds
    after the duration, whatever the server does. Raises SpecInvalid without bodies, ServiceUnavailable when nothing
    listens.
    """
    if not bodies:
        raise SpecInvalid("A load test needs at least one request body", hint="Make some with core.checks.bodies_for")
    return asyncio.run(_run(spec, bodies, clock, hang_s, ceiling_requests_per_s, on_progress))


async def _run(
    spec: LoadSpec, bodies: Sequence[bytes], clock: Clock, hang_s: float, ceiling: float, on_progress: Progress | None
) -> LoadReport:
    address = Address.of(spec.target)
    requests = tuple(request_bytes(spec, address, body) for body in bodies)
    await _knock(address)
    tally = Tally(spec, clock() + spec.warmup_s)
    telling = asyncio.create_task(_tell(tally, ceiling, on_progress)) if on_progress else None
    drive = _open_loop if spec.rate_per_s else _closed_loop
    try:
        await drive(spec, address, requests, tally, clock, spec.warmup_s + spec.duration_s + hang_s)
    finally:
        if telling is not None:
            telling.cancel()
    return tally.report(ceiling)


async def _knock(address: Address) -> None:
    try:
        (await connect(address)).close()
    except NoAnswer as e:
        raise ServiceUnavailable(
            f"Nothing answers at {address.authority} ({e.cause})", hint="Is the endpoint running?"
        ) from e


async def _tell(tally: Tally, ceiling: float, on_progress: Progress) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        on_progress(tally.report(ceiling))


async def _closed_loop(
    spec: LoadSpec, address: Address, requests: Sequence[bytes], tally: Tally, clock: Clock, limit_s: float
) -> None:
    pool = Pool(address, spec.concurrency, fresh=spec.fresh_connections)
    clients = [asyncio.create_task(_client(pool, requests, number, tally, clock)) for number in range(spec.concurrency)]
    await _until(clients, limit_s, tally, clock)
    pool.close()


async def _client(pool: Pool, requests: Sequence[bytes], number: int, tally: Tally, clock: Clock) -> None:
    # Clients start apart in the cycle of bodies: a constant body flatters branch prediction in tree code.
    turn = number * len(requests) // 7
    waits = Waits()
    while tally.may_begin(start := clock()):
        try:
            await _counted(pool, requests[turn % len(requests)], start, tally, clock, waits)
        except NoAnswer as e:
            if e.cause == "refused":
                await asyncio.sleep(RECONNECT_PAUSE_S)
        turn += 1


async def _open_loop(
    spec: LoadSpec, address: Address, requests: Sequence[bytes], tally: Tally, clock: Clock, limit_s: float
) -> None:
    pool = Pool(address, spec.concurrency, fresh=spec.fresh_connections)
    begin = tally.record_from - spec.warmup_s
    deadline = begin + limit_s
    flying: set[asyncio.Task[None]] = set()
    for number in count():
        due = begin + number / spec.rate_per_s
        await _until_due(due, number, clock)
        if not tally.may_begin(due):
            break
        tally.handed_on(due, clock())
        if len(flying) >= UNANSWERED_MAX:
            tally.add(BROKEN, due, clock(), "not sent")
            continue
        task = asyncio.create_task(_fly(pool, requests[number % len(requests)], due, tally, clock))
        flying.add(task)
        task.add_done_callback(flying.discard)
    await _until(list(flying), max(0.0, deadline - clock()), tally, clock)
    pool.close()


async def _until_due(due: float, number: int, clock: Clock) -> None:
    """Sleep until then; a loop that is behind its schedule pauses only now and then, for the answers."""
    behind = True
    while (ahead := due - clock()) > 0:
        behind = False
        await asyncio.sleep(ahead)
    if behind and number % BREATH == 0:
        await asyncio.sleep(0)


async def _fly(pool: Pool, request: bytes, due: float, tally: Tally, clock: Clock) -> None:
    """One request of an open loop, charged from when it was due."""
    with suppress(NoAnswer):
        await _counted(pool, request, due, tally, clock)


async def _counted(
    pool: Pool, request: bytes, start: float, tally: Tally, clock: Clock, waits: "Waits | None" = None
) -> None:
    """Send and count one request; one that is cut off at the load's end had no answer. Raises NoAnswer.

    With `waits` it is sent again where the server asks to come later, and each try counts from its own start.
    """
    try:
        for tries in count(1):
            try:
                status = await pool.request(request)
                break
            except ComeLater as e:
                status = e.status
                if waits is None or not waits.patient(tries):
                    break
                tally.put_off(start)
                if not await waits.over(e.wait_s, tally.until - clock()):
                    return
                start = clock()
    except NoAnswer as e:
        tally.add(BROKEN, start, clock(), e.cause)
        raise
    except asyncio.CancelledError:
        tally.add(BROKEN, start, clock(), "timed out")
        raise
    tally.add(status, start, clock())


class Waits:
    """The time that one client has waited for a server that was busy."""

    def __init__(self) -> None:
        self._waited_s = 0.0

    def patient(self, tries: int) -> bool:
        """Whether a request that was tried so often is tried again."""
        return tries < PATIENT.tries and self._waited_s < PATIENT.all_s

    async def over(self, wait_s: float, left_s: float) -> bool:
        """Wait so long, or until the load's end; False where that comes first."""
        self._waited_s += wait_s
        await asyncio.sleep(min(wait_s, max(0.0, left_s)))
        return wait_s < left_s


async def _until(tasks: Sequence["asyncio.Task[None]"], limit_s: float, tally: Tally, clock: Clock) -> None:
    """Wait for all, and at most `limit_s` seconds. Raises what a task raised."""
    if not tasks:
        return
    done, hanging = await asyncio.wait(tasks, timeout=limit_s)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    for task in done:
        task.result()
