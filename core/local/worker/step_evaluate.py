"""Compare a training's best model with the one that is live, on rows that neither was trained on.

A row counts as trained on where the columns that a model reads, and the target, have the same values in a row of its
training table. The live model is that of the deployment with most traffic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.domain.counting import counted
from core.domain.data import DataAsset, DataRef
from core.domain.endpoint import Deployment
from core.domain.errors import DataNotFound, EndpointNotFound
from core.domain.metrics import metric_named
from core.domain.names import reference
from core.domain.run import StepResult
from core.domain.signature import Signature
from core.domain.step_settings import EvaluateSettings
from core.domain.training import TrainingSpec
from core.local.deleted import files
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work
from core.ml.comparison import Comparison, compare
from core.ml.data import fresh
from core.ml.task import Target
from core.predict.arrays import Array
from core.predict.folder import Predictor, load_model

ROWS_MIN = 50
"""Fewer fresh rows tell nothing."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the new model is better, and why, in a sentence."""

    better: bool
    reason: str
    rows: int = 0
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """A model, and the table that it was trained on."""

    model: Predictor
    data: DataAsset

    @property
    def signature(self) -> Signature:
        return self.model.signature

    @property
    def columns(self) -> list[str]:
        """What it has seen of a row."""
        return [*(column.name for column in self.signature.used), self.signature.target]


def run(work: Work, step: Step) -> StepResult:
    """Raises ModelUnreadable, DataNotFound for a table that the step names."""
    settings = step.settings(EvaluateSettings)
    deployment = _live(work, settings.endpoint)
    if deployment is None:
        verdict = Verdict(True, f"Nothing is live at {settings.endpoint} yet: the gate decides")
        return _result(work, verdict, "")
    live = f"{deployment.endpoint}/{deployment.name}"
    verdict = _judged(work, step, settings, deployment)
    return _result(work, verdict, live)


def _live(work: Work, name: str) -> Deployment | None:
    """The deployment with most traffic; None where there is no such endpoint, or nothing has traffic."""
    try:
        return work.store.endpoints.get(name).chosen("")
    except EndpointNotFound:
        return None


def _judged(work: Work, step: Step, settings: EvaluateSettings, deployment: Deployment) -> Verdict:
    job = work.store.jobs.get(step.inputs["job"])
    assert isinstance(job.spec, TrainingSpec)
    model = work.store.models.get(deployment.model, deployment.model_version)
    try:
        new = Contender(load_model(work.paths.job_model(job.id)), work.store.data.get(job.spec.data))
        folder = work.paths.model(model.name, model.job_id, model.trial)
        live = Contender(load_model(folder), work.store.data.get(model.data))
    except DataNotFound as e:
        return Verdict(False, f"Nobody can tell which rows are fresh: {e.message}, which a model was trained on")
    where = f"the live model {model.ref}"
    if why := _unlike(new.signature, live.signature):
        return Verdict(False, f"The new model cannot be compared with {where}: {why}")
    named = settings.data or step.inputs.get("holdout", "")
    if not named:
        return Verdict(False, "There are no rows that neither model was trained on: no hold-out was given")
    metric = settings.metric or job.spec.primary_metric
    with files(work.store, DataRef(*reference(named))) as table:
        return _on_fresh_rows(work, new, live, table, metric, settings.confidence)


def _unlike(new: Signature, live: Signature) -> str:
    """Why two models do not answer the same question; empty where they do."""
    if new.target != live.target:
        return f"it predicts '{new.target}', the live one '{live.target}'"
    if new.regression is not live.regression:
        return f"it gives {'a number' if new.regression else 'a class'}, the live one does not"
    if sorted(map(repr, new.classes)) != sorted(map(repr, live.classes)):
        ours, theirs = (", ".join(map(str, signature.classes[:10])) for signature in (new, live))
        return f"its classes are {ours}, those of the live one {theirs}"
    return ""


