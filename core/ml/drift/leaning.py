"""How much a model leans on each column: by how much its score changes when the column's values are exchanged.

No outcome is needed for it, so that it can be measured of any model and any rows. It is a column's share of all such
changes; what makes a model good, `jobs.importance`, takes the outcomes and is another question.
"""

from collections.abc import Mapping

import numpy as np

from core.contract.decision import scores
from core.predict.arrays import Array
from core.predict.cost import predict_ms
from core.predict.folder import Predictor

WORK_MS = 1_000.0
"""Of estimated time that a measurement may take."""
ROWS_MIN, ROWS_MAX = 20, 500
CELLS_AT_ONCE = 4_000_000
"""Of the matrices of several columns that are asked about in one call: a call for each takes longer than its rows."""
SEED = 7


def rows_for(predictor: Predictor) -> int:
    """As many as may be asked about in that time."""
    each_ms = sum(map(predict_ms, predictor.bags)) * max(1, len(predictor.encoder.names))
    return int(np.clip(WORK_MS / max(each_ms, 1e-6), ROWS_MIN, ROWS_MAX))


def importance_of(predictor: Predictor, matrix: Array) -> Mapping[str, float]:
    """Each column's share, of encoded rows; none where nothing changes the score."""
    random = np.random.default_rng(SEED)
    places: dict[str, list[int]] = {}
    for at, code in enumerate(predictor.encoder.codes):
        places.setdefault(code.name, []).append(at)
    said, names = _scores(predictor, matrix), predictor.encoder.names
    at_once = max(1, min(len(names), CELLS_AT_ONCE // matrix.size))
    copies = np.tile(matrix, (at_once, 1)).reshape(at_once, *matrix.shape)
    changes: dict[str, float] = {}
    for some in (names[at : at + at_once] for at in range(0, len(names), at_once)):
        changed = copies[: len(some)]
        for name, copy in zip(some, changed, strict=True):
            copy[:, places[name]] = matrix[:, places[name]][random.permutation(len(matrix))]
        scored = _scores(predictor, changed.reshape(-1, matrix.shape[1])).reshape(len(some), -1)
        changes |= dict(zip(some, np.abs(scored - said).mean(axis=1).tolist(), strict=True))
        for name, copy in zip(some, changed, strict=True):
            copy[:, places[name]] = matrix[:, places[name]]
    total = sum(changes.values())
    return {name: change / total for name, change in changes.items()} if 0 < total < np.inf else {}


def _scores(predictor: Predictor, matrix: Array) -> Array:
    return np.array(scores(predictor.signature, predictor.of_matrix(matrix)))
