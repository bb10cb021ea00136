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
SEED = 7


def rows_for(predictor: Predictor) -> int:
    """As many as may be asked about in that time."""
    each_ms = sum(map(predict_ms, predictor.bags)) * max(1, len(predictor.encoder.names))
    return int(np.clip(WORK_MS / max(each_ms, 1e-6), ROWS_MIN, ROWS_MAX))


def importance_of(predictor: Predictor, matrix: Array) -> Mapping[str, float]:
    """Each column's share, of encoded rows; none where nothing changes the score."""
    random = np.random.default_rng(SEED)
    said, codes = _scores(predictor, matrix), predictor.encoder.codes
    changes = {}
    for name in predictor.encoder.names:
        group = [at for at, code in enumerate(codes) if code.name == name]
        changed = matrix.copy()
        changed[:, group] = matrix[random.permutation(len(matrix))][:, group]
        changes[name] = float(np.abs(_scores(predictor, changed) - said).mean())
    total = sum(changes.values())
    return {name: change / total for name, change in changes.items()} if 0 < total < np.inf else {}


def _scores(predictor: Predictor, matrix: Array) -> Array:
    return np.array(scores(predictor.signature, predictor.of_matrix(matrix)))
