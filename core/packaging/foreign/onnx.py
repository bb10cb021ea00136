"""An ONNX classifier -> trees or a linear model that numpy evaluates: no runtime is needed, and nothing is executed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable, SpecInvalid
from core.domain.signature import Column, Scalar
from core.packaging.foreign.boosters import DEPTH_MAX, reading
from core.packaging.foreign.described import MLMODEL_BYTES_MAX, Described, described, inside, read
from core.packaging.foreign.onnx_cells import Cells, Steps, cells_before
from core.packaging.foreign.onnx_graph import Graph, Node, graph_of
from core.packaging.foreign.onnx_trees import forest_of
from core.packaging.foreign.written import Taken, write
from core.predict.members import Array, Forest, Linear

MODEL = "model.onnx"
RESOURCES = "model_onnx.json"
"""Beside AutoML's model.onnx: which column of the table goes to which input."""
NAMES = "RawColumnNameToOnnxNameMap"
LINEAR, TREES = "LinearClassifier", "TreeEnsembleClassifier"
AFTER = ("Identity", "Cast", "ZipMap", "Normalizer")
"""What may follow the classifier: none changes probabilities that add up to 1."""


def is_onnx(folder: Path) -> bool:
    """Whether this is an ONNX model: MLflow's flavor of it, or a `model.onnx` as AutoML leaves it."""
    return "onnx" in described(folder).flavors or (folder / MODEL).is_file()


def take_onnx(folder: Path, staged: Path) -> None:
    """Raises ModelUnreadable for a damaged file, SpecInvalid that names what is not read in it."""
    about = described(folder)
    path = inside(folder, about.flavors["onnx"].get("data")) if "onnx" in about.flavors else folder / MODEL
    content = read(path)
    with reading("ONNX"):
        taken = _taken(graph_of(content), content, about, _resources(folder))
    write(staged, taken, about)


def _taken(graph: Graph, content: bytes, about: Described, renamed: Mapping[str, str]) -> Taken:
    found = [node for node in graph.nodes if node.op in (LINEAR, TREES)]
    if len(found) != 1:
        raise SpecInvalid(
            f"Its ONNX graph has {len(found)} classifiers, and one is read: {LINEAR} or {TREES}",
            hint="Import a single model, no vote of several",
        )
    classifier = found[0]
    if odd := [node.op for node in graph.nodes[graph.nodes.index(classifier) + 1 :] if node.op not in AFTER]:
        raise SpecInvalid(f"Its ONNX graph has {odd[0]} after its classifier, which is not read here")
    cells, classes = cells_before(graph, classifier), _classes(classifier.attributes)
    columns = _columns(graph, cells, about, renamed)
    member: Forest | Linear
    if classifier.op == LINEAR:
        member, columns = _linear(classifier, cells, columns, len(classes))
    else:
        member = forest_of(classifier.attributes, cells, len(classes), [column.levels for column in columns])
        blank = np.full(len(columns) - len(member.fill), np.nan)
        member = replace(member, fill=np.concatenate((member.fill, blank)))
        if member.depth > DEPTH_MAX:
            raise ModelUnreadable(f"its trees are {member.depth} deep, and at most {DEPTH_MAX} is read")
    return Taken(columns, classes, member, f"ONNX {classifier.op}", (MODEL, content))


def _classes(attributes: Mapping[str, Any]) -> tuple[Scalar, ...]:
    names = ("classlabels_strings", "classlabels_ints", "classlabels_int64s")
    found = tuple(next((attributes[name] for name in names if attributes.get(name)), ()))
    if len(found) < 2 or len(set(found)) < len(found):
        raise ModelUnreadable("its ONNX classifier has fewer than two classes, or one of them twice")
    return found


def _columns(graph: Graph, cells: Cells, about: Described, renamed: Mapping[str, str]) -> tuple[Column, ...]:
    """One for each column of each input, by the table's own name where it is told."""
    flat = [(name, at, kind, width) for name, kind, width in graph.inputs for at in range(width)]
    names = [renamed.get(name, name) if width == 1 else f"{name}_{at}" for name, at, _, width in flat]
    told = [column.name for column in about.columns]
    if len(told) == len(names) and (len(graph.inputs) == 1 or set(told) != set(names)):
        names = told
    levels: dict[int, dict[str, float]] = {}
    for cell in cells:
        for level, value in (cell.coded or {}).items():
            levels.setdefault(cell.column, {}).setdefault(level, value)
    # In the order of their numbers, so that a tree's cut between numbers is one between levels.
    ordered = {at: tuple(sorted(found, key=lambda level: (found[level], level))) for at, found in levels.items()}
    return tuple(
        Column(name, kind, nullable=kind is ColumnKind.NUMBER, levels=ordered.get(at, ()))
        for at, (name, (_, _, kind, _)) in enumerate(zip(names, flat, strict=True))
    )


