"""What explains a trial: figures that are computed when they are first asked for, and kept in its folder."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from core.domain.errors import Conflict, SpecInvalid
from core.domain.explanation import (
    Fairness,
    MetricSpread,
    PairedDifference,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.metrics import METRICS, gain
from core.domain.signature import Scalar, Signature
from core.domain.training import Trial
from core.local.context import Context
from core.local.trial_files import TrialFiles

if TYPE_CHECKING:
    from core.ml.explain.judged import Judged
    from core.predict.members import Array

Pick = tuple[str, int]
"""A trial: job id, number."""


class Explaining:
    """Of the trials of one workspace. Imports of the engine stand where they are used: an app starts without it."""

    def __init__(self, context: Context) -> None:
        self._files = TrialFiles(context)

    def signature(self, job_id: str) -> Signature:
        return self._files.problem(job_id).signature

    def curves(self, job_id: str, number: int) -> TrialCurves:
        from core.ml.explain.curves import curves_of

        def computed() -> TrialCurves:
            judged, said = self._files.asked(job_id, number)
            return curves_of(judged.problem.kind, judged.problem.signature, judged.target, said)

        return self._files.kept(job_id, number, "curves", TrialCurves, computed)

    def thresholds(self, job_id: str, number: int, class_name: Scalar | None) -> ThresholdTable:
        from core.ml.explain.thresholds import thresholds_of

        def computed() -> ThresholdTable:
            judged, said = self._files.asked(job_id, number)
            place = class_place(judged.problem.signature, class_name)
            return thresholds_of(judged.problem.signature, judged.target, said, place)

        return self._files.kept(job_id, number, f"thresholds-{_key(class_name)}", ThresholdTable, computed)

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

        judged, said = self._files.asked(job_id, number)
        signature = judged.problem.signature
        place = class_place(signature, class_name)
        known = next((c for c in signature.columns if c.name == column), None)
        if known is None:
            names = ", ".join(c.name for c in signature.columns)
            raise SpecInvalid(f"The table has no column '{column}'", hint=f"The columns are: {names}")
        with self._files.reading(job_id):
            cells = cells_of(judged, ColumnCode(column, known.kind))
        at = threshold if threshold is not None else signature.threshold if signature.threshold is not None else 0.5
        return fairness_of(column, cells, judged.target, said, place, signature.classes[place], at)

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

        metric = self._files.job(job_id)[1].primary_metric
        ranked = sorted(
            (trial for trial in self._files.trials(job_id) if metric in trial.metrics),
            key=lambda trial: (-gain(metric, trial.metrics[metric]), trial.number),
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


def class_place(signature: Signature, class_name: Scalar | None) -> int:
    """Of a class among a model's; None is the positive one. Raises SpecInvalid."""
    from core.ml.explain.curves import positive_place

    if not signature.classes:
        raise SpecInvalid("A regression has no classes", hint="Its residuals are among the curves")
    if class_name is None:
        return positive_place(signature)
    if class_name not in signature.classes:
        classes = ", ".join(map(str, signature.classes))
        raise SpecInvalid(f"There is no class '{class_name}'", hint=f"The classes are: {classes}")
    return signature.classes.index(class_name)


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
