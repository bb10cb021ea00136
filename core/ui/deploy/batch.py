"""The Batch tab: a whole table scored as a job, from a file or from data that is registered."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.domain.batch import BatchResult, BatchSpec
from core.domain.data import DataAsset
from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind, JobSpec, JobState, LogLine
from core.domain.model import Model
from core.domain.signature import Signature
from core.ui.kit import words
from core.ui.shell import actions, failures
from core.ui.shell.abilities import able
from core.ui.shell.live import FAST_S, live
from core.ui.shell.markup import literal
from core.workspace import Workspace

SHOWN_ROWS = 20
JOBS = 10


@dataclass(frozen=True, slots=True)
class BatchJobs:
    """The batch jobs of an endpoint, newest first, and the last word of the one that runs."""

    jobs: tuple[Job, ...]
    log: tuple[LogLine, ...]
    now: float


def show(workspace: Workspace, endpoint: Endpoint, model: Model) -> None:
    """Choose a table, score it, take the scored file."""
    given = st.file_uploader("A table to score", type=["csv", "parquet", "gz", "xz"], key="batch.file")
    if given is not None and st.button(
        "Score the file", type="primary", icon=":material/table:", key="batch.upload", **able("data.register")
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(given.name).name
            path.write_bytes(given.getvalue())
            asset = actions.run("Reading the file", workspace.data.register, f"{endpoint.name}-batch", str(path))
        if asset is not None:
            _submit(workspace, endpoint, model.signature, asset)
    known = {words.asset(asset.ref): asset for asset in workspace.data.list()}
    if known:
        with st.expander("Or data that is here already", icon=":material/database:"):
            name = st.selectbox("Data", list(known), key="batch.data")
            if st.button("Score it", key="batch.known"):
                _submit(workspace, endpoint, model.signature, known[name])
    live(lambda: _look(workspace, endpoint), _pace, lambda seen: _draw(workspace, seen))


def _submit(workspace: Workspace, endpoint: Endpoint, signature: Signature, asset: DataAsset) -> None:
    missing = [c.name for c in signature.used if not c.nullable and c.name not in asset.columns]
    if missing:
        failures.say(f"The table lacks what the model reads: {', '.join(missing)}", "Add these columns.")
        return
    spec = BatchSpec(endpoint.name, asset.ref.name, asset.ref.version)
    actions.apply("Queueing", workspace.jobs.submit, spec)


def _look(workspace: Workspace, endpoint: Endpoint) -> BatchJobs:
    jobs = workspace.jobs.list(JobKind.BATCH, limit=JOBS, endpoint=endpoint.name)
    running = next((job for job in jobs if not job.state.final), None)
    log = workspace.jobs.logs(running.id, limit=1) if running and workspace.can("jobs.logs") else ()
    return BatchJobs(jobs, log, time.time())


def _pace(seen: BatchJobs) -> float | None:
    return FAST_S if any(not job.state.final for job in seen.jobs) else None


def _draw(workspace: Workspace, seen: BatchJobs) -> None:
    for number, job in enumerate(seen.jobs):
        with st.container(border=True):
            st.markdown(f"**{_table(job.spec)}** :gray[{words.ago(job.created_at, seen.now)}]")
            if not job.state.final:
                said = seen.log[-1].text if seen.log else "waiting"
                st.markdown(f":blue[:material/progress_activity:] {literal(said)}")
            elif job.state is not JobState.SUCCEEDED:
                failures.say(job.message or "It was canceled.", job.hint)
            else:
                _result(workspace, job, opened=number == 0)


def _table(spec: JobSpec) -> str:
    """What a batch job scores: a data version, or a file by its name."""
    if not isinstance(spec, BatchSpec):
        return ""
    return Path(spec.source).name if spec.source else f"{spec.data}, version {spec.data_version}"


def _result(workspace: Workspace, job: Job, *, opened: bool) -> None:
    if isinstance(job.result, BatchResult):
        why = " The column `problem` says why." if job.result.refused else ""
        st.markdown(f"{words.plural(job.result.scored, 'row')} scored, {words.count(job.result.refused)} refused.{why}")
    with workspace.jobs.open_output(job.id) as file:
        st.download_button("Download the scored table", file, "scored.csv", "text/csv", key=f"batch.get.{job.id}")
        if opened:
            file.seek(0)
            shown = _answers_first(pd.read_csv(file, nrows=SHOWN_ROWS))
            st.dataframe(shown, hide_index=True, key=f"batch.rows.{job.id}")


def _answers_first(scored: pd.DataFrame) -> pd.DataFrame:
    """In the file the answers follow the table's own columns; on the page a wide table would hide them."""
    names = list(scored.columns)
    at = max((number for number, name in enumerate(names) if name.startswith("prediction")), default=0)
    return scored[names[at:] + names[:at]]
