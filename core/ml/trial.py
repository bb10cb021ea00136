"""One trial: what it says of rows that it never saw, and a model of its folds, in one folder."""

import time
from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from core.domain.errors import TrainingFailed
from core.domain.metrics import gain
from core.domain.training import Algorithm, Trial, TrialState
from core.ml.data.folds import Folds, Places, folds_of
from core.ml.data.table import read_judged
from core.ml.data.thinning import thinned, thinned_parts
from core.ml.featurize import FEATURES, Featurized, featurize, featurizers
from core.ml.finished import FinishedTrial, commit, fingerprint, leave_oof, record, refit_folder, stage
from core.ml.hopeless import may_wait, why_hopeless
from core.ml.learners.learner import Setup
from core.ml.learners.registry import LEARNERS
from core.ml.left import FittedPart, leave_model
from core.ml.metrics import evaluate, score
from core.ml.rounds import rounds_by_block, rounds_of_all
from core.ml.task import PLANNED, ROUNDS, TRAINING_ROWS, Rows, Stop, Tell, TrialProgress, TrialStopped, TrialTask
from core.predict.members import Array
from core.predict.steps import widened

OVER = 1.25
"""A fold that has taken so many times what is left for each of the others makes them learn from fewer rows..."""
LATE_ROWS_MIN = 1_000
"""...but from no fewer than these."""
TRAINING_SHARE = 0.85
"""Of a trial's time; the rest is for reading, flattening and writing..."""
JUDGE_TIMES, JUDGE_SHARE = 2.0, 0.5
"""...and up to this share where to answer and to judge takes long: at the end so many times what it took by fold.
A fit may take as long as its judging in any case: less learning would be no saving."""


