"""What is right and wrong at each threshold: counted once, so that a slider only looks up."""

import numpy as np

from core.domain.explanation import ThresholdTable
from core.domain.signature import Signature
from core.ml.explain.curves import positive_place
from core.ml.task import Labels
from core.predict.members import Array

ENTRIES = 1_001


def thresholds_of(signature: Signature, labels: Labels, said: Array, place: int) -> ThresholdTable:
    """The table of the class at this place: it is said where its probability is at least the threshold."""
    thresholds = np.linspace(0, 1, ENTRIES)
    positive = labels == place
    true, false = np.sort(said[positive, place]), np.sort(said[~positive, place])
    missed, spared = np.searchsorted(true, thresholds), np.searchsorted(false, thresholds)
    own = place == positive_place(signature) and len(signature.classes) == 2
    decides = signature.threshold if own and signature.threshold is not None else 0.5
    return ThresholdTable(
        signature.classes[place],
        tuple(thresholds.tolist()),
        tuple((len(true) - missed).tolist()),
        tuple((len(false) - spared).tolist()),
        tuple(spared.tolist()),
        tuple(missed.tolist()),
        decides,
    )
