"""Reads the parts of an ONNX file that a model of tables needs: a tree of messages, by the numbers of their fields.

The numbers are those of onnx.proto. Fields that are not named here are passed over; what is named is of its kind or
the file is refused. Nothing is executed, and no message can lie deeper than this table says.
"""

import struct
from collections.abc import Mapping
from typing import Any

from core.domain.errors import ModelUnreadable

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
VARINT_BYTES_MAX = 10

Schema = Mapping[int, tuple[str, Any]]
"""Field -> (its name, how it is read). A mapping is a message; a name that ends in `*` is repeated."""

TENSOR: Schema = {
    1: ("dims*", "int"), 2: ("data_type", "int"), 4: ("float_data*", "float"), 5: ("int32_data*", "int"),
    6: ("string_data*", "bytes"), 7: ("int64_data*", "int"), 8: ("name", "text"), 9: ("raw_data", "bytes"),
    10: ("double_data*", "double"), 13: ("external_data*", "bytes"), 14: ("data_location", "int"),
}  # fmt: skip
ATTRIBUTE: Schema = {
    1: ("name", "text"), 2: ("f", "float"), 3: ("i", "int"), 4: ("s", "bytes"), 5: ("t", TENSOR), 6: ("g", "bytes"),
    7: ("floats*", "float"), 8: ("ints*", "int"), 9: ("strings*", "bytes"), 11: ("graphs*", "bytes"),
}  # fmt: skip
NODE: Schema = {
    1: ("input*", "text"), 2: ("output*", "text"), 4: ("op_type", "text"), 5: ("attribute*", ATTRIBUTE),
    7: ("domain", "text"),
}  # fmt: skip
DIMENSION: Schema = {1: ("dim_value", "int")}
TENSOR_TYPE: Schema = {1: ("elem_type", "int"), 2: ("shape", {1: ("dim*", DIMENSION)})}
VALUE: Schema = {1: ("name", "text"), 2: ("type", {1: ("tensor_type", TENSOR_TYPE)})}
GRAPH: Schema = {
    1: ("node*", NODE), 5: ("initializer*", TENSOR), 11: ("input*", VALUE), 12: ("output*", VALUE),
    15: ("sparse_initializer*", "bytes"),
}  # fmt: skip
MODEL: Schema = {1: ("ir_version", "int"), 7: ("graph", GRAPH), 25: ("functions*", "bytes")}


def decode(content: bytes, schema: Schema = MODEL) -> dict[str, Any]:
    """The message; repeated fields are lists, and there where none was sent. Raises ModelUnreadable."""
    found: dict[str, Any] = {name[:-1]: [] for name, _ in schema.values() if name.endswith("*")}
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        value, at = _value(content, at, key & 7)
        if key >> 3 not in schema:
            continue
        name, kind = schema[key >> 3]
        values = _typed(value, key & 7, kind, name)
        if name.endswith("*"):
            found[name[:-1]] += values
        elif values:
            found[name] = values[-1]
    return found


def _value(content: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    if wire == VARINT:
        return _varint(content, at)
    if wire == BYTES:
        size, at = _varint(content, at)
    elif wire in (FIXED32, FIXED64):
        size = 4 if wire == FIXED32 else 8
    else:
        raise ModelUnreadable(f"its ONNX file is damaged at byte {at}")
    if at + size > len(content):
        raise ModelUnreadable("its ONNX file is cut off")
    return content[at : at + size], at + size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(VARINT_BYTES_MAX):
        if at >= len(content):
            raise ModelUnreadable("its ONNX file is cut off")
        byte, at = content[at], at + 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, at
    raise ModelUnreadable(f"its ONNX file is damaged at byte {at}")


def _typed(value: int | bytes, wire: int, kind: Any, name: str) -> list[Any]:
    """One value, or the many of a packed field."""
    try:
        if isinstance(value, int):
            if kind == "int":
                return [_signed(value)]
        elif kind in ("float", "double"):
            code, size = ("f", 4) if kind == "float" else ("d", 8)
            return list(struct.unpack(f"<{len(value) // size}{code}", value))
        elif wire == BYTES:
            if kind == "int":
                return _packed(value)
            if kind == "text":
                return [value.decode()]
            return [value] if kind == "bytes" else [decode(value, kind)]
    except (struct.error, UnicodeDecodeError) as e:
        raise ModelUnreadable(f"its ONNX file is damaged: {e}") from e
    raise ModelUnreadable(f"its ONNX file is damaged: '{name.rstrip('*')}' is of another kind")


def _packed(content: bytes) -> list[int]:
    found, at = [], 0
    while at < len(content):
        value, at = _varint(content, at)
        found.append(_signed(value))
    return found


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >= 1 << 63 else value