def train(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Do the task and leave its folder. Raises TrialStopped, TrainingFailed (its arrays would not reproduce it)."""
    started = time.monotonic()
    with threadpool_limits(task.threads):
        rows, validation = read_judged(task.problem, threads=task.threads)
        folds = folds_of(task.problem, rows[1], validation, repeat=task.repeat)
        fits = _Fits(task, stop, started, 1 if task.refit else folds.count)
        if task.refit:
            _refit(fits, rows, validation)
        else:
            _cross_validate(fits, rows, folds, tell, folds_of(task.problem, rows[1], validation).block)


@dataclass(slots=True)
class _Fits:
    """The fits of one trial, which share its time: each may use its part of what the earlier ones left."""

    task: TrialTask
    stop: Stop
    started: float
    count: int
    took_s: list[float] = field(default_factory=list)
    """What each fit has taken."""
    judged_s: float = 0.0
    """What it took to answer and to judge the rows of the last fold."""

    def fit(self, rows: Rows, held_out: list[Rows], rounds: int = 0) -> FittedPart:
        """Fit the task's algorithm on the rows as its steps widen them. Raises TrialStopped."""
        if self.stop():
            raise TrialStopped
        problem, now = self.task.problem, time.monotonic()
        to_come = self.count - len(self.took_s)
        left = self.started + self._training_s(to_come) - now
        may_s = max(left / to_come, self.judged_s)
        until = now + may_s
        rows, held_out = self._thinned(rows, held_out, self._affordable(len(rows[1]), may_s))
        seen = featurize(self.task.params, rows, problem, self.task.threads)
        parts = [(widened(matrix, seen.steps), target) for matrix, target in held_out]
        setup = self._setup(seen, until)
        fitted = LEARNERS[Algorithm(self.task.algorithm)].fit(setup, (seen.matrix, rows[1]), parts, rounds)
        self.took_s.append(time.monotonic() - now)
        return FittedPart(fitted, seen.steps)

    def _training_s(self, to_come: int) -> float:
        """From the trial's start until its last fit should be done."""
        seconds = self.task.seconds
        to_judge_s = (to_come + JUDGE_TIMES * self.count) * self.judged_s
        return min(TRAINING_SHARE * seconds, max(JUDGE_SHARE * seconds, seconds - to_judge_s))

    def told(self, tell: Tell, progress: TrialProgress) -> None:
        """Tell, and take what the trial was held back for from its time."""
        began = time.monotonic()
        tell(progress)
        self.started += time.monotonic() - began

    def _affordable(self, rows: int, may_s: float) -> int:
        """On how many rows a fold may learn; 0: on as many as the task says.

        Where the folds before took longer than is left for each of the others, these learn from fewer rows: a trial
        that the end of the time cuts off has given nothing. What is made of trees stops adding them in time by itself.
        """
        if self.task.refit:
            return 0
        if may_s <= 0:
            return LATE_ROWS_MIN
        slowest = max(self.took_s, default=0.0)
        return max(LATE_ROWS_MIN, int(rows * may_s / slowest)) if slowest > OVER * may_s else 0

    def _thinned(self, rows: Rows, held_out: list[Rows], affordable: int) -> tuple[Rows, list[Rows]]:
        """As many of them as the task says, and as can be afforded."""
        asked, problem = int(self.task.params.get(TRAINING_ROWS) or 0), self.task.problem
        at_most = min(filter(None, (asked, affordable)), default=0)
        return (
            thinned(rows, at_most, problem.kind, problem.seed),
            thinned_parts(held_out, at_most, problem.kind, problem.seed),
        )

    def _setup(self, seen: Featurized, until: float) -> Setup:
        problem = self.task.problem
        return Setup(
            {name: value for name, value in self.task.params.items() if name not in (FEATURES, ROUNDS, *PLANNED)},
            problem.kind,
            problem.classes,
            seen.codes,
            self.task.threads,
            problem.seed + self.task.repeat,
            self.stop,
            lambda: time.monotonic() > until,
            problem.class_weights,
        )


@dataclass(slots=True)
class _Judged:
    """The folds of one trial so far."""

    fits: _Fits
    rows: Rows
    folds: Folds
    parts: list[FittedPart] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    """After which each fold's model has said what it is scored by."""
    said: Array = field(init=False)
    """Of each row, so far."""

    def __post_init__(self) -> None:
        self.said = np.full((len(self.rows[0]), self.fits.task.problem.outputs), np.nan)

    def fold(self, k: int) -> float:
        """Train the model of a fold and give its score, by the rounds that suit it best: for progress alone."""
        matrix, target = self.rows
        inside, there = self.folds.fold != k, self.folds.fold == k
        blocks = [there & (self.folds.block == b) for b in np.unique(self.folds.block[there])]
        part = self.fits.fit((matrix[inside], target[inside]), [(matrix[block], target[block]) for block in blocks])
        self.parts.append(part)
        began = time.monotonic()
        self.rounds.append(rounds_of_all(part.fitted.curves))
        said = part.fitted.probabilities(widened(matrix[there], part.steps), self.rounds[-1])
        self.said[there] = said
        self.scores.append(score(self.fits.task.problem.metric, target[there], said))
        self.fits.judged_s = time.monotonic() - began
        return self.scores[-1]

    def answers(self) -> Array:
        """What is said of each judged row, after the rounds that other blocks than its own have found best."""
        matrix, _ = self.rows
        curves = [part.fitted.curves for part in self.parts]
        for k, part in enumerate(self.parts):
            for block in np.unique(self.folds.block[self.folds.fold == k]):
                mine = (self.folds.fold == k) & (self.folds.block == block)
                rounds = rounds_by_block(curves, k, int(block))
                if rounds != self.rounds[k]:
                    self.said[mine] = part.fitted.probabilities(widened(matrix[mine], part.steps), rounds)
        return np.asarray(self.said[self.folds.judged])

    def kept(self) -> list[FittedPart]:
        """The models of the folds at the rounds that they are judged by."""
        curves = [part.fitted.curves for part in self.parts]
        if len(self.parts) == 1:
            return [replace(self.parts[0], rounds=rounds_of_all(curves[0]))]
        return [replace(part, rounds=rounds_by_block(curves, k, k)) for k, part in enumerate(self.parts)]


def _cross_validate(fits: _Fits, rows: Rows, folds: Folds, tell: Tell, block: Places) -> None:
    task, judged = fits.task, _Judged(fits, rows, folds)
    metric = task.problem.metric
    for k in range(folds.count):
        judged.fold(k)
        scores, rival = ([gain(metric, s) for s in some] for some in (judged.scores, task.rival))
        comparable = len(rival) == folds.count
        if comparable and (why := why_hopeless(scores, rival)):
            raise TrialStopped(why)
        waits = comparable and may_wait(scores, rival)
        fits.told(tell, TrialProgress(task.number, tuple(filter(isfinite, judged.scores)), waits))
    said, target = judged.answers(), rows[1][folds.judged]
    if not np.isfinite(said).all():
        raise TrainingFailed(f"{task.algorithm} gave answers that are no numbers")
    kept = judged.kept()
    staged = stage(task.folder)
    left = leave_model(staged, task, kept)
    leave_oof(staged, said)
    rounds = round(float(np.mean([part.rounds for part in kept])))
    trial = Trial(
        task.number,
        task.algorithm,
        TrialState.SUCCEEDED,
        {**task.params, **({ROUNDS: rounds} if rounds else {})},
        evaluate(task.problem.kind, target, said),
        task.started_at,
        fold_scores=tuple(_by_block(metric, target, said, block[folds.judged])),
        folds=folds.count,
        featurizer=_featurizer(task),
        predict_ms=left.predict_ms,
        size_bytes=left.size_bytes,
        fast=left.fast,
    )
    done = replace(trial, duration_s=time.monotonic() - fits.started)
    record(staged, FinishedTrial(done, task.folder, fingerprint(task.problem), estimated_ms=left.estimated_ms))
    commit(staged, task.folder)


def _featurizer(task: TrialTask) -> str:
    own = LEARNERS[Algorithm(task.algorithm)].featurizer_for(task.params)
    return ", ".join(filter(None, (*featurizers(task.params), own)))


def _by_block(metric: str, target: Array, said: Array, block: Places) -> list[float]:
    """The score of each block, which is a fold of a cross-validation: of a repeat, a fold of the first time.

    A block without a score is left out: one that has a single class.
    """
    return [s for b in np.unique(block) if isfinite(s := score(metric, target[block == b], said[block == b]))]


def _refit(fits: _Fits, rows: Rows, validation: int) -> None:
    """One model of all rows of the table, after as many rounds as the folds had, in a folder beside theirs."""
    task = fits.task
    own = slice(0, len(rows[1]) - validation)
    rounds = int(task.params.get(ROUNDS) or 0)
    part = fits.fit((rows[0][own], rows[1][own]), [], rounds)
    folder = refit_folder(task.folder)
    staged = stage(folder)
    leave_model(staged, task, [part])
    commit(staged, folder)
