"""`contract` and `gate`: prove an endpoint, ours or anybody's."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.cli.command import DONE, FAILED, NO_VERDICT, Command, Context, Outcome, arg
from core.cli.following import follow
from core.contract.junit import junit
from core.domain.endpoint import DEPLOYMENT_HEADER, GateBudget
from core.domain.errors import BackendMissing, NotSupported, NoVerdict, ServiceUnavailable, SpecInvalid
from core.domain.job import JobState
from core.domain.keys import key_in
from core.domain.monitoring import Origin
from core.domain.proof import DEPTHS, CheckResult, GateReport, Target, verdict

if TYPE_CHECKING:
    from core.checks.reports.report import Report

PROFILES = ("strict", "slipway", "azure")
FORMATS = {"junit": "core.checks.reports.junit", "html": "core.checks.reports.html"}
CODES = {True: DONE, False: FAILED, None: NO_VERDICT}
MARKS = {True: "holds", False: "FAILS", None: "-"}


def _contract(context: Context, options: Namespace) -> Any:
    files = _report_files(options)
    report = _examined(context, options)
    for file, form in files.items():
        _write(file, import_module(FORMATS[form]).render(report))
    about = {"url": report.url, "deployment": report.deployment, "profile": report.profile, "seed": report.seed}
    return replace(_verdict(report.results, **about), text=f"{report.url}: {report.summary}")


def _examined(context: Context, options: Namespace) -> "Report":
    """All checks on the endpoint of the command line, each told as it lands."""
    # Schemathesis and hypothesis cost half a second
    from core.checks import Profile, Source, run_checks
    from core.checks.reports.report import Report

    target, schema = target_of(context, options, Origin.GATE), _schema(options.schema)
    results: list[CheckResult] = []
    created_at, heard = time.time(), [time.monotonic()]

    def hear(result: CheckResult) -> None:
        results.append(result)
        heard.append(time.monotonic())
        _tell(context, result)

    profile, depth, seed = Profile(options.profile), options.depth, options.seed
    source = Source(document_path(options.url), schema)
    with unreachable_is_no_verdict():
        run_checks(target, depth=depth, seed=seed, on_check=hear, profile=profile, source=source)
    seconds = [after - before for before, after in pairwise(heard)]
    return Report(target.url, options.deployment, profile, depth, seed, created_at, results, seconds)


def _report_files(options: Namespace) -> dict[Path, str]:
    """File -> format of the reports that are asked for. Raises SpecInvalid before anything is sent."""
    files = {Path(file): form for form in FORMATS if (file := getattr(options, form))}
    for file in files:
        if not file.parent.is_dir():
            raise SpecInvalid(f"There is no folder {file.parent} for the report")
    return files


def _schema(file: str) -> Mapping[str, Any] | None:
    """The schema file, read. Raises SpecInvalid when it is no JSON object."""
    if not file:
        return None
    try:
        schema = json.loads(Path(file).read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise SpecInvalid(f"Cannot read a schema from '{file}': {e}") from e
    if not isinstance(schema, dict):
        raise SpecInvalid(f"'{file}' is not a schema: it holds no JSON object")
    return schema


def _write(file: Path, report: bytes) -> None:
    try:
        file.write_bytes(report)
    except OSError as e:
        raise SpecInvalid(f"Cannot write the report to '{file}': {e}") from e


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
    job = workspace.proofs.run_gate(
        options.endpoint, options.deployment, depth=options.depth, budget=budget, by=options.by
    )
    context.say(f"Gate {job.id} of {options.endpoint}")
    job = follow(context, lambda: workspace.jobs.get(job.id), lambda now: now.state.final)
    report = next((r for r in workspace.proofs.gate_reports(options.endpoint) if r.id == job.id), None)
    if job.state is not JobState.SUCCEEDED or report is None:
        raise NoVerdict(f"Gate {job.id} is {job.state}: {job.message or 'it left no report'}", hint=job.hint)
    return report


def _stored(context: Context, options: Namespace) -> GateReport:
    """The newest report that is kept. Raises NoVerdict when there is none."""
    context.workspace.endpoints.get(options.endpoint)
    for report in context.workspace.proofs.gate_reports(options.endpoint, options.deployment, limit=1):
        return report
    raise NoVerdict(f"No gate of '{options.endpoint}' has left a report", hint="Run it without --last")


def _verdict(results: Sequence[CheckResult], **about: Any) -> Outcome:
    passed = verdict(results)
    return Outcome({**about, "passed": passed is True, "checks": results}, CODES[passed])


def _tell(context: Context, result: CheckResult) -> None:
    mark = "no verdict" if result.no_verdict else MARKS[result.passed]
    context.say(f"{mark:<10}  {result.part}/{result.name}  {result.evidence}")
    if result.passed is False and result.curl:
        context.say(f"            {result.curl}")


def target_of(context: Context, options: Namespace, origin: Origin) -> Target:
    """The endpoint on the command line, with a key; one of this workspace records what comes under `origin`.

    Raises SpecInvalid for what is no address.
    """
    parts = urlsplit(options.url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SpecInvalid(f"'{options.url}' is not an address", hint="For example http://127.0.0.1:8000")
    path = parts.path.rstrip("/")
    path = path.rpartition("/")[0] if path.endswith(".json") else path.removesuffix("/score")
    url = f"{parts.scheme}://{parts.netloc}{path}"
    deployment = getattr(options, "deployment", "")
    return Target(
        url, _key(context, options.key_file, url, origin), {DEPLOYMENT_HEADER: deployment} if deployment else {}
    )


def document_path(url: str) -> str:
    """Where an address that is a document's own puts it below the root; empty for any other address."""
    parts = urlsplit(url)
    name = parts.path.rpartition("/")[2]
    if not name.endswith(".json") or (name == "swagger.json" and not parts.query):
        return ""
    return f"/{name}{f'?{parts.query}' if parts.query else ''}"


