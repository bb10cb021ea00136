"""Contributions of a model of which nothing is known but its answers: estimates by sampled permutations."""

import numpy as np

from core.predict.arrays import Array
from core.predict.folder import Predictor

PERMUTATIONS = 32
"""Each is walked there and back."""
SEED = 7


def sampled(predictor: Predictor, background: Array, row: Array, place: int) -> tuple[float, Array]:
    """The base and an estimate for each column of the encoded matrix; they add up to the answer exactly.

    In random order (Strumbelj and Kononenko 2014), there and back (Mitchell et al. 2022), each column of a row of the
    background is exchanged with the row's own; a column gets what the answer then moves by. The parts of a date are
    exchanged together, and their sum stands at the first of them.
    """
    names = predictor.encoder.names
    groups = [[at for at, code in enumerate(predictor.encoder.codes) if code.name == name] for name in names]
    random = np.random.default_rng(SEED)
    points, turns = [], []
    for _ in range(PERMUTATIONS):
        order, start = random.permutation(len(groups)), background[random.integers(len(background))]
        for way in (order, order[::-1]):
            at = start.copy()
            points.append(at.copy())
            for group in way:
                at[groups[group]] = row[groups[group]]
                points.append(at.copy())
            turns.append(way)
    said = predictor.of_matrix(np.array(points))[:, place].reshape(len(turns), len(groups) + 1)
    columns = np.zeros(background.shape[1])
    firsts = np.array([group[0] for group in groups])
    for way, moved in zip(turns, np.diff(said, axis=1), strict=True):
        columns[firsts[way]] += moved / len(turns)
    return float(said[:, 0].mean()), columns
