"""What the nodes before an ONNX classifier do to each column, followed through the graph without a row of data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable, SpecInvalid
from core.packaging.foreign.onnx_graph import Graph, Node, constant

FLOAT_TYPES = (1, 11)
"""Of `Cast`."""
CELLS_MAX = 100_000

Steps = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a matrix in the graph: which input it comes from, and what was done to it."""

    column: int
    text: bool = False
    coded: Mapping[str, float] | None = None
    """Of a column of text: the number that each level became. A one-hot column has 1 for its level."""
    other: float = 0.0
    """What every level that `coded` does not name became, and a missing value."""
    fill: float | None = None
    steps: Steps = ()


Cells = tuple[Cell, ...]


def cells_before(graph: Graph, classifier: Node) -> Cells:
    """The matrix that the classifier takes. Raises SpecInvalid, ModelUnreadable."""
    known: dict[str, Cells] = {}
    at = 0
    for name, kind, width in graph.inputs:
        known[name] = tuple(Cell(at + i, text=kind.value == "string") for i in range(width))
        at += width
    constants = dict(graph.constants)
    for node in graph.nodes:
        if node is classifier:
            return _of(known, node, 0)
        if node.op == "Constant":
            constants[node.outputs[0]] = constant(node.attributes["value"])
        elif node.op in FOLLOWED:
            known[node.outputs[0]] = FOLLOWED[node.op](node, known, constants)
            if sum(map(len, known.values())) > CELLS_MAX:
                raise SpecInvalid(f"Its ONNX graph has more than {CELLS_MAX:,} columns between its nodes")
        else:
            raise SpecInvalid(f"Its ONNX graph has {node.op} before its classifier, which is not read here")
    raise ModelUnreadable("its ONNX graph never reaches its classifier")


def _of(known: Mapping[str, Cells], node: Node, at: int) -> Cells:
    name = node.inputs[at]
    if name not in known:
        raise ModelUnreadable(f"its ONNX graph reads '{name[:100]}' before it is there")
    return known[name]


def _numbers(known: Mapping[str, Cells], node: Node, at: int = 0) -> Cells:
    cells = _of(known, node, at)
    if any(cell.text for cell in cells):
        raise SpecInvalid(
            f"Its ONNX graph takes text in {node.op}", hint="OneHotEncoder and LabelEncoder take text here"
        )
    return cells


def _identity(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    return _of(known, node, 0)


def _cast(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    if node.attributes.get("to") not in FLOAT_TYPES:
        raise SpecInvalid("Its ONNX graph casts columns to something else than floats, which is not read here")
    return _numbers(known, node)


def _concat(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    if node.op == "Concat" and node.attributes.get("axis") not in (1, -1):
        raise SpecInvalid("Its ONNX graph joins rows, which is not read here")
    return tuple(cell for at in range(len(node.inputs)) for cell in _of(known, node, at))


def _imputer(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    cells = _numbers(known, node)
    if not np.isnan(node.attributes.get("replaced_value_float", 0.0)):
        raise SpecInvalid("Its ONNX Imputer replaces something else than missing values, which is not read here")
    fills = _spread(node.attributes["imputed_value_floats"], len(cells))
    if any(cell.steps or cell.coded is not None for cell in cells):
        raise SpecInvalid("Its ONNX Imputer comes after other steps, which is not read here")
    return tuple(
        cell if cell.fill is not None else replace(cell, fill=fill) for cell, fill in zip(cells, fills, strict=True)
    )


def _scaler(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    cells = _numbers(known, node)
    offsets, scales = (_spread(node.attributes[name], len(cells)) for name in ("offset", "scale"))
    return tuple(
        replace(cell, steps=(*cell.steps, ("Sub", offset), ("Mul", scale)))
        for cell, offset, scale in zip(cells, offsets, scales, strict=True)
    )


def _arithmetic(node: Node, known: Mapping[str, Cells], constants: Mapping[str, npt.NDArray[np.float64]]) -> Cells:
    first, second = node.inputs
    if first in constants and node.op in ("Add", "Mul"):
        node, second = replace(node, inputs=(second, first)), first
    if second not in constants:
        raise SpecInvalid(f"Its ONNX graph has {node.op} of two columns, which is not read here")
    cells = _numbers(known, node)
    numbers = _spread(constants[second].ravel().tolist(), len(cells))
    return tuple(
        replace(cell, steps=(*cell.steps, (node.op, number))) for cell, number in zip(cells, numbers, strict=True)
    )


def _one_hot(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    levels = node.attributes.get("cats_strings")
    cells = _of(known, node, 0)
    if not levels or len(cells) != 1 or not cells[0].text or len(set(levels)) < len(levels):
        raise SpecInvalid("Its ONNX OneHotEncoder codes something else than one column of text")
    return tuple(Cell(cells[0].column, coded={level: 1.0}) for level in levels)


def _label(node: Node, known: Mapping[str, Cells], constants: Any) -> Cells:
    told = node.attributes
    levels = told.get("keys_strings") or told.get("classes_strings")
    values = told.get("values_int64s") or told.get("values_floats")
    if "classes_strings" in told:
        values = list(range(len(levels or ())))
    cells = _of(known, node, 0)
    if not levels or not values or not all(cell.text for cell in cells) or len(set(levels)) < len(levels):
        raise SpecInvalid("Its ONNX LabelEncoder codes something else than text as numbers")
    other = told.get("default_int64", -1) if "values_floats" not in told else told.get("default_float", 0.0)
    coded = dict(zip(levels, _spread(values, len(levels)), strict=True))
    return tuple(Cell(cell.column, coded=coded, other=_spread(other, 1)[0]) for cell in cells)


def _reshape(node: Node, known: Mapping[str, Cells], constants: Mapping[str, npt.NDArray[np.float64]]) -> Cells:
    """One that leaves rows as they are: its last dimension is their width."""
    cells, shape = _of(known, node, 0), constants.get(node.inputs[1])
    if shape is None or len(shape) != 2 or shape[0] not in (-1, 0) or shape[1] not in (-1, len(cells)):
        raise SpecInvalid("Its ONNX graph reshapes columns, which is not read here")
    return cells


def _spread(values: Any, count: int) -> list[float]:
    numbers = [float(value) for value in (values if isinstance(values, list) else [values])]
    if len(numbers) not in (1, count) or not np.isfinite(numbers).all():
        raise ModelUnreadable("its ONNX graph has constants that do not fit their columns")
    return numbers if len(numbers) == count else numbers * count


FOLLOWED: Mapping[str, Callable[[Node, Mapping[str, Cells], Any], Cells]] = {
    "Identity": _identity,
    "Cast": _cast,
    "Concat": _concat,
    "FeatureVectorizer": _concat,
    "Imputer": _imputer,
    "Scaler": _scaler,
    "OneHotEncoder": _one_hot,
    "LabelEncoder": _label,
    "Reshape": _reshape,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
}
