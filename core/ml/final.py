"""What is made of the finished trials: ensembles, the winner with figures that hold, its threshold and its refits."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

import numpy as np

from core.domain.signature import Signature
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialState
from core.ml.data.prepare import Prepared
from core.ml.ensembles.allowance import Allowance, refit_s
from core.ml.ensembles.making import Ensemble, Judged, calibrated, chosen, stacked, vote_of
from core.ml.ensembles.threshold import costs_of, decided_by
from core.ml.ensembles.weighing import FIRST_MAX, FIRST_OF_A_KIND
from core.ml.executor import Executor
from core.ml.finished import FinishedTrial, commit, leave_oof, record, refit_folder, stage
from core.ml.leaderboard import Leaderboard
from core.ml.metrics import evaluate, score
from core.ml.result import SearchResult
from core.ml.task import TrialTask
from core.predict.combination import Vote
from core.predict.folder import combination_json
from core.predict.members import Array

CANDIDATES_MAX = 16
"""The best trials, of which a vote is made and among which the winner is chosen; others of other kinds join them."""
CELLS_MAX = 30_000_000
"""So many numbers their answers have at most; of wide answers to many rows there are fewer candidates."""
FIRST_CHECKPOINT = 3
WITHOUT_MAX = 6
"""So often a member that does not fit is left out before there is no vote."""
WRITE_S, WRITE_COLUMNS = 1.0, 1_500
"""To write the model and to register it takes about so long, and as long again for each so many columns."""
PREPARE_S, PREPARE_COLUMNS = 0.5, 2_500
"""What preparing takes on a calm machine, in the same terms."""
SLOW_MAX = 2.0
"""How much slower the machine may be taken to be: while preparing, it loads the learners, too."""
JUDGE_TIMES = 10.0
"""The winner's figures take so many times what the metric of each block takes."""
ENDING_SLACK = 1.5
"""The last ensembles may take so many times what those before took."""
REFIT_END_S = 1.0
"""Writing the model takes its time after the last refit."""


