"""What monitoring costs: `python -m perf.monitoring [--requests 10000000] [--publish]`.

Stored requests are written as merging leaves them, a file a day, with ids as distinct as real ones; then each question
of the Monitor page is asked, and its time and processor time are told. The other half is a server that answers the same
requests with and without records, in turn: what a request costs its processor, and what the process holds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil

from core.domain.monitoring import RequestQuery
from core.local.records import (
    availability,
    catalog,
    disagreement,
    exceptions,
    minutes,
    refusals,
    requests,
    search,
    telemetry,
)
from core.local.records.catalog import Index, Merged
from core.serving.exchange import Exchange
from core.serving.http import NO_HEAD
from core.serving.telemetry import WRITE_EVERY_S, Telemetry, record_of
from core.settings import CHECKOUT
from perf.docs import write_between
from perf.memory import held_mb
from perf.servers import bodies
from perf.workloads.served import Server, asked

PAGE = CHECKOUT / "docs" / "performance.md"
NOW = 1_800_000_000.0
DAY_S, DAYS = 86_400.0, 30
TRIES = 3
ROUNDS, TURN = 40, 250
RECORDS = 50_000

DRAWN = f"""
SELECT *, at_us / 1e6 AS "at", elapsed_us / 1e3 AS elapsed_ms, run_us / 1e3 AS run_ms, NULL::VARCHAR AS request_id,
       NULL::VARCHAR AS client_request_id, NULL::VARCHAR AS trace_id
