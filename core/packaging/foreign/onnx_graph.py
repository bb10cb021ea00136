"""An ONNX graph as values: its nodes with their attributes, its constants and inputs. The rest is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable, SpecInvalid
from core.packaging.foreign.described import COLUMNS_MAX
from core.packaging.foreign.protobuf import decode

NODES_MAX = 5_000
ELEMENTS_MAX = 10_000_000
"""Of one constant."""
ML = "ai.onnx.ml"
PLAIN = ("Identity", "Cast", "Concat", "Add", "Sub", "Mul", "Div", "Constant", "Reshape")
OF_TABLES = (
    "Imputer", "Scaler", "OneHotEncoder", "LabelEncoder", "FeatureVectorizer", "Normalizer", "ZipMap",
    "LinearClassifier", "TreeEnsembleClassifier",
)  # fmt: skip
ALLOWED = frozenset({*(("", name) for name in PLAIN), *((ML, name) for name in OF_TABLES)})
KINDS: Mapping[int, ColumnKind] = {
    1: ColumnKind.NUMBER, 11: ColumnKind.NUMBER, 6: ColumnKind.INTEGER, 7: ColumnKind.INTEGER,
    8: ColumnKind.STRING, 9: ColumnKind.BOOLEAN,
}  # fmt: skip
"""ONNX's types of elements."""
TYPES: Mapping[int, str] = {1: "<f4", 6: "<i4", 7: "<i8", 11: "<f8"}
EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class Node:
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    constants: Mapping[str, npt.NDArray[np.float64]]
    inputs: tuple[tuple[str, ColumnKind, int], ...]
    """Name, kind and number of columns."""


def graph_of(content: bytes) -> Graph:
    """Raises ModelUnreadable for a damaged file, SpecInvalid that names what is not allowed in it."""
    model = decode(content)
    graph = model.get("graph")
    if graph is None or not model.get("ir_version"):
        raise ModelUnreadable("its ONNX file holds no graph")
    if model["functions"] or graph["sparse_initializer"]:
        raise SpecInvalid("Its ONNX file has functions or sparse constants, which are not read here")
    if len(graph["node"]) > NODES_MAX:
        raise SpecInvalid(f"Its ONNX graph has {len(graph['node']):,} nodes, and at most {NODES_MAX:,} are read")
    constants = {str(tensor.get("name", "")): constant(tensor) for tensor in graph["initializer"]}
    inputs = [_input(value) for value in graph["input"] if value.get("name") not in constants]
    if not 0 < sum(width for _, _, width in inputs) <= COLUMNS_MAX:
        raise SpecInvalid(f"Its ONNX graph takes no column, or more than {COLUMNS_MAX:,}")
    return Graph(tuple(_node(node) for node in graph["node"]), constants, tuple(inputs))


def constant(tensor: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """A tensor of numbers. Raises SpecInvalid where its data lie outside the file."""
    if tensor["external_data"] or tensor.get("data_location") == EXTERNAL:
        raise SpecInvalid("Its ONNX file keeps data outside itself", hint="Save it with save_as_external_data=False")
    kind = int(tensor.get("data_type", 0))
    if kind not in TYPES:
        raise SpecInvalid(f"Its ONNX file has a constant of type {kind}, which is not read here")
    raw = tensor.get("raw_data")
    names = {1: "float_data", 6: "int32_data", 7: "int64_data", 11: "double_data"}
    values = np.frombuffer(raw, TYPES[kind]) if raw else np.array(tensor[names[kind]])
    dims = tensor["dims"]
    if len(values) > ELEMENTS_MAX or any(not 0 <= dim <= ELEMENTS_MAX for dim in dims):
        raise SpecInvalid(f"Its ONNX file has a constant of more than {ELEMENTS_MAX:,} elements")
    return values.astype(np.float64).reshape(dims)


def _node(node: Mapping[str, Any]) -> Node:
    op, domain = str(node.get("op_type", "")), str(node.get("domain", "")).replace("ai.onnx.ml", ML)
    domain = "" if domain == "ai.onnx" else domain
    if (domain, op) not in ALLOWED:
        named = f"{domain}.{op}" if domain else op
        kind = "; a regression is not served here" if "Regressor" in op else ""
        raise SpecInvalid(
            f"Its ONNX graph uses {named[:100]}, which is not read here{kind}",
            hint=f"Read are {', '.join((*PLAIN, *OF_TABLES))}",
        )
    attributes = {str(each.get("name", "")): _attribute(each) for each in node["attribute"]}
    return Node(op, tuple(node["input"]), tuple(node["output"]), attributes)


def _attribute(told: Mapping[str, Any]) -> Any:
    if "g" in told or told["graphs"]:
        raise SpecInvalid("Its ONNX graph has graphs within graphs, which are not read here")
    for many in ("floats", "ints", "strings"):
        if told[many]:
            return [_text(value) for value in told[many]] if many == "strings" else told[many]
    if "t" in told:
        return told["t"]
    return _text(told["s"]) if "s" in told else told["i"] if "i" in told else told.get("f", [])


def _text(value: bytes) -> str:
    return value.decode()


def _input(value: Mapping[str, Any]) -> tuple[str, ColumnKind, int]:
    name, tensor = str(value.get("name", "")), value.get("type", {}).get("tensor_type", {})
    kind = tensor.get("elem_type")
    if not name or kind not in KINDS:
        raise SpecInvalid(f"Its ONNX input '{name[:100]}' is of type {kind}, which cannot be scored here")
    dims: Sequence[Mapping[str, Any]] = tensor.get("shape", {}).get("dim", [])
    width = int(dims[1].get("dim_value", 0)) if len(dims) == 2 else 1 if len(dims) == 1 else 0
    if not 0 < width <= COLUMNS_MAX:
        raise SpecInvalid(f"Its ONNX input '{name[:100]}' does not say how many columns it has")
    return name, KINDS[kind], width
