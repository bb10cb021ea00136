"""`loadtest`: drive an endpoint, ours or anybody's, and say how it held."""

from argparse import Namespace
from typing import Any

from core.cli.command import DONE, FAILED, Command, Context, Outcome, arg
from core.cli.proof import KEY_FILE, URL, target_of, unreachable_is_no_verdict
from core.domain.counting import counted
from core.domain.monitoring import Origin
from core.domain.proof import LoadReport, LoadSpec

BODIES = 64
"""So many different bodies go round in a load: one alone flatters tree code, whose branches are then all predicted."""
BAR = 40
"""The longest bar of the histogram, in characters."""
BARS = 12
OPEN_CONNECTIONS = 100
"""As many as an open loop may hold where none are asked for: on one connection its requests would queue at this end."""


def _loadtest(context: Context, options: Namespace) -> Any:
    from core import loadtest
    from core.checks import bodies_for
    from core.loadtest import apache_bench

    target = target_of(context, options, Origin.LOADTEST)
    spec = LoadSpec(
        target,
        options.duration,
        options.concurrency or (OPEN_CONNECTIONS if options.rate else 1),
        options.rows,
        options.warmup,
        max_requests=options.requests,
        rate_per_s=options.rate,
        fresh_connections=options.fresh_connections,
        deployment=options.deployment,
        tool=apache_bench.PROGRAM if options.ab else "",
    )
    with unreachable_is_no_verdict():
        bodies = bodies_for(target, options.rows, count=BODIES)
        if options.ab:
            report = apache_bench.run(spec, bodies[0])
            return Outcome(report, _code(report), report.output)
        ceiling = loadtest.ceiling(spec, bodies) if options.ceiling else 0.0
        report = loadtest.run(spec, bodies, ceiling_requests_per_s=ceiling, on_progress=Teller(context))
    return Outcome(report, _code(report), text(report))


def _code(report: LoadReport) -> int:
    return DONE if not report.failed and report.requests else FAILED


class Teller:
    """Tells a line for each second that is over, once."""

    def __init__(self, context: Context) -> None:
        self._context, self._told = context, 0

    def __call__(self, so_far: LoadReport) -> None:
        for second in so_far.seconds[self._told : -1]:
            self._context.say(
                f"{second.second + 1:>4} s  {second.requests:>7,} requests  p99 {second.p99_ms:8.2f} ms  "
                f"{second.failed:,} failed"
            )
            self._told += 1


def text(report: LoadReport) -> str:
    """The report for people: what was asked, what was met, a histogram, and what may be believed of it."""
    failed = f"{report.failed:,} failed" if report.failed else "none failed"
    lines = [_asked(report), f"{report.requests:,} requests in {report.duration_s:.1f} s, {failed}", ""]
    if report.requests > report.failed:
        lines += [f"  {name:<12}{value}" for name, value in _figures(report)]
    if report.histogram:
        lines += ["", *_bars(report)]
    lines += [f"  {cause}: {count:,}" for cause, count in _failures(report)]
    if said := _bound(report):
        lines += ["", said]
    return "\n".join(lines)


def _asked(report: LoadReport) -> str:
    if report.rate_per_s:
        most = counted(report.concurrency, "connection")
        loop = f"{report.rate_per_s:g} requests/s, due at a fixed rate, on at most {most}"
    else:
        loop = f"{counted(report.concurrency, 'client')}, each sending when it was answered"
    fresh = ", a new connection for each" if report.fresh_connections else ""
    return f"{report.url}: {loop}{fresh}, {counted(report.rows, 'row')} a request"


def _figures(report: LoadReport) -> list[tuple[str, str]]:
    percentiles = {
        "p50": report.p50_ms,
        "p90": report.p90_ms,
        "p95": report.p95_ms,
        "p99": report.p99_ms,
        "p99.9": report.p999_ms,
        "longest": report.max_ms,
        "mean": report.mean_ms,
    }
    return [
        ("requests/s", f"{report.requests_per_s:,.1f}"),
        *((name, f"{value:,.2f} ms") for name, value in percentiles.items()),
    ]


def _bars(report: LoadReport) -> list[str]:
    """The histogram in a few steps: neighbours are put together until they fit."""
    buckets = list(report.histogram)
    step = -(-len(buckets) // BARS)
    steps = [
        (group[-1][0], sum(n for _, n in group))
        for group in (buckets[i : i + step] for i in range(0, len(buckets), step))
    ]
    most = max(count for _, count in steps)
    return [f"  <= {bound:>9,.2f} ms  {'#' * round(BAR * count / most):<{BAR}}  {count:,}" for bound, count in steps]


def _failures(report: LoadReport) -> list[tuple[str, int]]:
    statuses = [(f"answered {status}", n) for status, n in report.by_status.items() if status not in (0, 200)]
    if report.put_off:
        statuses.append(("rejected as too busy, and sent again", report.put_off))
    return [*statuses, *((f"no answer ({cause})", n) for cause, n in report.errors.items())]


def _bound(report: LoadReport) -> str:
    """What these figures are worth where the client was the slower side."""
    if not report.client_bound:
        return ""
    ceiling = f" It reaches {report.ceiling_requests_per_s:,.0f} requests/s against a server that does no work."
    return "This load client was the bottleneck, or close to it: the endpoint may be faster than these figures." + (
        ceiling if report.ceiling_requests_per_s else ""
    )


COMMANDS = (
    Command(
        "loadtest",
        "load-test an endpoint; exits 1 unless every request was answered with 200",
        _loadtest,
        (
            URL,
            KEY_FILE,
            arg("--duration", type=float, default=10.0, metavar="SECONDS", help="(default: %(default)s)"),
            arg(
                "--concurrency",
                type=int,
                default=0,
                help=f"clients at once (default: 1), or with --rate the most connections (default: {OPEN_CONNECTIONS})",
            ),
            arg("--rate", type=float, default=0.0, metavar="PER_SECOND", help="open loop: send requests at this rate"),
            arg("--rows", type=int, default=2, help="of each request (default: %(default)s)"),
            arg("--requests", type=int, default=0, help="stop after so many requests; 0: only the duration limits"),
            arg("--warmup", type=float, default=0.5, metavar="SECONDS", help="not counted (default: %(default)s)"),
            arg("--ab", action="store_true", help="let Apache Benchmark send them, where it is installed"),
            arg("--fresh-connections", action="store_true", help="open open a new connection for every request"),
            arg("--deployment", default="", metavar="NAME", help="this deployment, whatever its traffic"),
            arg(
                "--no-ceiling", dest="ceiling", action="store_false", help="do not measure the client's own limit first"
            ),
        ),
    ),
)
