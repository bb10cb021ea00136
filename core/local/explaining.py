"""What explains a trial: figures that are computed when they are first asked for, and kept in its folder."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.domain.counting import columns_said
from core.domain.data import ColumnKind
from core.domain.errors import Conflict, JobNotFound, SpecInvalid
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
from core.domain.metrics import METRICS, gain
from core.domain.model import Model
from core.domain.signature import Scalar, Signature
from core.domain.training import TrainingResult, Trial
from core.local.context import Context
from core.local.explainers import Explainers, Row, class_place, explained
from core.local.trial_files import TrialFiles

if TYPE_CHECKING:
    from core.ml.explain.held import Held
    from core.ml.explain.judged import Judged
    from core.predict.folder import Predictor
    from core.predict.members import Array

Pick = tuple[str, int]
"""A trial: job id, number."""


class Explaining:
    """Of the trials of one workspace. Imports of the engine stand where they are used: an app starts without it."""

    def __init__(self, context: Context) -> None:
        self._files = TrialFiles(context)
        self._explainers = Explainers()

    def signature(self, job_id: str) -> Signature:
        return self._files.problem(job_id).signature

    def curves(self, job_id: str, number: int) -> TrialCurves:
        from core.ml.explain.curves import curves_of

        def computed() -> TrialCurves:
            judged, said, signature = self._decided(job_id, number)
            return curves_of(judged.problem.kind, signature, judged.target, said)

        return self._files.kept(job_id, number, f"curves{self._won(job_id, number)}", TrialCurves, computed)

    def thresholds(self, job_id: str, number: int, class_name: Scalar | None) -> ThresholdTable:
        from core.ml.explain.thresholds import thresholds_of

        def computed() -> ThresholdTable:
            judged, said, signature = self._decided(job_id, number)
            return thresholds_of(signature, judged.target, said, class_place(signature, class_name))

        name = f"thresholds-{_key(class_name)}{self._won(job_id, number)}"
        return self._files.kept(job_id, number, name, ThresholdTable, computed)

    def fold_metrics(self, job_id: str, number: int) -> tuple[MetricSpread, ...]:
        from core.ml.explain.judged import spread_of

        def computed() -> tuple[MetricSpread, ...]:
            return spread_of(*self._files.asked(job_id, number))

        return self._files.kept(job_id, number, "metrics", tuple[MetricSpread, ...], computed)

    def fairness(
        self, job_id: str, number: int, column: str, threshold: float | None, class_name: Scalar | None
    ) -> Fairness:
        """It is not kept: a threshold is moved, and a column is read at once."""
        from core.ml.explain.fairness import fairness_of
        from core.ml.explain.judged import cells_of
        from core.predict.encoder import ColumnCode

        judged, said, signature = self._decided(job_id, number)
        place = class_place(signature, class_name)
        known = next((c for c in signature.columns if c.name == column), None)
        if known is None:
            hint = columns_said([c.name for c in signature.columns], column)
            raise SpecInvalid(f"The table has no column '{column}'", hint=hint)
        with self._files.reading(job_id):
            cells = cells_of(judged, ColumnCode(column, known.kind))
        own = signature.threshold if place == class_place(signature, None) else None
        at = threshold if threshold is not None else own if own is not None else 0.5
        return fairness_of(column, cells, judged.target, said, place, signature.classes[place], at)

    def importance(self, job_id: str, number: int) -> Importance:
        from core.ml.explain.importance import importance_of

        def computed() -> Importance:
            held, predictor, signature = self._held(job_id, number)
            spec, kind = self._files.job(job_id)[1], self._files.judged(job_id).problem.kind
            place = 0 if spec.regression else class_place(signature, None)
            return importance_of(predictor, held, spec.primary_metric, kind, place)

        return self._files.kept(job_id, number, "importance", Importance, computed)

    def partial_dependence(self, job_id: str, number: int, column: str, class_name: Scalar | None) -> PartialDependence:
        from core.ml.explain.dependence import dependence_of

        def computed() -> PartialDependence:
            held, predictor, signature = self._held(job_id, number)
            if column not in predictor.encoder.names:
                names = ", ".join(predictor.encoder.names)
                raise SpecInvalid(f"The model does not read '{column}'", hint=f"It reads: {names}")
            place = class_place(signature, class_name) if signature.classes or class_name is not None else 0
            return dependence_of(predictor, held, column, self._dates(job_id, predictor, column), place)

        key = f"dependence-{_key(column)}-{_key(class_name)}"
        return self._files.kept(job_id, number, key, PartialDependence, computed)

    def explain(self, job_id: str, number: int, row: Row, class_name: Scalar | None) -> Explanation:
        from core.ml.explain.models import predictor_of

        finished = self._files.finished(job_id, number)
        key = f"{job_id}/{number}"
        if (known := self._explainers.get(key)) is None:
            judged = self._files.judged(job_id)
            self._files.check(job_id, finished, judged)
            with self._files.leaving(job_id, number):
                predictor = predictor_of(finished, judged.problem.signature)
            known = self._explainers.put(key, predictor, self._usual(job_id, predictor))
        return explained(known, row, class_name)

    def explain_model(self, model: Model, folder: Path, row: Row, class_name: Scalar | None) -> Explanation:
        """One row's score by a registered model; its own rows of the usual kind are used where its table is here."""
        from core.predict.folder import load_model

        key = f"{model.ref}/{model.job_id}"
        if (known := self._explainers.get(key)) is None:
            predictor = load_model(folder)
            known = self._explainers.put(key, predictor, self._usual(model.job_id, predictor))
        return explained(known, row, class_name)

    def _decided(self, job_id: str, number: int) -> tuple["Judged", "Array", Signature]:
        """The rows that judge a trial, what it says of them, and the signature with the threshold it decides by."""
        from core.ml.explain.judged import decided_by

        judged, said = self._files.asked(job_id, number)
        signature = decided_by(judged, said, self._files.job(job_id)[1].cost_matrix)
        own = self._threshold(job_id, number)
        return judged, said, signature if own is None else replace(signature, threshold=own)

    def _threshold(self, job_id: str, number: int) -> float | None:
        """Of the winner: it was found on rows that did not help to choose the winner, and stands in its model."""
        found = self._files.job(job_id)[0].result
        if isinstance(found, TrainingResult) and found.best.number == number:
            return found.threshold
        return None

    def _won(self, job_id: str, number: int) -> str:
        """What tells figures of the winner from those that were kept while nobody knew that it would win."""
        return "" if self._threshold(job_id, number) is None else "-won"

    def _usual(self, job_id: str, predictor: "Predictor") -> "Array":
        """Rows of the usual kind: of the table where it is here, else made from the signature."""
        from core.contract import samples
        from core.ml.explain.held import BACKGROUND_ROWS, background_of

        with suppress(Conflict, JobNotFound):
            if self._files.problem(job_id).codes == predictor.encoder.codes:
                return background_of(self._files.held(job_id))
        made = samples.rows(predictor.signature, BACKGROUND_ROWS, seed=7)
        return predictor.encoder(samples.batch(predictor.signature, made))

    def _held(self, job_id: str, number: int) -> tuple["Held", "Predictor", Signature]:
        """The rows that judge a trial, with its models."""
        from core.ml.explain.models import predictor_of, repeats_of

        finished, judged = self._files.finished(job_id, number), self._files.judged(job_id)
        self._files.check(job_id, finished, judged)
        with self._files.leaving(job_id, number):
            predictor, repeats = predictor_of(finished, judged.problem.signature), repeats_of(finished)
        return self._files.held(job_id, repeats), predictor, judged.problem.signature

    def _dates(self, job_id: str, predictor: "Predictor", column: str) -> Sequence[str]:
        """Values of a column of dates; none of another."""
        from core.ml.explain.judged import cells_of
        from core.predict.encoder import ColumnCode

        code = next(code for code in predictor.encoder.codes if code.name == column)
        if not code.part:
            return ()
        with self._files.reading(job_id):
            cells = cells_of(self._files.judged(job_id), ColumnCode(column, ColumnKind.STRING))
        return [str(cell) for cell in cells if cell is not None]

    def compare_pair(self, first: Pick, second: Pick, metric: str) -> PairedDifference:
        from core.ml.explain.winner import difference_of

        metric = metric or self._files.job(first[0])[1].primary_metric
        (judged, one), (other_judged, other) = self._files.asked(*first), self._files.asked(*second)
        if metric not in METRICS or judged.problem.kind not in METRICS[metric].tasks:
            raise SpecInvalid(f"'{metric}' is no metric of these trials", hint="`job fold-metrics` shows them")
        if not _alike(judged, other_judged):
            raise SpecInvalid(
                "These trials are judged on different rows", hint="Compare trials of the same data version and target"
            )
        key = f"against-{_key('{}:{}'.format(*second))}-{metric}"
        return self._files.kept(*first, key, PairedDifference, lambda: difference_of(metric, judged.target, one, other))

    def winner(self, job_id: str) -> Winner:
        from core.ml.explain.winner import winner_of

        job, spec = self._files.job(job_id)
        metric = spec.primary_metric
        chosen = job.result.best.number if isinstance(job.result, TrainingResult) else None
        ranked = sorted(
            (trial for trial in self._files.trials(job_id) if metric in trial.metrics),
            key=lambda trial: (trial.number != chosen, -gain(metric, trial.metrics[metric]), trial.number),
        )
        if not ranked:
            raise Conflict(f"No trial of job '{job_id}' has succeeded", hint="Wait for the first one")

        def computed() -> Winner:
            said = self._said(job_id, ranked)
            judged = self._files.judged(job_id)
            return winner_of(metric, judged.target, [t for t in ranked if t.number in said], said)

        field = _key(",".join(str(trial.number) for trial in ranked))
        return self._files.kept(job_id, ranked[0].number, f"winner-{field}", Winner, computed)

    def _said(self, job_id: str, ranked: list[Trial]) -> Mapping[int, "Array"]:
        """What the best trials say of the rows that judge them; the best one is among them."""
        from core.ml.explain.winner import RIVALS_MAX

        return {t.number: self._files.asked(job_id, t.number)[1] for t in ranked[: 1 + RIVALS_MAX]}


def _alike(one: "Judged", other: "Judged") -> bool:
    """Whether the same rows of the same table judge both, for the same target."""
    import numpy as np

    same = (one.problem.table, one.problem.validation_table, one.problem.signature.target) == (
        other.problem.table,
        other.problem.validation_table,
        other.problem.signature.target,
    )
    return same and one.problem.kind is other.problem.kind and np.array_equal(one.folds.judged, other.folds.judged)


def _key(value: Scalar | None) -> str:
    """A name for a file that any class, column or list may have."""
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:12]
