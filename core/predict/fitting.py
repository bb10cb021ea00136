"""Whether the arrays of a model folder are what they must be: what they point at exists, and every number is one.

A wrong index shows in no shape: an evaluator would read the next row's value, or another column's weight.
"""

from collections.abc import Sequence
from math import isclose, isfinite

import numpy as np
import numpy.typing as npt

from core.domain.data import ColumnKind
from core.predict.arrays import within
from core.predict.combination import WEIGHTS_APART, Combination
from core.predict.encoder import ColumnCode
from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.neighbors import Neighbors
from core.predict.network import Network
from core.predict.part import Part


def problem(bags: Sequence[Sequence[Part]], combination: Combination, codes: Sequence[ColumnCode], classes: int) -> str:
    """What is wrong with these bags of a model whose columns are coded so; empty when nothing is.

    Of a regression there are 0 classes.
    """
    if found := combination.problem(len(bags), classes):
        return found
    shares = [[part.share for part in parts] for parts in bags]
    if not all(isfinite(share) and share >= 0 for some in shares for share in some):
        return "a member's weight is no number of 0 or more"
    if not all(isclose(sum(some), 1.0, abs_tol=WEIGHTS_APART) for some in shares):
        return "the weights of its members do not add up to 1"
    if odd := [code.name for code in codes if code.fill is not None and not isfinite(code.fill)]:
        return f"what stands for a missing '{odd[0]}' is no finite number"
    problems = (_problem_of(part, codes) for parts in bags for part in parts)
    return next((text for text in problems if text), "")


def _problem_of(part: Part, codes: Sequence[ColumnCode]) -> str:
    member, columns = part.member, len(codes)
    for step in part.steps:
        if not all(within(np.array(columns_of), columns) for columns_of in step.sources):
            return f"a step asks for a column beyond the {columns} that there are"
        columns += len(step.sources)
    if isinstance(member, Forest):
        return _forest_problem(member, columns)
    if isinstance(member, Linear) and not part.steps:
        return _linear_problem(member, codes)
    if isinstance(member, Network | Neighbors):
        first = member.first if isinstance(member, Network) else member.place
        return _view_problem(first, columns, codes)
    return ""


def _forest_problem(forest: Forest, columns: int) -> str:
    if not within(forest.feature, columns):
        return f"a tree asks for column {int(forest.feature.max())}, and there are {columns} (counted from 0)"
    if len(forest.fill) not in (0, columns):
        return f"its trees fill {len(forest.fill)} columns, and there are {columns}"
    if not _finite(forest.base, forest.value[forest.left == np.arange(len(forest.left))]):
        return "a leaf of a tree holds no finite number"
    return ""


def _view_problem(first: Linear, columns: int, codes: Sequence[ColumnCode]) -> str:
    if not (within(first.numeric, columns) and within(first.text, columns)):
        return f"a model asks for a column beyond the {columns} that there are"
    own = [(at, size) for at, size in zip(first.text.tolist(), first.size.tolist(), strict=True) if at < len(codes)]
    if short := [codes[at].name for at, size in own if size < len(codes[at].levels)]:
        return f"a model has fewer places than '{short[0]}' has levels"
    return ""


def _linear_problem(linear: Linear, codes: Sequence[ColumnCode]) -> str:
    if not (within(linear.numeric, len(codes)) and within(linear.text, len(codes))):
        return f"a linear model asks for a column beyond the {len(codes)} that there are"
    for at, size in zip(linear.text.tolist(), linear.size.tolist(), strict=True):
        code = codes[at]
        if code.kind is not ColumnKind.STRING:
            return f"a linear model looks up '{code.name}' as text, which it is not"
        if size < len(code.levels):
            return f"a linear model has {size} places for the {len(code.levels)} levels of '{code.name}'"
    numbers = (linear.center, linear.scale, linear.coef, linear.absent, linear.table, linear.intercept)
    if not _finite(*numbers) or not linear.scale.all():
        return "a linear model holds no finite number, or a scale of 0"
    return ""


def _finite(*arrays: npt.NDArray[np.float64]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)
