"""The Batch tab: a whole table scored as a job, from a file or from data that is registered."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from core.domain.batch import BatchResult, BatchSpec
from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind, JobSpec, JobState, LogLine
from core.domain.model import Model
from core.ui.kit import words
from core.ui.shell import actions, cached, failures
from core.ui.shell.abilities import able
from core.ui.shell.live import FAST_S, live
from core.ui.shell.markup import literal
from core.workspace import Workspace

SHOWN_ROWS = 20
JOBS = 10
ENDINGS = ["csv", "tsv", "txt", "data", "json", "jsonl", "ndjson", "parquet", "gz", "xz", "bz2"]
"""Of the files that the uploader offers to choose; what a file is, its bytes tell."""


@dataclass(frozen=True, slots=True)
class BatchJobs:
    """The batch jobs of an endpoint, newest first, and the last word of the one that runs."""

    jobs: tuple[Job, ...]
    log: tuple[LogLine, ...]
    now: float


def show(workspace: Workspace, endpoint: Endpoint, model: Model) -> None:
    """Choose a table, score it, take the scored file."""
    limit = workspace.settings.upload_max_mb
    given = st.file_uploader("A table to score", type=ENDINGS, max_upload_size=limit, key="batch.file")
    if given is not None and st.button(
        "Score the file", type="primary", icon=":material/table:", key="batch.upload", **able("jobs.submit_file")
    ):
        given.seek(0)
        spec = BatchSpec(endpoint.name, source=given.name)
        actions.apply("Reading the file", workspace.jobs.submit_file, spec, given)
    known = {words.asset(asset.ref): asset for asset in workspace.data.list()}
    if known:
        with st.expander("Or score a registered table", icon=":material/database:"):
            name = st.selectbox("Data", list(known), key="batch.data")
            if st.button("Score the table", key="batch.known"):
                ref = known[name].ref
                actions.apply("Queueing", workspace.jobs.submit, BatchSpec(endpoint.name, ref.name, ref.version))
    live(lambda: _look(workspace, endpoint), _pace, lambda seen: _draw(workspace, seen))


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
            st.markdown(f"**{literal(_table(job.spec))}** :gray[{words.ago(job.created_at, seen.now)}]")
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
        st.markdown(
            f"{words.plural(job.result.scored, 'row')} scored, {words.count(job.result.refused)} rejected.{why}"
        )
    # The file is read when somebody asks for it, not each time that the page looks whether a job has ended.
    st.download_button(
        "Download the scored table",
        partial(workspace.jobs.open_output, job.id),
        "scored.csv",
        "text/csv",
        key=f"batch.get.{job.id}",
        on_click="ignore",
    )
    if opened:
        shown = _answers_first(cached.scored(job.id, SHOWN_ROWS))
        st.dataframe(shown, hide_index=True, key=f"batch.rows.{job.id}")


def _answers_first(scored: pd.DataFrame) -> pd.DataFrame:
    """In the file the answers follow the table's own columns; on the page a wide table would hide them."""
    names = list(scored.columns)
    at = max((number for number, name in enumerate(names) if name.startswith("prediction")), default=0)
    return scored[names[at:] + names[:at]]
