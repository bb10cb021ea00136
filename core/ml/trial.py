"""One trial: out-of-fold predictions, a model of all rows, and everything that serving it will need, in one folder."""

import time
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from core.contract import samples
from core.domain.errors import TrainingFailed
from core.domain.signature import PARITY_LIMIT
from core.domain.training import Algorithm, Trial, TrialState
from core.ml.data.folds import split
from core.ml.data.table import read_training
from core.ml.finished import ARRAYS, MEMBER, NATIVE, OOF, PARITY, FinishedTrial, commit, fingerprint, record, stage
from core.ml.learners.learner import Fitted, Setup
from core.ml.learners.registry import LEARNERS
from core.ml.metrics import evaluate
from core.ml.parity import parity_rows
from core.ml.task import Rows, Stop, TrialStopped, TrialTask
from core.predict.encoder import Encoder
from core.predict.folder import member_arrays, member_json
from core.predict.members import Array

TRAINING_SHARE = 0.85
"""Of a trial's time; the rest is for reading, flattening and writing."""


def train(task: TrialTask, stop: Stop) -> None:
    """Do the task and leave its folder. Raises TrialStopped, TrainingFailed (its arrays would not reproduce it)."""
    started = time.monotonic()
    with threadpool_limits(task.threads):
        rows = read_training(task.problem, threads=task.threads)
        fits = _Fits(task, stop, started)
        out_of_fold, rounds = _cross_validate(fits, rows)
        fitted = fits.fit(rows, None, rounds)
        trial = Trial(
            task.number,
            task.algorithm,
            TrialState.SUCCEEDED,
            {**task.params, **({"rounds": rounds} if rounds else {})},
            evaluate(rows[1], out_of_fold),
            task.started_at,
        )
        _leave(task, fitted, out_of_fold, trial, started)


@dataclass(slots=True)
class _Fits:
    """The fits of one trial, which share its time: each may use its part of what the earlier ones left."""

    task: TrialTask
    stop: Stop
    started: float
    done: int = 0

    def fit(self, rows: Rows, held_out: Rows | None, rounds: int) -> Fitted:
        """Fit the task's algorithm. Raises TrialStopped."""
        if self.stop():
            raise TrialStopped
        problem, now = self.task.problem, time.monotonic()
        left = self.started + TRAINING_SHARE * self.task.seconds - now
        until = now + left / (problem.folds + 1 - self.done)
        self.done += 1
        setup = Setup(
            self.task.params,
            problem.classes,
            problem.codes,
            self.task.threads,
            problem.seed,
            self.stop,
            lambda: time.monotonic() > until,
        )
        return LEARNERS[Algorithm(self.task.algorithm)].fit(setup, rows, held_out, rounds)


def _cross_validate(fits: _Fits, rows: Rows) -> tuple[Array, int]:
    """Each row's probabilities from a model that never saw it, and the rounds for a model of all rows."""
    (matrix, labels), task = rows, fits.task
    fold = split(labels, task.problem.folds, task.problem.seed)
    out_of_fold, best = np.zeros((len(labels), task.problem.classes)), []
    for k in range(task.problem.folds):
        inside, held_out = fold != k, fold == k
        there = matrix[held_out], labels[held_out]
        fitted = fits.fit((matrix[inside], labels[inside]), there, 0)
        out_of_fold[held_out] = fitted.probabilities(there[0])
        best.append(fitted.rounds)
    return out_of_fold, round(float(np.mean(best)))


def _leave(task: TrialTask, fitted: Fitted, out_of_fold: Array, trial: Trial, started: float) -> None:
    problem = task.problem
    member = fitted.member()
    encoder = Encoder(problem.codes)
    matrix = encoder(samples.batch(problem.signature, parity_rows(problem.signature, problem.seed)))
    own = fitted.probabilities(matrix)
    if (apart := float(np.abs(own - member.probabilities(matrix)).max())) > PARITY_LIMIT:
        raise TrainingFailed(
            f"The arrays of {task.algorithm} give probabilities {apart:.2g} from its own, more than {PARITY_LIMIT}"
        )
    staged = stage(task.folder)
    np.save(staged / OOF, out_of_fold)
    np.save(staged / PARITY, own)
    np.savez_compressed(staged / ARRAYS, **member_arrays(member, ""))  # type: ignore[arg-type]
    described = {"member": member_json(member, "", 1.0), "encoder": encoder.to_json()}
    (staged / MEMBER).write_bytes(msgspec.json.encode(described))
    ending, content = fitted.native()
    if ending:
        (staged / NATIVE).mkdir()
        (staged / NATIVE / f"{task.number}-{ending}").write_bytes(content)
    done = replace(trial, duration_s=time.monotonic() - started)
    record(staged, FinishedTrial(done, task.folder, fingerprint(problem)))
    commit(staged, task.folder)
