"""How good an endpoint's answers were, of rows whose outcome is known."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.endpoint import Deployment
from core.domain.errors import Conflict, SlipwayError, SpecInvalid
from core.domain.metrics import TaskKind
from core.domain.model import Model
from core.domain.outcomes import LiveQuality, Measured
from core.domain.training import TrainingSpec
from core.local.context import Context
from core.local.watching.answers import Answers
from core.local.watching.feedback import Feedback
from core.local.watching.kept import as_text

if TYPE_CHECKING:
    from core.ml.live import Answered


class Quality:
    """Of one workspace's endpoints. Imports of the engine stand where they are used."""

    def __init__(self, context: Context, answers: Answers, feedback: Feedback) -> None:
        self._context, self._answers, self._feedback = context, answers, feedback

    def of(self, endpoint: str, window_s: float, deployment: str) -> LiveQuality:
        """Raises EndpointNotFound, Conflict for a deployment that is not there, SpecInvalid for no window."""
        from core.ml.live import ROWS_NEEDED, calibration_of, metrics_of

        if not (window_s > 0 and math.isfinite(window_s)):
            raise SpecInvalid(f"A window has more than 0 s, got {window_s:g}")
        chosen = self._chosen(endpoint, deployment)
        model = self._context.store.models.get(chosen.model, chosen.model_version)
        until = self._context.clock()
        since = max(until - window_s, chosen.created_at)
        rows = self._rows(chosen, since)
        scored = len(self._answers.within(chosen, since, math.inf))
        told = LiveQuality(endpoint, chosen.name, since, until, len(rows), max(scored, len(rows)), ROWS_NEEDED)
        if reason := _too_little(rows, ROWS_NEEDED, model):
            return replace(told, reason=reason)
        answered = _answered(rows, model)
        metrics = metrics_of(answered)
        return replace(
            told,
            metrics=metrics,
            trained={name: model.metrics[name] for name in metrics if name in model.metrics},
            calibration=calibration_of(answered),
            cost=self._cost(rows, model),
        )

    def _chosen(self, endpoint: str, name: str) -> Deployment:
        known = self._context.store.endpoints.get(endpoint)
        if (found := known.chosen(name)) is None:
            names = ", ".join(d.name for d in known.deployments) or "none yet"
            raise Conflict(
                f"Endpoint '{endpoint}' has no deployment '{name}'"
                if name
                else f"No deployment of '{endpoint}' has traffic",
                hint=f"Its deployments: {names}",
            )
        return found

    def _rows(self, deployment: Deployment, since: float) -> pa.Table:
        """Rows of the deployment with their outcomes; of several classes those whose probabilities were kept."""
        found = self._feedback.table(deployment.endpoint)
        wanted = pc.and_(pc.greater_equal(found["at"], since), pc.equal(found["deployment"], deployment.name))
        classes = self._context.store.models.get(deployment.model, deployment.model_version).signature.classes
        if len(classes) > 2:
            wanted = pc.and_(wanted, pc.is_valid(found["probabilities"]))
        return found.filter(wanted)

    def _cost(self, rows: pa.Table, model: Model) -> Measured | None:
        """By the cost matrix of the training; None where the training is not here, or had none."""
        from core.ml.ensembles.threshold import cost_table
        from core.ml.live import cost_of

        try:
            spec = self._context.store.jobs.get(model.job_id).spec
        except SlipwayError:
            return None
        if not isinstance(spec, TrainingSpec) or not spec.cost_matrix:
            return None
        return cost_of(_answered(rows, model), cost_table(spec.cost_matrix, TaskKind.BINARY, model.signature.classes))


def _too_little(rows: pa.Table, needed: int, model: Model) -> str:
    """Why nothing can be said of these rows; empty where something can."""
    if len(rows) < needed:
        return f"{len(rows)} rows have a known outcome, and {needed} are needed"
    actual = pc.unique(rows["actual"]).to_pylist()
    if not model.signature.regression and len(actual) < 2:
        return f"All {len(rows)} known outcomes are '{actual[0]}': of one class alone nothing can be measured"
    return ""


def _answered(rows: pa.Table, model: Model) -> "Answered":
    from core.ml.live import Answered

    classes = [as_text(each) for each in model.signature.classes]
    scores = rows["score"].to_numpy()
    if not classes:
        actual = rows["actual"].cast(pa.float64()).to_numpy()
        return Answered(TaskKind.REGRESSION, actual, scores[:, None], np.zeros(len(scores), dtype=np.int64))
    places = pa.array(classes)
    actual, decided = (pc.index_in(rows[name], value_set=places).to_numpy() for name in ("actual", "answer"))
    if len(classes) > 2:
        said = np.array(rows["probabilities"].to_pylist(), dtype=np.float64)
        return Answered(TaskKind.MULTICLASS, actual.astype(np.int64), said, decided.astype(np.int64))
    positive = (
        as_text(model.signature.positive_class) == classes[1] if model.signature.positive_class is not None else True
    )
    said = np.stack([1 - scores, scores] if positive else [scores, 1 - scores], axis=1)
    return Answered(TaskKind.BINARY, actual.astype(np.int64), said, decided.astype(np.int64))
