"""What trials have left in their job's folder, read again beside the table they were judged on.

Figures that were computed from it are kept there too: aggregates alone, since of a table's rows nothing is kept twice,
not even their target.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from core.domain.errors import Conflict, DataNotFound, JobNotFound
from core.domain.job import Job
from core.domain.training import TrainingSpec, Trial, TrialState
from core.durable import write_atomic
from core.local.context import Context
from core.local.deleted import files

if TYPE_CHECKING:
    from core.ml.explain.held import Held
    from core.ml.explain.judged import Judged
    from core.ml.finished import FinishedTrial
    from core.ml.task import LearningProblem
    from core.predict.members import Array

FOLDER = "explained"
VERSION = 2
"""Of the figures that are kept: what another version has kept is computed again."""
JOBS_HELD = 4
"""The targets of so many jobs stay in memory, for the several charts of one page."""

T = TypeVar("T")


class TrialFiles:
    """Of one workspace. Imports of the engine stand where they are used: an app starts without it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._judged: OrderedDict[str, Judged] = OrderedDict()
        self._one = threading.RLock()
        """Two who ask for the same wait for one computation."""

    def job(self, job_id: str) -> tuple[Job, TrainingSpec]:
        """A training job. Raises JobNotFound, Conflict for another kind."""
        job = self._context.store.jobs.get(job_id)
        if not isinstance(job.spec, TrainingSpec):
            raise Conflict(f"Job '{job_id}' ({job.kind}) has no trials", hint="Name a training job")
        return job, job.spec

    def finished(self, job_id: str, number: int) -> "FinishedTrial":
        """What a trial has left. Raises JobNotFound, Conflict for one that left nothing."""
        from core.ml.finished import read_trial

        trial = next((t for t in self.trials(job_id) if t.number == number), None)
        if trial is None:
            raise JobNotFound(f"Job '{job_id}' has no trial {number}", hint="`job trials` shows them")
        if trial.state is not TrialState.SUCCEEDED:
            why = f": {trial.error}" if trial.error else ""
            raise Conflict(
                f"Trial {number} of job '{job_id}' {trial.state}{why}", hint="A trial that succeeded can be explained"
            )
        with self.leaving(job_id, number):
            return read_trial(self._context.paths.trials(job_id) / str(number))

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        """A training job's trials by number. Raises JobNotFound, Conflict."""
        self.job(job_id)
        return self._context.store.trials.list(job_id)

    def problem(self, job_id: str) -> "LearningProblem":
        """What every trial of a job has solved. Raises JobNotFound, Conflict where its table is gone."""
        from core.ml.data.prepare import pose
        from core.ml.data.profile import from_json

        _, spec = self.job(job_id)
        paths = self._context.paths
        with self.reading(job_id):
            data = self._context.store.data.get(spec.data)
            judge = self._context.store.data.get(spec.validation_data) if spec.validation_data else None
            profile = from_json(msgspec.json.decode(paths.profile(data.name, data.content_id).read_bytes()))
            table = paths.table(data.name, data.content_id)
            return pose(table, spec, profile, paths.table(judge.name, judge.content_id) if judge else None)[0]

    def judged(self, job_id: str) -> "Judged":
        """The rows that judge the job's trials. Raises JobNotFound, Conflict where its table is gone."""
        from core.ml.explain.judged import judged_of

        with self._one:
            if job_id not in self._judged:
                problem = self.problem(job_id)
                with self.reading(job_id):
                    self._judged[job_id] = judged_of(problem)
                while len(self._judged) > JOBS_HELD:
                    self._judged.popitem(last=False)
            self._judged.move_to_end(job_id)
            return self._judged[job_id]

    def held(self, job_id: str, repeats: Sequence[int] = (0,)) -> "Held":
        """The encoded rows that judge the job's trials, for a model of which each bag is one of these repeats.

        They are not held longer than they are used.
        """
        from core.ml.explain.held import Held
        from core.ml.explain.judged import folds_again, matrix_of

        judged = self.judged(job_id)
        with self.reading(job_id):
            matrix = matrix_of(judged)
        return Held(matrix, judged.target, folds_again(judged, repeats))

    def asked(self, job_id: str, number: int) -> tuple["Judged", "Array"]:
        """The rows that judge a trial with what it says of them. Raises JobNotFound, Conflict."""
        finished = self.finished(job_id, number)
        judged = self.judged(job_id)
        self.check(job_id, finished, judged)
        with self.leaving(job_id, number):
            return judged, finished.oof()

    def check(self, job_id: str, finished: "FinishedTrial", judged: "Judged") -> None:
        """Raises Conflict for a trial that another version of Slipway has trained, on other codes."""
        from core.ml.finished import fingerprint

        if finished.problem != fingerprint(judged.problem):
            raise Conflict(
                f"Trial {finished.trial.number} of job '{job_id}' was trained by another version of Slipway",
                hint="Train again to have it explained",
            )

    def kept(self, job_id: str, number: int, name: str, kind: Any, compute: Callable[[], T]) -> T:
        """What was computed of a trial before, or what is now. Raises what `finished` and `compute` raise."""
        self.finished(job_id, number)
        path = self._context.paths.trials(job_id) / str(number) / FOLDER / f"{name}.v{VERSION}.json"
        with self._one:
            try:
                found: T = msgspec.json.decode(path.read_bytes(), type=kind)
            except (OSError, msgspec.DecodeError):
                found = compute()
                write_atomic(path, msgspec.json.encode(found))
            return found

    @contextmanager
    def reading(self, job_id: str) -> Iterator[None]:
        """Reads the tables of a job within. Raises Conflict where one of them was deleted."""
        _, spec = self.job(job_id)
        try:
            with files(self._context.store, spec.data), files(self._context.store, spec.validation_data or spec.data):
                yield
        except DataNotFound as e:
            raise Conflict(f"The table of job '{job_id}' is gone: {e.message}", hint="Train again to explain") from e

    @contextmanager
    def leaving(self, job_id: str, number: int) -> Iterator[None]:
        """Reads what a trial has left within. Raises Conflict where that is gone."""
        try:
            yield
        except FileNotFoundError as e:
            raise Conflict(
                f"The files of trial {number} of job '{job_id}' are gone", hint="Train again to explain"
            ) from e
