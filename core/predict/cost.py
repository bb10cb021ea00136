"""How long a model takes for one row, estimated from its arrays: the same number on every machine, at every load.

Processor time of one call on one core of the machine that perf measures on, with the compiled evaluator;
numpy's takes 10 to 20 times as long. Of ensembles that were trained for real it says 17 to 46 % more than was measured,
of one of many linear models and small trees 2.5 times as much.
"""

from collections.abc import Sequence

from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.merging import alike
from core.predict.neighbors import Neighbors
from core.predict.network import Network
from core.predict.part import Part
from core.predict.program import answer_alike

MODEL_US = 40.0
"""The encoding of a row of 20 columns, and the combination with a calibration."""
PART_US = 4.0
TREE_LEVEL_US = 0.004
"""Measured: 300 trees of 4 levels 12.1 us, 1,000 of them 17.7 us, 300 of 8 levels 15.4 us."""
COMPILED_US, COMPILED_PART_US, COMPILED_COLUMN_US = 4.0, 1.0, 0.06
"""Of forests and linear models in one call, beside the levels of trees; for each column that a step adds."""
COMPILED_PRODUCT_US, COSINE_US = 0.0006, 0.02
"""Of networks in that call."""
LINEAR_US = 16.0
"""By numpy, as the first layer of a network. Measured: 11 to 18 us, with up to 45 columns, too few to count."""
MERGED_PART_US = 1.0
"""Of networks that are alike, beside their products."""
PRODUCT_US = 0.0003
"""Of a network's weights: 96 x 1 above its first layer took no more than that layer alone, 96 x 96 about 3 us."""
STEP_US = 8.0
"""Measured: a lookup with up to 17 keys 8 to 13 us, with the copy of the matrix."""
STEP_COLUMN_US = {"scores": 2.2, "arithmetic": 2.0, "lookup": 0.3}
"""More for each column that is added. Measured: scores of 3, 11 and 36 columns 6, 24 and 84 us; 8 sums 23 us."""
NEIGHBOR_US = 0.002
"""For each number of the rows that are kept."""


def predict_ms(parts: Sequence[Part]) -> float:
    """Milliseconds that a bag of these takes for one row."""
    if answer_alike(parts):
        return (COMPILED_US + sum(map(_compiled_us, parts))) / 1000
    if not alike(parts):
        return sum(PART_US + _steps_us([part]) + _member_us(part.member) for part in parts) / 1000
    # What is beside the products is done once.
    together = sum(_member_us(part.member) for part in parts) - (LINEAR_US - MERGED_PART_US) * (len(parts) - 1)
    return (PART_US + _steps_us(parts) + together) / 1000


def _compiled_us(part: Part) -> float:
    member, columns = part.member, sum(len(step.sources) for step in part.steps)
    beside = COMPILED_PART_US + COMPILED_COLUMN_US * columns
    if isinstance(member, Forest):
        return beside + TREE_LEVEL_US * len(member.roots) * member.depth
    if isinstance(member, Network):
        weights = sum(array.size for array in (member.first.coef, *member.weights))
        cosines = sum(map(len, member.weights)) if member.activation == "cos" else 0
        return beside + COMPILED_PRODUCT_US * weights + COSINE_US * cosines
    return beside


def _steps_us(parts: Sequence[Part]) -> float:
    """Of the steps of parts that answer in one call: each is there once, and adds the columns of all."""
    return sum(
        STEP_US + sum(len(step.sources) for step in found) * STEP_COLUMN_US.get(found[0].kind, 2.0)
        for found in zip(*(part.steps for part in parts), strict=True)
    )


def _member_us(member: object) -> float:
    if isinstance(member, Forest):
        return COMPILED_US + TREE_LEVEL_US * len(member.roots) * member.depth
    if isinstance(member, Network):
        return LINEAR_US + PRODUCT_US * sum(weights.size for weights in member.weights)
    if isinstance(member, Neighbors):
        return LINEAR_US + NEIGHBOR_US * member.rows.size
    assert isinstance(member, Linear)
    return LINEAR_US
