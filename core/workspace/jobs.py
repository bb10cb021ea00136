"""Jobs: work that is queued, watched and ended; a training job's trials."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.explanation import (
    Explanation,
    Fairness,
    Importance,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.job import Job, JobKind, JobSpec, LogLine
from core.domain.signature import Scalar, Signature
from core.domain.training import Comparison, Trial, TrialDetail
from core.workspace.collection import Collection


class Jobs(Collection):
    """Jobs: work that is queued, watched and ended; a training job's trials."""

    noun = "jobs"

    def submit(self, spec: JobSpec, *, parent_id: str = "") -> Job:
        """Queue a job and return it, queued: its spec names the data's version and the table's own column names.

        A training's target and inputs are looked at before it is queued (`core.ml.data.guardrails`). The `source` of a
        batch has been read by then, and a batch's table has the columns that the model needs. A load goes to the
        endpoint of this workspace that listens at its target, and no key is kept with it. For a kind of job that a
        backend does not do it raises NotSupported; such a backend also lacks the verb that reads what the kind leaves,
        and so the app and the command line know: `jobs.trials` for training, `jobs.open_output` for batches,
        `proofs.load_reports` for loads.

        Raises DataNotFound, EndpointNotFound, SourceUnreadable, TableUnusable (also for a target that cannot be
        learned), SpecInvalid for a column or compute that is not there, for a load on somebody else's server, and for a
        gate or a pipeline's run, which `proofs.run_gate` and `pipelines.trigger` queue.
        """
        self._cannot("submit")

    def submit_file(self, spec: BatchSpec, stream: BinaryIO) -> Job:
        """Queue a batch job on the table that `stream` gives, to its end; `spec.source` is the file's own name.

        It is read in pieces and kept for this job alone: no data asset comes of it, and nothing of one that is refused
        stays. Raises what `submit` raises, and PayloadTooLarge above the setting `upload_max_mb`.
        """
        self._cannot("submit_file")

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

        A filter that is not given lets everything through; one that names nothing that is there lets nothing through.
        `data` has the number of a version.
        """
        self._cannot("list")

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end, with its children: one that waits is canceled now, one that runs soon (`cancel_requested`).

        A final one is left as it is. Raises JobNotFound.
        """
        self._cannot("cancel")

    def cancel_trial(self, job_id: str, number: int) -> Trial:
        """Ask one running trial of a training job to end; the job goes on, and the trial is stopped soon.

        A trial that has ended is left as it is. Raises JobNotFound, also for a trial that is not there.
        """
        self._cannot("cancel_trial")

    def extend(self, job_id: str, timeout_s: float) -> Job:
        """Give an ended training job more time: a new job that starts from its trials. Raises JobNotFound, Conflict."""
        self._cannot("extend")

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        """A training job's trials by number, finished or running; none of another kind of job. Raises JobNotFound."""
        self._cannot("trials")

    def trial(self, job_id: str, number: int) -> TrialDetail:
        """One trial with its log. Raises JobNotFound, also for a trial that is not there."""
        self._cannot("trial")

    def compare(self, picks: Sequence[tuple[str, int]]) -> Comparison:
        """Trials (job id, number) of any jobs side by side, in the order of `picks`. Raises JobNotFound."""
        self._cannot("compare")

    def compare_pair(self, first: tuple[str, int], second: tuple[str, int], metric: str = "") -> PairedDifference:
        """The gain of one trial (job id, number) over another on the same rows, by the first job's primary metric.

        Raises what `curves` raises, and SpecInvalid for trials that are judged on different rows, or for a metric that
        is none.
        """
        self._cannot("compare_pair")

    def winner(self, job_id: str) -> Winner:
        """Why the best trial so far won, and over whom it is better beyond luck. Raises JobNotFound, Conflict."""
        self._cannot("winner")

    def curves(self, job_id: str, number: int) -> TrialCurves:
        """The charts of a trial's predictions on rows that its models never saw.

        They are computed when they are first asked for, and kept. Raises JobNotFound, also for a trial that is not
        there, Conflict for one that has no predictions, or whose table is gone.
        """
        self._cannot("curves")

    def thresholds(self, job_id: str, number: int, class_name: Scalar | None = None) -> ThresholdTable:
        """What is predicted at each of 1,001 thresholds of a class's probability; None is the positive class.

        Raises what `curves` raises, and SpecInvalid for a class that is not there, or a regression.
        """
        self._cannot("thresholds")

    def fold_metrics(self, job_id: str, number: int) -> tuple[MetricSpread, ...]:
        """Every metric of a trial with its value on each fold. Raises what `curves` raises."""
        self._cannot("fold_metrics")

    def importance(self, job_id: str, number: int) -> Importance:
        """Which columns a trial goes by, on a sample of rows that its models never saw. Raises what `curves` raises."""
        self._cannot("importance")

    def partial_dependence(
        self, job_id: str, number: int, column: str, class_name: Scalar | None = None
    ) -> PartialDependence:
        """How a trial's answer changes with one column. Raises what `thresholds` raises, and SpecInvalid for a column
        that the model does not read.
        """
        self._cannot("partial_dependence")

    def fairness(
        self,
        job_id: str,
        number: int,
        column: str,
        threshold: float | None = None,
        class_name: Scalar | None = None,
    ) -> Fairness:
        """How a trial does on the groups of any column of its table; without a threshold, at the model's own.

        Numbers are grouped by ranges. Raises what `thresholds` raises, and SpecInvalid for a column that is not there.
        """
        self._cannot("fairness")

    def explain(
        self, job_id: str, number: int, row: Mapping[str, Any], class_name: Scalar | None = None
    ) -> Explanation:
        """What each column contributes to one row's score by a trial's model, as `models.explain`.

        Raises JobNotFound, Conflict for a trial that has no model, PayloadInvalid, SpecInvalid for a class that is not
        there.
        """
        self._cannot("explain")

    def signature(self, job_id: str) -> Signature:
        """What the models of a training job take and give. Raises JobNotFound, Conflict where its table is gone."""
        self._cannot("signature")

    def open_output(self, job_id: str) -> BinaryIO:
        """The table (CSV) that a batch job wrote, open for reading from any place; the caller closes it.

        Raises JobNotFound, Conflict while there is none, and for another kind of job.
        """
        self._cannot("open_output")

    def logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        """The last `limit` lines of a job's log, oldest first; none before it has begun. Raises JobNotFound."""
        self._cannot("logs")