def _linear(node: Node, cells: Cells, columns: Sequence[Column], classes: int) -> tuple[Linear, tuple[Column, ...]]:
    attributes, count = node.attributes, len(cells)
    weights = np.array(attributes["coefficients"], dtype=np.float64).reshape(-1, count)
    intercept = np.array(attributes.get("intercepts") or [0.0] * len(weights), dtype=np.float64)
    weights, intercept, link = _ended(attributes.get("post_transform", "NONE"), weights, intercept, classes)
    numbers = [at for at, cell in enumerate(cells) if cell.coded is None]
    numeric, absent = np.zeros((len(numbers), len(intercept))), np.zeros((len(numbers), len(intercept)))
    for row, at in enumerate(numbers):
        slope, offset = _line(cells[at].steps)
        numeric[row] = weights[:, at] * slope
        absent[row] = numeric[row] * (cells[at].fill or 0.0)
        intercept = intercept + weights[:, at] * offset
    unfilled = {cells[at].column for at in numbers if cells[at].fill is None}
    texts = sorted({cell.column for cell in cells if cell.coded is not None})
    tables = [_table(column, cells, columns[column].levels, weights) for column in texts]
    sizes = [len(rows) - 1 for rows in tables]
    starts = np.cumsum([0, *map(len, tables)])
    linear = Linear(
        numeric=np.array([cells[at].column for at in numbers], dtype=np.int32),
        center=np.zeros(len(numbers)),
        scale=np.ones(len(numbers)),
        coef=numeric,
        absent=absent,
        text=np.array(texts, dtype=np.int32),
        start=starts[:-1].astype(np.int32),
        size=np.array(sizes, dtype=np.int32),
        table=np.concatenate((np.zeros((0, len(intercept))), *tables)),
        intercept=intercept,
        link=link,
    )
    # Without an imputer a missing number has no answer: it is refused rather than made up.
    kept = [replace(column, nullable=False) if at in unfilled else column for at, column in enumerate(columns)]
    return linear, tuple(kept)


def _table(column: int, cells: Cells, levels: Sequence[str], weights: Array) -> Array:
    """What each level of a column of text adds to the outputs; the last row is any other's."""
    rows = np.zeros((len(levels) + 1, len(weights)))
    for at, cell in enumerate(cells):
        if cell.column == column and cell.coded is not None:
            slope, offset = _line(cell.steps)
            values = np.array([*(cell.coded.get(level, cell.other) for level in levels), cell.other])
            rows += (values * slope + offset)[:, None] * weights[:, at]
    return rows


def _ended(kind: str, weights: Array, intercept: Array, classes: int) -> tuple[Array, Array, str]:
    """Weights, intercepts and link, where two mirrored outputs are one."""
    if len(weights) != len(intercept) or len(weights) not in (1, classes):
        raise ModelUnreadable("its ONNX classifier has another number of intercepts than of classes")
    if kind == "SOFTMAX" and len(weights) == classes:
        return weights, intercept, "softmax"
    if kind == "LOGISTIC" and classes == 2:
        mirrored = len(weights) == 1 or (
            np.array_equal(weights[0], -weights[1]) and np.array_equal(intercept[0], -intercept[1])
        )
        if mirrored:
            return weights[-1:], intercept[-1:], "sigmoid"
    raise SpecInvalid(f"Its ONNX {LINEAR} ends in {str(kind)[:50]} in a way that is not read here")


def _line(steps: Steps) -> tuple[float, float]:
    """Slope and offset of the steps together."""
    slope, offset = 1.0, 0.0
    for name, number in steps:
        if name in ("Add", "Sub"):
            offset += number if name == "Add" else -number
        else:
            factor = number if name == "Mul" else 1.0 / number
            slope, offset = slope * factor, offset * factor
    return slope, offset


def _resources(folder: Path) -> Mapping[str, str]:
    """ONNX's name of an input -> the table's own, as AutoML keeps it."""
    path = folder / RESOURCES
    if not path.is_file():
        return {}
    try:
        values = msgspec.json.decode(read(path, MLMODEL_BYTES_MAX))
        return {onnx: raw for raw, onnx in msgspec.convert(values[NAMES], dict[str, str]).items()}
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as e:
        raise ModelUnreadable(f"its {RESOURCES} is damaged: {e}") from e
