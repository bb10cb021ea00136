"""Jobs: work that is queued, watched and ended; a training job's trials."""

from collections.abc import Sequence
from typing import BinaryIO

from core.domain.data import DataRef
from core.domain.job import Job, JobKind, JobSpec, LogLine
from core.domain.training import Comparison, Trial, TrialDetail
from core.workspace.collection import Collection


class Jobs(Collection):
    """Jobs: work that is queued, watched and ended; a training job's trials."""

    noun = "jobs"

    def submit(self, spec: JobSpec, *, parent_id: str = "") -> Job:
        """Queue a job and return it. The `source` of a batch has been read by then.

        Raises DataNotFound, SourceUnreadable, TableUnusable (also for a target that cannot be learned).
        """
        self._cannot("submit")

    def get(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound."""
        self._cannot("get")

    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        """The newest `limit` of the jobs of one kind, on one endpoint, in one experiment, of one data version.

        A filter that is not given lets everything through.
        """
        self._cannot("list")

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end; a final one is left as it is. Raises JobNotFound."""
        self._cannot("cancel")

    def extend(self, job_id: str, timeout_s: float) -> Job:
        """Give an ended training job more time: a new job that starts from its trials. Raises JobNotFound, Conflict."""
        self._cannot("extend")

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        """A training job's trials by number, finished or running. Raises JobNotFound."""
        self._cannot("trials")

    def trial(self, job_id: str, number: int) -> TrialDetail:
        """One trial with its log. Raises JobNotFound."""
        self._cannot("trial")

    def compare(self, picks: Sequence[tuple[str, int]]) -> Comparison:
        """Trials (job id, number) of any jobs side by side. Raises JobNotFound."""
        self._cannot("compare")

    def open_output(self, job_id: str) -> BinaryIO:
        """What a batch job wrote, open for reading; the caller closes it.

        Raises JobNotFound, Conflict while there is none.
        """
        self._cannot("open_output")

    def logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        """The last `limit` lines of a job's log, oldest first. Raises JobNotFound."""
        self._cannot("logs")
