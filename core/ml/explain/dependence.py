"""How a trial's answer moves with one column, all else being as it is."""

from collections.abc import Sequence

import numpy as np

from core.domain.data import ColumnKind
from core.domain.explanation import PartialDependence
from core.domain.signature import Scalar
from core.ml.explain.held import Held
from core.ml.explain.models import of_folds
from core.predict.arrays import Array
from core.predict.encoder import Encoder
from core.predict.folder import Predictor

DEPENDENCE_ROWS = 300
GRID = 20
"""Values of a column that are tried."""


def dependence_of(predictor: Predictor, held: Held, column: str, texts: Sequence[str], place: int) -> PartialDependence:
    """How the answer moves with one column that the model reads. `texts` are values of a column of dates, any many."""
    some = held.some(DEPENDENCE_ROWS)
    group = [at for at, code in enumerate(predictor.encoder.codes) if code.name == column]
    values, encoded = _grid(predictor, held, column, texts, group)
    said = np.empty((len(values), len(some.target)))
    for folds, rows in some.folds():
        tried = np.tile(some.matrix[rows], (len(values), 1))
        tried[:, group] = np.repeat(encoded, len(rows), axis=0)
        said[:, rows] = of_folds(predictor, folds).of_matrix(tried)[:, place].reshape(len(values), len(rows))
    low, high = np.quantile(said, [0.1, 0.9], axis=1)
    classes = predictor.signature.classes
    average, below, above = (tuple(map(float, each)) for each in (said.mean(axis=1), low, high))
    of_class = classes[place] if classes else None
    return PartialDependence(column, values, average, below, above, len(some.target), of_class)


def _grid(
    predictor: Predictor, held: Held, column: str, texts: Sequence[str], group: Sequence[int]
) -> tuple[tuple[Scalar, ...], Array]:
    """Values of the column, in their own order, and what the model reads of each."""
    codes = [predictor.encoder.codes[at] for at in group]
    values: list[Scalar]
    if codes[0].part:
        encoder = Encoder(codes)
        parts = {text: encoder([[text]])[0] for text in set(texts)}
        known = sorted((t for t in parts if not np.isnan(parts[t]).any()), key=lambda t: tuple(parts[t]))
        values = list(_spread(known))
        return tuple(values), encoder([values])
    cells = held.matrix[:, group[0]]
    if codes[0].kind is ColumnKind.STRING:
        places = cells[~np.isnan(cells)].astype(np.intp)
        counts = np.bincount(places, minlength=len(codes[0].levels))
        common = [at for at in np.argsort(-counts, kind="stable")[:GRID] if counts[at]]
        return tuple(codes[0].levels[at] for at in common), np.array(common, dtype=np.float64)[:, None]
    numbers = np.unique(cells[~np.isnan(cells)])
    if len(numbers) > GRID:
        numbers = np.unique(np.quantile(cells[~np.isnan(cells)], np.linspace(0.01, 0.99, GRID), method="nearest"))
    whole = {ColumnKind.BOOLEAN: bool, ColumnKind.INTEGER: int}.get(codes[0].kind, float)
    return tuple(whole(number) for number in numbers), numbers[:, None]


def _spread(known: Sequence[str]) -> Sequence[str]:
    if len(known) <= GRID:
        return known
    return [known[round(at)] for at in np.linspace(0, len(known) - 1, GRID)]
