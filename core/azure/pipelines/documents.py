"""Runs as Azure gives them: the pipeline job, and its children, which are the steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from core.azure.arm import ask_all
from core.azure.context import ML_SCOPE, Context
from core.azure.job_reading import STATES
from core.azure.kept import found
from core.azure.pipelines import words
from core.azure.pipelines.published import moment
from core.domain.errors import SlipwayError
from core.domain.job_state import JobState

API = "2024-01-01-preview"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A pipeline job of ours, as the list of jobs has it."""

    id: str
    about: Document
    created_at: float

    @property
    def tags(self) -> Mapping[str, str]:
        """Where the endpoint has passed them on as properties alone, these."""
        return {**(self.about.get("properties") or {}), **(self.about.get("tags") or {})}

    @property
    def pipeline(self) -> str:
        return str(self.tags.get(words.NAME, ""))

    @property
    def version(self) -> int:
        number = str(self.tags.get(words.AT, ""))
        return int(number) if number.isdecimal() else 0

    @property
    def state(self) -> JobState:
        return state_of(self.about.get("status"))

    @property
    def stopping(self) -> bool:
        return str(self.about.get("status")).lower() in ("cancelrequested", "canceled")

    @property
    def experiment_name(self) -> str:
        return str(self.about.get("experimentName") or "")

    @property
    def values(self) -> dict[str, Any] | None:
        """Every parameter's value; None for a run that somebody has started without Slipway."""
        return found(words.VALUES, self.about.get("properties"), dict[str, Any])

    @property
    def inputs(self) -> dict[str, Any]:
        """Literal inputs, as texts."""
        given = self.about.get("inputs") or {}
        return {name: each.get("value") for name, each in given.items() if isinstance(each, dict)}


def state_of(status: Any) -> JobState:
    """A state that is not known yet is one that goes on."""
    return STATES.get(str(status or "").lower(), JobState.RUNNING)


def runs(context: Context) -> list[RunDocument]:
    """Every run of every pipeline of ours, the newest first."""
    listed = ask_all(context, f"{context.target.path}/jobs", API, jobType="Pipeline")
    read = [document(each) for each in listed]
    ours = [each for each in read if each.pipeline and each.about.get("jobType", "Pipeline") == "Pipeline"]
    # Of two in one instant the one that is listed first is the newer.
    return sorted(ours, key=lambda run: -run.created_at)


def document(job: Document) -> RunDocument:
    """One entry of the list of jobs."""
    created = moment((job.get("systemData") or {}).get("createdAt"))
    return RunDocument(str(job.get("name")), job.get("properties") or {}, created)


def children(context: Context, run_id: str) -> list[Document]:
    """The steps that have begun, as run history tells."""
    below = f"history/v1.0{context.target.path}/runs/{quote(run_id, safe='')}/children"
    url: str | None = f"https://{context.region}.api.azureml.ms/{below}"
    begun: list[Document] = []
    while url:
        reply = context.http("GET", url, scope=ML_SCOPE)
        if reply.status_code == 404:
            return begun
        if reply.status_code != 200:
            raise SlipwayError(f"Azure refused to tell the steps of run {run_id}: {reply.text[:200]}")
        page = reply.json()
        begun += page.get("value") or []
        url = page.get("nextLink")
    return begun