def _on_fresh_rows(
    work: Work, new: Contender, live: Contender, table: DataAsset, metric: str, confidence: float
) -> Verdict:
    needed = dict.fromkeys((*new.columns, *live.columns))
    if lacking := [name for name in needed if name not in table.columns]:
        return Verdict(False, f"{table.ref} lacks a column that one of the models reads: {', '.join(lacking[:5])}")
    path, classes = _path(work, table), new.signature.classes
    known, usable = _known(path, new.signature)
    for contender in (new, live):
        with files(work.store, contender.data.ref):
            seen = fresh.seen(path, _path(work, contender.data), contender.columns)
        work.log.info(f"{seen.sum():,} of {counted(table.rows, 'row')} of {table.ref} stand in {contender.data.ref}.")
        usable &= ~seen
    target = known[usable]
    if why := _too_few(target, table, classes):
        return Verdict(False, why, len(target))
    found = compare(
        metric,
        target,
        _probabilities(new.model, path, usable, classes),
        _probabilities(live.model, path, usable, classes),
        confidence=confidence,
        seed=SEED,
    )
    return Verdict(found.better, _said(found, len(target)), len(target), found)


def _path(work: Work, asset: DataAsset) -> Path:
    return work.paths.table(asset.name, asset.content_id)


def _known(path: Path, signature: Signature) -> tuple[Target, fresh.Mask]:
    """The target of each row, and where it is known."""
    if signature.regression:
        numbers = fresh.numbers_of(path, signature.target)
        return numbers, np.isfinite(numbers)
    labels = fresh.classes_of(path, signature.target, signature.classes)
    return labels, labels != fresh.UNKNOWN


def _too_few(target: Target, table: DataAsset, classes: tuple[Any, ...]) -> str:
    """Why rows do not suffice to compare on; empty where they do."""
    which = f"of {table.ref} that neither model was trained on"
    if not len(target):
        return f"There are no rows {which}"
    if len(target) < ROWS_MIN:
        return f"There are only {counted(len(target), 'row')} {which}: at least {ROWS_MIN} are needed to compare"
    if not classes:
        return ""
    counts = np.bincount(target, minlength=len(classes))
    if missing := [str(name) for name, count in zip(classes, counts, strict=True) if not count]:
        return f"No row {which} is of the class '{missing[0]}'"
    return ""


def _probabilities(model: Predictor, table: Path, wanted: fresh.Mask, classes: tuple[Any, ...]) -> Array:
    """A model's answers for the wanted rows, its classes in this order; of a regression its numbers."""
    answers = [model.probabilities(chunk) for chunk in fresh.cells(table, model.signature, wanted)]
    if not classes:
        return np.concatenate(answers)
    order = [model.signature.classes.index(label) for label in classes]
    return np.concatenate(answers)[:, order]


def _said(found: Comparison, rows: int) -> str:
    """The outcome in one sentence, with its numbers."""
    name = metric_named(found.metric).label
    measured = f"{name} is {found.new:.4f} on {rows:,} fresh rows, that of the live model {found.live:.4f}"
    interval = f"{100 * found.confidence:g} % interval of the gain: {found.low:.4f} to {found.high:.4f}"
    if found.better:
        return f"The new model is better: {measured} ({interval})"
    worse = "is worse" if found.high < 0 else "is not shown to be better"
    return f"The new model {worse}: {measured} ({interval})"


def _result(work: Work, verdict: Verdict, live: str) -> StepResult:
    work.log.info(f"{verdict.reason}.")
    outputs: dict[str, Any] = {"better": verdict.better, "reason": verdict.reason, "rows": verdict.rows, "live": live}
    if (found := verdict.comparison) is not None:
        outputs["difference"] = found.gain
        outputs["comparison"] = _shown(found)
    return StepResult(outputs, note=verdict.reason)


def _shown(found: Comparison) -> Mapping[str, Any]:
    names = ("metric", "new", "live", "low", "high", "p_value", "test", "confidence")
    return {name: getattr(found, name) for name in names}
