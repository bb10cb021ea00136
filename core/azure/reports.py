"""Reports of gates and load tests as data assets of the workspace: whoever opens it, from wherever, sees them.

What decides stands in the asset's tags, so that the state of a gate costs one request and no download.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.azure import sdk
from core.azure.context import TAG, Context
from core.azure.serving import Served
from core.azure.storage import download
from core.domain.errors import Conflict, NotFound, SlipwayError
from core.domain.plain import plain
from core.domain.proof import GateReport, LoadReport
from core.domain.version import VERSION
from core.durable import write_atomic

GATE, LOAD, BATCH = f"{TAG}-gate", f"{TAG}-load", f"{TAG}-batch"
KIND, ENDPOINT, DEPLOYMENT, MODEL = (f"{TAG}.{name}" for name in ("report", "endpoint", "deployment", "model"))
MADE, VERDICT, JOB, AT = (f"{TAG}.{name}" for name in ("deployment-made", "verdict", "job", "at"))
VERDICTS: Mapping[bool | None, str] = {True: "passed", False: "failed", None: "none"}
LOAD_PROGRESS = "load.json"
R = TypeVar("R", GateReport, LoadReport)


@dataclass(frozen=True, slots=True)
class Kept:
    """A report as its asset names it."""

    job_id: str
    verdict: str
    at: float
    tags: Mapping[str, str]
    path: str

    def of(self, deployment: Served) -> bool:
        """Whether it is about this very deployment and model, and not an earlier one of the same name."""
        return self.tags.get(MADE) == deployment.made and self.tags.get(MODEL) == deployment.ref


def keep_gate(context: Context, file: Path, report: GateReport, deployment: Served) -> None:
    """Keep a gate's report, by its deployment and model. Raises what Azure refuses."""
    name = _name(GATE, report.endpoint, report.deployment)
    tags = {DEPLOYMENT: report.deployment, MODEL: deployment.ref, MADE: deployment.made}
    _keep(context, file, name, report, tags | {KIND: "gate", VERDICT: VERDICTS[report.verdict]})


def keep_load(context: Context, file: Path, report: LoadReport) -> None:
    """Keep a load's report, by its endpoint."""
    _keep(context, file, _name(LOAD, report.endpoint), report, {KIND: "load", DEPLOYMENT: report.deployment})


def keep_output(context: Context, file: Path, job_id: str, endpoint: str, deployment: str) -> None:
    """Keep the table that a batch job has written."""
    tags = {TAG: VERSION, KIND: "batch", ENDPOINT: endpoint, DEPLOYMENT: deployment, JOB: job_id}
    _register(context, file, _name(BATCH, endpoint), job_id, tags)


def gates_of(context: Context, endpoint: str, deployment: str) -> tuple[Kept, ...]:
    """The gates of all deployments that had this name, newest first; nothing is downloaded."""
    return _versions(context, _name(GATE, endpoint, deployment))


def gate_reports(context: Context, endpoint: str, deployment: str, limit: int) -> tuple[GateReport, ...]:
    """The newest gate reports, of one endpoint or deployment or of all."""
    names = (
        [_name(GATE, endpoint, deployment)]
        if endpoint and deployment
        else _names(context, _name(GATE, endpoint) + "--" if endpoint else f"{GATE}-")
    )
    return tuple(_read(context, kept, GateReport) for kept in _newest(context, names, limit, endpoint, deployment))


def load_reports(context: Context, endpoint: str, limit: int) -> tuple[LoadReport, ...]:
    """The newest load reports, of one endpoint or of all."""
    names = [_name(LOAD, endpoint)] if endpoint else _names(context, f"{LOAD}-")
    return tuple(_read(context, kept, LoadReport) for kept in _newest(context, names, limit, endpoint, ""))


def _keep(context: Context, file: Path, name: str, report: GateReport | LoadReport, tags: Mapping[str, str]) -> None:
    write_atomic(file, msgspec.json.encode(plain(report)))
    common = {TAG: VERSION, ENDPOINT: report.endpoint, JOB: report.id, AT: f"{report.created_at:.3f}"}
    _register(context, file, name, report.id, {**common, **tags})
    _cached(context, report.id).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(_cached(context, report.id), file.read_bytes())


def _register(context: Context, file: Path, name: str, version: str, tags: Mapping[str, str]) -> None:
    """A file as a data asset; one that an earlier attempt has registered stays."""
    entities = sdk.module("azure.ai.ml.entities")
    asset = entities.Data(
        name=name, version=version, type="uri_file", path=str(file), tags=dict(tags), description="Made by Slipway"
    )
    with suppress(Conflict), context.asking("data", name) as client:
        client.data.create_or_update(asset)


def _name(*parts: str) -> str:
    return parts[0] + "-" + "--".join(parts[1:])


def _names(context: Context, prefix: str) -> list[str]:
    with context.asking() as client:
        return [str(found.name) for found in client.data.list() if str(found.name).startswith(prefix)]


def _newest(context: Context, names: list[str], limit: int, endpoint: str, deployment: str) -> Iterator[Kept]:
    found = [kept for name in names for kept in _versions(context, name)]
    ours = [
        kept
        for kept in found
        if endpoint in ("", kept.tags.get(ENDPOINT)) and deployment in ("", kept.tags.get(DEPLOYMENT))
    ]
    return iter(sorted(ours, key=lambda kept: kept.at, reverse=True)[:limit])


def _versions(context: Context, name: str) -> tuple[Kept, ...]:
    try:
        with context.asking("data", name) as client:
            found = [_kept(each) for each in client.data.list(name=name)]
    except NotFound:
        return ()
    return tuple(sorted((kept for kept in found if kept), key=lambda kept: kept.at, reverse=True))


def _kept(asset: Any) -> Kept | None:
    tags = dict(asset.tags or {})
    if KIND not in tags:
        return None
    return Kept(tags.get(JOB, ""), tags.get(VERDICT, ""), float(tags.get(AT, "0")), tags, str(asset.path))


def _read(context: Context, kept: Kept, kind: type[R]) -> R:
    """A report, downloaded once: it never changes."""
    cached = _cached(context, kept.job_id)
    if not cached.exists():
        folder = cached.parent / f"{kept.job_id}.arriving"
        download(context, kept.path, folder)
        files = list(folder.rglob("*.json"))
        if not files:
            raise SlipwayError(f"The report of job {kept.job_id} cannot be read: its file is gone")
        write_atomic(cached, files[0].read_bytes())
        shutil.rmtree(folder)
    return msgspec.json.decode(cached.read_bytes(), type=kind)


def _cached(context: Context, job_id: str) -> Path:
    return context.folder / "reports" / f"{job_id}.json"
