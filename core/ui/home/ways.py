"""Where what Home names is shown: a page, and what to choose there."""

from collections.abc import Mapping
from typing import NamedTuple

from core.domain.batch import BatchSpec
from core.domain.job import Job, JobKind
from core.domain.proof import GateSpec, LoadSpec


class Way(NamedTuple):
    """A page by its title, and the choices that its address carries."""

    page: str
    query: Mapping[str, str] = {}


def to_job(job: Job) -> Way:
    """The page that shows this job."""
    if job.kind is JobKind.AUTOML:
        return Way("Leaderboard", {"job": job.id})
    if isinstance(job.spec, GateSpec):
        return Way("Quality", {"endpoint": job.spec.endpoint})
    if isinstance(job.spec, LoadSpec) and job.spec.endpoint:
        return Way("Deploy", {"endpoint": job.spec.endpoint, "use": "Load test"})
    if isinstance(job.spec, BatchSpec):
        return Way("Deploy", {"endpoint": job.spec.endpoint, "use": "Batch"})
    return Way("Pipelines", {"run": job.id}) if job.kind is JobKind.PIPELINE else Way("Pipelines")
