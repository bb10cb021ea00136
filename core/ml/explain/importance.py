"""Which columns a trial goes by, measured on rows with the models that never saw them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.domain.explanation import ColumnImportance, Importance, Scale
from core.domain.metrics import TaskKind, gain
from core.ml.explain.contributions import Explainer
from core.ml.explain.held import Held, background_of
from core.ml.explain.models import of_folds
from core.ml.metrics import score
from core.predict.arrays import Array
from core.predict.folder import Predictor
from core.predict.forest import Forest

WORK = 120_000_000
"""Steps of rows down trees that a measurement may take, about a second; more rows are drawn for smaller models."""
ROWS_MIN, ROWS_MAX = 200, 4_000
REPEATS = 2
EXPLAINED_WORK = 12_000_000
"""Nodes of trees, times the points of their quadrature, that may be computed: about a third of a second."""
EXPLAINED_MIN, EXPLAINED_MAX = 25, 300
"""Rows whose contributions are averaged."""
SEED = 7
OF_A_MODEL = 2_000
"""Steps that a row costs at least."""


def importance_of(predictor: Predictor, held: Held, metric: str, kind: TaskKind, place: int) -> Importance:
    """Of all columns that the model reads, by how much worse the metric gets when each is exchanged among rows."""
    names = predictor.encoder.names
    some = held.some(_rows_for(predictor, REPEATS * len(names)))
    drops = _drops(predictor, some, metric)
    sizes = _sizes(predictor, held, place)
    columns = [
        ColumnImportance(
            name,
            float(drops[at].mean()),
            float(drops[at].std(ddof=1)),
            float(sizes[0][at]) if sizes else None,
        )
        for at, name in enumerate(names)
    ]
    ranked = tuple(sorted(columns, key=lambda column: -column.permutation))
    of_class = None if kind is TaskKind.REGRESSION else predictor.signature.classes[place]
    return Importance(metric, len(some.target), ranked, sizes[1] if sizes else None, of_class)


def _rows_for(predictor: Predictor, passes: int) -> int:
    """As many as may be answered so often."""
    steps = sum(_steps(predictor.bags[bag][0].member) for bag in range(len(predictor.bags)))
    return int(np.clip(WORK // (passes * max(steps, OF_A_MODEL)), ROWS_MIN, ROWS_MAX))


def _steps(member: object) -> int:
    return len(member.roots) * max(1, member.depth) if isinstance(member, Forest) else OF_A_MODEL


def _drops(predictor: Predictor, held: Held, metric: str) -> Array:
    """Columns x repeats: how much worse the metric gets."""
    random = np.random.default_rng(SEED)
    names, codes = predictor.encoder.names, predictor.encoder.codes
    groups = [[at for at, code in enumerate(codes) if code.name == name] for name in names]
    models = [(of_folds(predictor, folds), rows) for folds, rows in held.folds()]
    said = _answers(models, held.matrix, predictor)
    before = gain(metric, score(metric, held.target, said))
    drops = np.zeros((len(names), REPEATS))
    for at, group in enumerate(groups):
        for repeat in range(REPEATS):
            changed = held.matrix.copy()
            changed[:, group] = held.matrix[random.permutation(len(changed))][:, group]
            after = gain(metric, score(metric, held.target, _answers(models, changed, predictor)))
            drops[at, repeat] = before - after
    return np.nan_to_num(drops)


def _answers(models: Sequence[tuple[Predictor, npt.NDArray[np.intp]]], matrix: Array, predictor: Predictor) -> Array:
    said = np.empty((len(matrix), len(predictor.signature.classes) or 1))
    for model, rows in models:
        said[rows] = model.of_matrix(matrix[rows])
    return said


def _sizes(predictor: Predictor, held: Held, place: int) -> tuple[Array, Scale] | None:
    """The mean size of each column's contributions; None of a model that has no exact ones."""
    background = background_of(held)
    first = Explainer(of_folds(predictor, [0] * len(predictor.bags)), background)
    many = int(np.clip(EXPLAINED_WORK // max(1, first.work), EXPLAINED_MIN, EXPLAINED_MAX))
    some, total, scale = held.some(many), np.zeros(len(predictor.encoder.names)), Scale.VALUE
    for folds, rows in some.folds():
        explainer = Explainer(of_folds(predictor, folds), background) if any(folds) else first
        found = explainer.sizes(some.matrix[rows], place)
        if found is None:
            return None
        total += found[0] * len(rows) / len(some.target)
        scale = found[1]
    return total, scale