FROM (
    SELECT ({{first}} + random() * {DAY_S * 1e6})::BIGINT AS at_us, gen_random_uuid() AS request_uuid,
        CASE WHEN random() < 0.3 THEN gen_random_uuid() END AS client_uuid,
        CASE WHEN random() < 0.5 THEN gen_random_uuid() END AS trace_uuid,
        NULL::VARCHAR AS request_text, NULL::VARCHAR AS client_text, NULL::VARCHAR AS trace_text,
        CASE WHEN random() < 0.8 THEN 'blue' ELSE 'green' END AS deployment,
        CASE WHEN n % 500 = 7 THEN 424 WHEN n % 50 = 7 THEN 400 ELSE 200 END AS status,
        (1 + random() * 3)::BIGINT AS "rows", 'predict' AS method, 'v1' AS form,
        exp(5.5 + random() + random() + random())::BIGINT AS elapsed_us, exp(4.5 + random())::BIGINT AS run_us,
        (300 + random() * 400)::BIGINT AS bytes_in, (20 + random() * 10)::BIGINT AS bytes_out,
        CASE WHEN n % 500 = 7 THEN 'ModelFailed' WHEN n % 50 = 7 THEN 'PayloadInvalid' ELSE '' END AS problem,
        n % 20 = 3 AS mirrored, '' AS origin,
        CASE WHEN n % 500 = 7 THEN '00000000000000a' || (n % 7) END AS cause,
        CASE WHEN n % 50 = 7 AND n % 500 != 7 THEN 'required' || chr(9) || 'c' || (n % 9) END AS reasons,
        CASE WHEN n % 20 = 3 THEN 'blue' END AS live, CASE WHEN n % 20 = 3 THEN n % 2 END AS different_rows,
        CASE WHEN n % 20 = 3 THEN random() END AS difference_sum,
        CASE WHEN n % 20 = 3 THEN random() END AS difference_max
    FROM range({{count}}) AS r(n)
)"""


class Timed(NamedTuple):
    """One question: the best of some tries."""

    question: str
    wall_ms: float
    cpu_ms: float


def fill(folder: Path, count: int) -> float:
    """Write so many requests of the last 30 days; how many bytes each takes."""
    folder.mkdir(parents=True)
    files = []
    for day in range(DAYS):
        begin = NOW - (DAYS - day) * DAY_S
        growing = folder / f".rec-{day}{requests.SUFFIX}"
        first, last, rows = requests.write(DRAWN.format(first=int(begin * 1e6), count=count // DAYS), growing)
        file = growing.rename(folder / catalog.merged_name(first, last, day, requests.SUFFIX))
        minutes.write(file, minutes.beside(file))
        size = file.stat().st_size + minutes.beside(file).stat().st_size
        files.append(Merged(file.name, first, last, last, int(DAY_S), rows, size))
    catalog.write_index(folder, Index(tuple(files)))
    return sum(file.size_bytes for file in files) / sum(file.rows for file in files)


def questions(folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What the page asks, each with what asks it."""
    for name, window_s, buckets in (("hour", 3600.0, 60), ("day", DAY_S, 48), ("30 days", DAYS * DAY_S, 60)):
        window = (NOW - window_s, NOW)
        yield f"telemetry of the last {name}", lambda w=window, b=buckets: telemetry.summary("e", folder, *w, b)
        yield f"each deployment's course, last {name}", lambda w=window, b=buckets: telemetry.course(folder, *w, b)
    whole = (NOW - DAYS * DAY_S, NOW)
    known = search.search(folder, RequestQuery(until=NOW - 20 * DAY_S, limit=1))[0]
    for name, query in {
        "newest 100": RequestQuery(),
        "newest 100 that failed (424)": RequestQuery(statuses=(424,)),
        "newest 100 with 503: none": RequestQuery(statuses=(503,)),
        "slowest 100 of 30 days": RequestQuery(slowest=True),
        "slowest 100 that failed, of green": RequestQuery(slowest=True, statuses=(424,), deployment="green"),
        "one by its whole id": RequestQuery(text=known.request_id),
        "one by 8 digits of its id": RequestQuery(text=known.request_id[:8]),
        "none by an id that there is not": RequestQuery(text="00000000-0000-4000-8000-000000000000"),
    }.items():
        yield f"search: {name}", lambda q=query: search.search(folder, q)
    yield "exceptions of 30 days", lambda: exceptions.exceptions(folder, folder.parent / "exceptions", *whole)
    yield "refusals of 30 days", lambda: refusals.refusals(folder, *whole)
    yield "disagreement of 30 days", lambda: disagreement.disagreement(folder, *whole)
    looks = folder.parent / "availability.json"
    span = availability.Span
    availability.write(looks, [span(NOW - s, NOW - s + 500, s % 7 > 0, True) for s in range(5_000_000, 0, -1000)], 0)
    yield "availability of 30 days", lambda: availability.availability("e", looks, *whole, 60)


def timed(name: str, ask: Callable[[], Any]) -> Timed:
    found = []
    for _ in range(TRIES):
        began, cpu = time.perf_counter(), time.process_time()
        ask()
        found.append((time.perf_counter() - began, time.process_time() - cpu))
    return Timed(name, min(wall for wall, _ in found) * 1e3, min(cpu for _, cpu in found) * 1e3)


class Collecting(NamedTuple):
    """A server with records, beside one without."""

    cost: float
    """Processor time of a request with records by that without."""
    low: float
    high: float
    """Of the rounds, the quarter and the three quarters."""
    held_mb: float
    """More."""
    record_us: float
    """Processor time of one record, from noting it until its bytes are in the segment and in the log, microseconds."""
    request_us: float
    """Of a request without one: the best round."""


@contextmanager
def server(folder: Path, model: Path, request: bytes, *, recorded: bool) -> Iterator[tuple[Server, psutil.Process]]:
    """One that scores, and the process that does."""
    made = Server(folder, model)
    try:
        made.wait(request)
        file = folder / "endpoint.json"
        told = json.loads(file.read_text()) | {"version": 2, "limits": {"app_insights": recorded}}
        growing = file.with_suffix(".tmp")
        growing.write_text(json.dumps(told))
        growing.replace(file)
        status = folder / "status.json"
        while json.loads(status.read_text())["version"] < 2:
            time.sleep(0.05)
        (worker,) = psutil.Process(json.loads(status.read_text())["pid"]).children()
        yield made, worker
    finally:
        made.close()


