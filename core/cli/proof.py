"""`contract` and `gate`: prove an endpoint, ours or anybody's."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.cli.command import DONE, FAILED, NO_VERDICT, Command, Context, Outcome, arg
from core.cli.following import follow
from core.contract.junit import junit
from core.domain.endpoint import GateBudget
from core.domain.errors import BackendMissing, NotSupported, NoVerdict, ServiceUnavailable, SpecInvalid
from core.domain.job import JobState
from core.domain.proof import CheckResult, GateReport, Target

MARKS = {True: "holds", False: "FAILS", None: "-"}


def _contract(context: Context, options: Namespace) -> Any:
    from core.checks import run_checks  # Schemathesis and hypothesis cost half a second

    target = target_of(context, options)
    with unreachable_is_no_verdict():
        results = run_checks(target, depth=options.depth, seed=options.seed, on_check=lambda r: _tell(context, r))
    return _verdict(results, url=target.url)


def _gate(context: Context, options: Namespace) -> Any:
    report = _stored(context, options) if options.last else _gated(context, options)
    for result in report.checks:
        _tell(context, result)
    if options.junit:
        name = f"{report.endpoint}.{report.deployment}"
        _write(Path(options.junit), junit(name, report.checks, report.duration_s))
    return _verdict(report.checks, endpoint=report.endpoint, deployment=report.deployment, id=report.id)


def _gated(context: Context, options: Namespace) -> GateReport:
    """The report of a gate that runs now. Raises NoVerdict when it leaves none."""
    given = {name: value for name in ("p99_ms", "requests_per_s") if (value := getattr(options, name)) is not None}
    budget = GateBudget(**given) if given else None
    workspace = context.workspace
    job = workspace.run_gate(options.endpoint, options.deployment, depth=options.depth, budget=budget, by=options.by)
    context.say(f"Gate {job.id} of {options.endpoint}")
    job = follow(context, lambda: workspace.job(job.id), lambda now: now.state.final)
    report = next((r for r in workspace.gate_reports(options.endpoint) if r.id == job.id), None)
    if job.state is not JobState.SUCCEEDED or report is None:
        raise NoVerdict(f"Gate {job.id} is {job.state}: {job.message or 'it left no report'}", hint=job.hint)
    return report


def _stored(context: Context, options: Namespace) -> GateReport:
    """The newest report that is kept. Raises NoVerdict when there is none."""
    context.workspace.endpoint(options.endpoint)
    for report in context.workspace.gate_reports(options.endpoint, options.deployment, limit=1):
        return report
    raise NoVerdict(f"No gate of '{options.endpoint}' has left a report", hint="Run it without --last")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as e:
        raise SpecInvalid(f"Cannot write '{path}': {e}") from e


def _verdict(results: Sequence[CheckResult], **about: Any) -> Outcome:
    failed = any(r.passed is False for r in results)
    undecided = any(r.no_verdict for r in results)
    code = FAILED if failed else NO_VERDICT if undecided else DONE
    return Outcome({**about, "passed": code == DONE, "checks": results}, code)


def _tell(context: Context, result: CheckResult) -> None:
    mark = "no verdict" if result.no_verdict else MARKS[result.passed]
    context.say(f"{mark:<10}  {result.part}/{result.name}  {result.evidence}")
    if result.passed is False and result.curl:
        context.say(f"            {result.curl}")


def target_of(context: Context, options: Namespace) -> Target:
    """The endpoint on the command line, with its key. Raises SpecInvalid for what is no address."""
    parts = urlsplit(options.url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SpecInvalid(f"'{options.url}' is not an address", hint="For example http://127.0.0.1:8000")
    path = parts.path.rstrip("/").removesuffix("/score").removesuffix("/swagger.json")
    url = f"{parts.scheme}://{parts.netloc}{path}"
    return Target(url, _key(context, options.key_file, url))


def _key(context: Context, key_file: str | None, url: str) -> str:
    """From --key-file, else SLIPWAY_KEY, else the store where the address is an endpoint of this workspace."""
    if key_file:
        try:
            return Path(key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            raise SpecInvalid(f"Cannot read the key from '{key_file}': {e}") from e
    if key := context.environ.get("SLIPWAY_KEY", ""):
        return key
    try:
        for endpoint in context.workspace.list_endpoints():
            if endpoint.scoring_uri.removesuffix("/score") == url:
                return context.workspace.endpoint_keys(endpoint.name).primary
    except (BackendMissing, NotSupported) as e:
        context.say(f"No key from a workspace: {e.message}")
    return ""


@contextmanager
def unreachable_is_no_verdict() -> Iterator[None]:
    """Nothing that listens says nothing of the endpoint."""
    try:
        yield
    except ServiceUnavailable as e:
        raise NoVerdict(e.message, hint=e.hint) from e


KEY_FILE = arg("--key-file", metavar="FILE", help="the key; else SLIPWAY_KEY, else the workspace's for its endpoints")
URL = arg("url", metavar="URL", help="the server's root, its /score or its /swagger.json")
DEPTH = arg("--depth", choices=("default", "full"), default="default", help="(default: %(default)s)")
BUDGET = (
    arg("--p99-ms", type=float, help="a budget of your own instead of the deployment's"),
    arg("--requests-per-s", type=float, help="the same"),
)
CHECKS = ("name", "part", "passed", "evidence")

COMMANDS = (
    Command(
        "contract",
        "prove that an endpoint keeps its own document",
        _contract,
        (URL, KEY_FILE, DEPTH, arg("--seed", type=int, default=0, help="of every generated request")),
    ),
    Command(
        "gate",
        "prove a deployment of this workspace: parity, contract, performance",
        _gate,
        (
            arg("endpoint", metavar="ENDPOINT"),
            arg("--deployment", default="", metavar="NAME", help="default: the only or the newest one"),
            DEPTH,
            *BUDGET,
            arg("--by", default="", metavar="NAME", help="who answers for a looser budget than the deployment's own"),
            arg("--last", action="store_true", help="show the newest report that is kept, and run nothing"),
            arg("--junit", metavar="FILE", help="write the checks as a JUnit report, for continuous integration"),
        ),
        starts_service=True,
    ),
)