@dataclass
class Final:
    """The ensembles of one search, kept up to date while it runs: whenever it ends, the best so far is there."""

    spec: TrainingSpec
    prepared: Prepared
    folder: Path
    board: Leaderboard
    executor: Executor
    clock: Callable[[], float]
    on_trial: Callable[[Trial], None]
    number: Callable[[], int]
    """The next number that is free."""
    prepared_s: float = 0.0
    """What preparing took."""
    due: int = FIRST_CHECKPOINT
    scores: dict[int, Array] = field(default_factory=dict)
    """The metric of each block, by trial: they are asked for again and again."""
    made_s: float = 0.0
    """What the ensembles took the last time they were made, for each of the trials that they were made of."""
    judged_s: float | None = None
    """What the metric of each block of one trial took; None where no trial has succeeded."""
    refit_s: float = 0.0
    """About how long the refits would take that the best so far needs."""

    def __post_init__(self) -> None:
        costs_of(self.spec.cost_matrix, self.prepared.problem)

    @property
    def ending_s(self) -> float:
        """About how long `result` would take, and the writing of the model after it."""
        return (
            writing_s(len(self.prepared.problem.codes), self.prepared_s)
            + JUDGE_TIMES * (self.judged_s or 0.0)
            + ENDING_SLACK * self.made_s * min(CANDIDATES_MAX + FIRST_MAX, len(self.board.ranked))
        )

    def checkpoint(self, left_s: float) -> None:
        """Make the ensembles anew where twice as many trials as the last time have succeeded, and time is `left_s`."""
        if self.judged_s is None:
            began = self.clock()
            self._score(self.board.ranked[0], self.board.ranked[0].oof())
            self.judged_s = self.clock() - began
        if len(self.board.ranked) >= self.due and left_s > self.ending_s:
            self.due = 2 * len(self.board.ranked)
            self._ensembles(self._candidates(), lambda: False)

    def result(self, left: Callable[[], float], should_stop: Callable[[], bool]) -> SearchResult:
        """The best of the best trial and the ensembles, in what is `left` of the time (seconds)."""
        candidates = self._candidates()
        made = [] if should_stop() else self._ensembles(candidates, lambda: left() < 0 or should_stop())
        single, their = self._single(candidates)
        at, said = chosen(self._judged, [their, *(one.oof() for one in made)])
        winner = made[at - 1] if at else single
        best = replace(winner.trial, metrics=evaluate(self._judged.kind, self.prepared.target, said))
        signature, notes = decided(self.spec, self.prepared, said)
        members = tuple(zip(winner.trial.members or (best.number,), winner.weights or (1.0,), strict=True))
        served_by = [self._finished(number) for number, _ in members]
        refitted = self._refits(served_by, left, should_stop)
        notes += self._allowance.notes(served_by, refitted)
        if slow := sorted({f.trial.algorithm for f in served_by if not self._may_serve(f.trial)}):
            notes += (f"{', '.join(slow)} answers slowly, and is the best only since no faster algorithm succeeded",)
        return SearchResult(
            best, members, signature, self.prepared.guardrails, (*self.prepared.notes, *notes), self.folder,
            winner.combination, refitted, self.prepared.problem.table,
        )  # fmt: skip

    @property
    def _judged(self) -> Judged:
        problem = self.prepared.problem
        return Judged(
            problem.kind, problem.metric, self.prepared.target, self.prepared.blocks, problem.seed,
            problem.class_weights,
        )  # fmt: skip

    @property
    def _allowance(self) -> Allowance:
        return Allowance(self.spec.max_predict_ms)

    def _candidates(self) -> list[FinishedTrial]:
        """The best trials that may be served, best first. Those without a fast path only where they were asked for."""
        fit = [f for f in self.board.ranked if self._may_serve(f.trial)] or self.board.ranked
        small = [f for f in fit if self._allowance.refits([f]) is not None]
        usable = small or sorted(fit, key=self._dearness)[:1]
        cells = len(self.prepared.target) * self.prepared.problem.outputs
        most = max(4, min(CANDIDATES_MAX, CELLS_MAX // max(1, cells)))
        numbers = {f.trial.number for f in (*usable[:most], *_of_several_kinds(usable)[: most // 2])}
        return [f for f in usable if f.trial.number in numbers]

    def _may_serve(self, trial: Trial) -> bool:
        return trial.fast or trial.algorithm in self.spec.allowed_training_algorithms

    def _single(self, candidates: Sequence[FinishedTrial]) -> tuple[FinishedTrial, Array]:
        """The best single trial, and what is said of each block by the one that is best on the others."""
        answers = [f.oof() for f in candidates]
        for finished, said in zip(candidates, answers, strict=True):
            self._score(finished, said)
        _, crossed = chosen(self._judged, answers, np.array([self.scores[f.trial.number] for f in candidates]))
        return candidates[0], crossed

    def _score(self, finished: FinishedTrial, said: Array) -> None:
        if finished.trial.number not in self.scores:
            self.scores[finished.trial.number] = self._judged.by_block(said)

    def _ensembles(self, candidates: Sequence[FinishedTrial], late: Callable[[], bool]) -> list[FinishedTrial]:
        """The vote, and the stack where it beats that, as trials of their own; and how long that took is kept."""
        if not self.spec.enable_vote_ensemble and not self.spec.enable_stack_ensemble:
            return []
        began = self.clock()
        made = self._made(candidates, late, began)
        self.made_s = (self.clock() - began) / max(1, len(candidates))
        return made

    def _made(self, candidates: Sequence[FinishedTrial], late: Callable[[], bool], began: float) -> list[FinishedTrial]:
        chosen_from = list(candidates)
        said = np.array([f.oof() for f in chosen_from])
        for _ in range(WITHOUT_MAX):
            kinds = [f.trial.algorithm for f in chosen_from]
            found = vote_of(self._judged, said, kinds) if len(chosen_from) > 1 and not late() else None
            if found is None:
                return []
            vote, by_block = found
            members = [chosen_from[at] for at in vote.members]
            if (refits := self._allowance.refits(members)) is not None:
                break
            out = chosen_from.index(max(members, key=self._dearness))
            del chosen_from[out]
            said = np.delete(said, out, axis=0)
        else:
            return []
        trials = [f.trial for f in members]
        self.refit_s = sum(refit_s(t) for t in trials if t.number in refits)
        made = []
        if self.spec.enable_vote_ensemble:
            made.append((Algorithm.VOTING_ENSEMBLE, calibrated(self._judged, vote)))
        if self.spec.enable_stack_ensemble and not late() and (stack := stacked(self._judged, said, vote, by_block)):
            made.append((Algorithm.STACK_ENSEMBLE, stack))
        return [self._hold(algorithm, ensemble, trials, began) for algorithm, ensemble in made]

    def _hold(self, algorithm: Algorithm, made: Ensemble, members: Sequence[Trial], began: float) -> FinishedTrial:
        """Make an ensemble a trial, on disk and told; what an earlier checkpoint made has its place."""
        earlier = next((f for f in self.board.trials if self._ours(f, algorithm)), None)
        number = earlier.trial.number if earlier else self.number()
        combination = combination_json(made.combination)
        if earlier and earlier.combination == combination and earlier.trial.members == tuple(t.number for t in members):
            return earlier
        problem = self.prepared.problem
        running = Trial(number, algorithm, TrialState.RUNNING, started_at=began, folds=problem.folds)
        if not earlier:
            self.on_trial(running)
        trial = replace(
            running,
            state=TrialState.SUCCEEDED,
            params=_params(made, members),
            metrics=evaluate(problem.kind, self.prepared.target, made.said),
            duration_s=self.clock() - began,
            members=tuple(t.number for t in members),
            fold_scores=self._by_block(made.said),
            predict_ms=sum(t.predict_ms for t in members),
            size_bytes=sum(t.size_bytes for t in members),
            fast=all(t.fast for t in members),
        )
        folder = self.folder / str(number)
        finished = FinishedTrial(trial, folder, self.board.problem, made.weights, combination)
        staged = stage(folder)
        leave_oof(staged, made.said)
        record(staged, finished)
        commit(staged, folder)
        self.board.put(finished)
        self.on_trial(trial)
        return finished

    def _ours(self, finished: FinishedTrial, algorithm: Algorithm) -> bool:
        trial = finished.trial
        return trial.algorithm == algorithm and finished.problem == self.board.problem and bool(trial.members)

    def _by_block(self, said: Array) -> tuple[float, ...]:
        judged = self._judged
        parts = (judged.blocks == block for block in np.unique(judged.blocks))
        scores = (score(judged.metric, judged.target[part], said[part]) for part in parts)
        return tuple(filter(isfinite, scores))

    def _dearness(self, finished: FinishedTrial) -> tuple[float, int]:
        return self._allowance.share(finished), finished.trial.number

    def _finished(self, number: int) -> FinishedTrial:
        return next(f for f in self.board.singles if f.trial.number == number)

    def _refits(
        self, members: Sequence[FinishedTrial], left: Callable[[], float], should_stop: Callable[[], bool]
    ) -> tuple[int, ...]:
        """Refit the members that would be too large or slow as the mean of their folds; in time, or not at all."""
        wanted = self._allowance.refits(members) or ()
        trials = [f.trial for f in members if f.trial.number in wanted]
        open_to = [t for t in trials if not refit_folder(self.folder / str(t.number)).exists()]

        def over() -> bool:
            return should_stop() or left() < REFIT_END_S

        if open_to and not over():
            tasks = (self._task(trial, left()) for trial in open_to)
            for _ in self.executor.run(tasks, over):
                pass
        return served(members, self.folder, self.spec)

    def _task(self, trial: Trial, seconds: float) -> TrialTask:
        return TrialTask(
            trial.number, trial.algorithm, trial.params, self.prepared.problem, self.folder / str(trial.number),
            self.executor.threads, max(1.0, seconds), self.clock(), refit=True,
        )  # fmt: skip


def writing_s(columns: int, prepared_s: float) -> float:
    """About how long it will take to write and register a model of so many columns, by what preparing them took."""
    slow = prepared_s / (PREPARE_S * (1 + columns / PREPARE_COLUMNS))
    return WRITE_S * (1 + columns / WRITE_COLUMNS) * min(max(1.0, slow), SLOW_MAX)


def decided(spec: TrainingSpec, prepared: Prepared, said: Array) -> tuple[Signature, tuple[str, ...]]:
    """The signature with the rule of the cost matrix, and what is to be known of it.

    `said` is of the rows that judge, by a model that never saw them.
    """
    signature = prepared.problem.signature
    costs = costs_of(spec.cost_matrix, prepared.problem)
    if costs is None:
        return signature, ()
    signature, note = decided_by(costs, signature, prepared.target, said, prepared.blocks)
    return signature, (note,)


def served(members: Sequence[FinishedTrial], folder: Path, spec: TrainingSpec) -> tuple[int, ...]:
    """Those of a model's members that are to be taken as they were refitted."""
    wanted = Allowance(spec.max_predict_ms).refits(members) or ()
    return tuple(n for n in wanted if refit_folder(folder / str(n)).exists())


def _of_several_kinds(ranked: Sequence[FinishedTrial]) -> list[FinishedTrial]:
    """Those that a vote may begin with: the best by their log loss, where that is known, and few of an algorithm."""
    counts, found = Counter[str](), list[FinishedTrial]()
    for finished in sorted(ranked, key=lambda f: f.trial.metrics.get("log_loss", 0.0)):
        counts[finished.trial.algorithm] += 1
        if counts[finished.trial.algorithm] <= FIRST_OF_A_KIND and len(found) < FIRST_MAX:
            found.append(finished)
    return found


def _params(made: Ensemble, members: Sequence[Trial]) -> dict[str, float]:
    """The weights, and how the vote is calibrated, for whoever looks at the trial."""
    params = {f"weight_{t.number}": round(weight, 4) for t, weight in zip(members, made.weights, strict=True)}
    if isinstance(made.combination, Vote) and made.combination.calibration:
        params["calibration_slope"] = round(made.combination.calibration.slope, 4)
    return params