def collecting(model: Path, folder: Path) -> Collecting:
    """Both servers answer the same requests, in turn."""
    sent = [asked(body) for body in bodies(model)]
    with ExitStack() as open_servers:
        both = [
            open_servers.enter_context(server(folder / name, model, sent[0], recorded=recorded))
            for name, recorded in (("off", False), ("on", True))
        ]
        ratios, alone = [], []
        for number in range(ROUNDS + 1):
            spent = [_turn(made, worker, sent) for made, worker in (both if number % 2 else both[::-1])]
            off, on = spent if number % 2 else spent[::-1]
            ratios += [on / off] if number else []  # the first warms them
            alone.append(off / TURN / 1e3)
        more_mb = held_mb(both[1][1].pid) - held_mb(both[0][1].pid)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Collecting(middle, low, high, more_mb, _record_us(folder), min(alone))


def _record_us(folder: Path) -> float:
    with (folder / "log").open("wb") as log:
        writer = Telemetry(folder / "records" / "telemetry", log_fd=log.fileno())
        exchange = Exchange(NO_HEAD, None)  # type: ignore[arg-type]  # of an endpoint that nobody asks for
        spent = []
        for _ in range(TRIES):
            began = time.process_time()
            for _ in range(RECORDS):
                writer.put(record_of(exchange, 200, 30))
            time.sleep(5 * WRITE_EVERY_S)  # until they are written
            spent.append((time.process_time() - began) / RECORDS * 1e6)
        writer.close()
    return min(spent)


def _turn(made: Server, worker: psutil.Process, sent: Sequence[bytes]) -> int:
    """The processor time of some hundred requests and of what is written behind them, ns."""
    before = _spent_ns(worker.pid)
    for number in range(TURN):
        status, _ = made.score(sent[number % len(sent)])
        assert status == 200
    time.sleep(2 * WRITE_EVERY_S)  # until the records are written
    return _spent_ns(worker.pid) - before


def _spent_ns(pid: int) -> int:
    """Of all threads that live, by the scheduler, which counts finer than `times` does."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def markdown(count: int, bytes_each: float, found: Sequence[Timed], cost: Collecting | None) -> str:
    lines = [f"{count:,} stored requests, {bytes_each:.1f} bytes each with their sums by the minute.", ""]
    lines += ["| question | ms | of the processor, ms |", "|---|---:|---:|"]
    lines += [f"| {each.question} | {each.wall_ms:,.0f} | {each.cpu_ms:,.0f} |" for each in found]
    if cost is not None:
        ratio = (
            f"{cost.cost:.2f} times the processor time of those without (quartiles {cost.low:.2f} to {cost.high:.2f})"
        )
        lines += [
            "",
            f"A record takes {cost.record_us:.1f} µs of the processor, from noting it until its bytes are in the",
            f"segment and in the log; a request of two rows without one takes {cost.request_us:.0f} µs. In turn,",
            f"{ROUNDS} times {TURN} requests with records took",
            f"{ratio},",
            f"and the worker holds {cost.held_mb:.1f} MB more.",
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m perf.monitoring")
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="write the requests here, or use those that are there")
    parser.add_argument("--model", type=Path, help="a model folder to serve; without one collecting is not measured")
    parser.add_argument("--publish", action="store_true", help="write the figures to docs/performance.md")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)) / "telemetry"
        if not folder.exists():
            fill(folder, options.requests)
        merged = catalog.look(folder).merged
        bytes_each = sum(file.size_bytes for file in merged) / sum(file.rows for file in merged)
        found = [timed(name, ask) for name, ask in questions(folder)]
        cost = collecting(options.model, Path(temporary)) if options.model else None
        text = markdown(sum(file.rows for file in merged), bytes_each, found, cost)
    print(text)
    if options.publish:
        write_between(PAGE, "monitoring", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