def _key(context: Context, key_file: str | None, url: str, origin: Origin) -> str:
    """From --key-file, else SLIPWAY_KEY, else the store where the address is an endpoint of this workspace."""
    if key_file:
        return _key_in_file(key_file)
    if key := key_in(context.environ.get("SLIPWAY_KEY", ""), "in SLIPWAY_KEY"):
        return key
    try:
        for endpoint in context.workspace.endpoints.list():
            if endpoint.listens_at(url):
                return context.workspace.endpoints.target(endpoint.name, origin).key
    except (BackendMissing, NotSupported) as e:
        context.say(f"No key from the workspace: {e.message}")
    return ""


def _key_in_file(path: str) -> str:
    try:
        key = key_in(Path(path).read_bytes(), f"in '{path}'")
    except OSError as e:
        raise SpecInvalid(f"Cannot read the key from '{path}': {e.strerror}") from e
    if not key:
        raise SpecInvalid(f"'{path}' holds no key: it is empty")
    return key


@contextmanager
def unreachable_is_no_verdict() -> Iterator[None]:
    """Nothing that listens says nothing of the endpoint."""
    try:
        yield
    except ServiceUnavailable as e:
        raise NoVerdict(e.message, hint=e.hint) from e


KEY_FILE = arg("--key-file", metavar="FILE", help="the key; else SLIPWAY_KEY, else the workspace's for its endpoints")
URL = arg("url", metavar="URL", help="the server's root, its /score or its document's address")
DEPTH = arg("--depth", choices=DEPTHS, default=DEPTHS[0], help="(default: %(default)s)")
BUDGET = (
    arg("--p99-ms", type=float, help="instead of the deployment's own budget"),
    arg("--requests-per-s", type=float, help="the same"),
)

COMMANDS = (
    Command(
        "contract",
        "prove that an endpoint conforms to its own document",
        _contract,
        (
            URL,
            KEY_FILE,
            arg(
                "--deployment", default="", metavar="NAME", help="sent with every request; default: as traffic decides"
            ),
            arg("--profile", choices=PROFILES, default="strict", help="which checks apply (default: %(default)s)"),
            DEPTH,
            arg("--seed", type=int, default=0, help="the random seed (default: %(default)s)"),
            arg(
                "--schema", default="", metavar="FILE", help="JSON Schema of one row, or a whole document, as published"
            ),
            arg("--junit", default="", metavar="FILE", help="write the results as JUnit XML"),
            arg("--html", default="", metavar="FILE", help="write the results as one self-contained page"),
        ),
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
            arg(
                "--by",
                default="",
                metavar="NAME",
                help="who is responsible for a looser budget than the deployment's own",
            ),
            arg("--last", action="store_true", help="show the newest stored report without running anything"),
            arg("--junit", metavar="FILE", help="write the checks as a JUnit report, for continuous integration"),
        ),
        starts_service=True,
    ),
)
