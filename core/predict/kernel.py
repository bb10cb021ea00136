"""The compiled evaluator of models, where set-up has built it: `kernel.c`, called by ctypes.

It is looked for in the environment that runs, under a name that holds the digest of its source: a library of another
version is never taken. Where there is none, numpy gives the same numbers: of trees in `forest.py`.
"""

import ctypes
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.predict.arrays import AnyArray, Array

SOURCE = Path(__file__).with_suffix(".c")
HEADER = Path(__file__).with_name("kernel_steps.h")
BLOCK = 64
"""Rows that pass through all trees before the next ones: they and their sums stay near the processor."""
MISSING_GOES_RIGHT, INNER, SET, COLUMNS_MAX = 1 << 31, 1 << 30, 1 << 29, 1 << 29
NODE = np.dtype([("cut", "f8"), ("left", "i4"), ("ask", "u4")])
"""16 bytes a node, four to a line of the processor's cache."""

_BYTE: Any = ctypes.c_char.from_buffer  # typed for buffers, which numpy's arrays are


class _Forest(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("nodes", "roots", "output", "leaves", "fill")),
        *((name, ctypes.c_void_p) for name in ("above", "begin", "size", "words", "base")),
        *((name, ctypes.c_int64) for name in ("trees", "outputs")),
        *((name, ctypes.c_int32) for name in ("sets", "cast32", "sum32")),
    )


def place() -> Path:
    """Where the library of this very source lies once it is built."""
    digest = hashlib.sha256(SOURCE.read_bytes() + HEADER.read_bytes()).hexdigest()[:16]
    return Path(sys.prefix) / "lib" / "slipway" / f"kernel-{digest}.so"


@dataclass(frozen=True, slots=True)
class Library:
    """The library's functions. They free the interpreter's lock; the brief ones keep it, for a row or a few."""

    sums: Any
    margins: Any
    means: Any
    brief_margins: Any
    brief_means: Any
    brief_sigmoid: Any


@cache
def library() -> Library | None:
    """What set-up has built; None where it has not, or what it has built cannot be loaded on this machine."""
    try:
        return opened(place())
    except (OSError, AttributeError):
        return None


def opened(path: Path) -> Library:
    """The functions of a library. Raises OSError; AttributeError for one of something else."""
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    free, brief = ctypes.CDLL(str(path)), ctypes.PyDLL(str(path))
    sums = (pointer, pointer, count, count, pointer, pointer, count)
    margins = (pointer, count, count, pointer, count, count, pointer, pointer, count)
    means = (pointer, pointer, pointer, count, count, count, count, pointer)
    return Library(
        _function(free.slipway_sums, sums),
        _function(free.slipway_margins, margins),
        _function(free.slipway_means, means),
        _function(brief.slipway_margins, margins),
        _function(brief.slipway_means, means),
        _function(brief.slipway_sigmoid, (pointer, pointer, count, pointer)),
    )


def _function(found: Any, arguments: tuple[Any, ...]) -> Any:
    found.argtypes, found.restype = arguments, None
    return found


class Packed:
    """A forest's nodes as the library reads them. Arrays that it points at are kept alive here."""

    __slots__ = ("_arrays", "_described", "_outputs", "_plain", "_sums", "address", "columns", "fills")

    def __init__(self, sums: Any, arrays: dict[str, AnyArray], columns: int, **how: bool) -> None:
        self._sums, self._arrays, self.columns = sums, arrays, columns
        self._outputs = len(arrays["base"])
        self.fills = len(arrays["fill"])
        self._plain = not (self.fills or how["cast32"])
        pointers = {name: array.ctypes.data for name, array in arrays.items() if len(array)}
        self._described = _Forest(
            **pointers, trees=len(arrays["roots"]), outputs=self._outputs, sets="words" in arrays, **how
        )
        self.address = ctypes.addressof(self._described)

    def __call__(self, matrix: Array) -> Array:
        """The sums of the reached leaves, rows x outputs. Raises IndexError, ValueError for a matrix of other width."""
        rows, width = matrix.shape
        if width < self.columns:
            raise IndexError(f"A tree asks for column {self.columns - 1}, and there are {width}")
        if self.fills not in (0, width):
            raise ValueError(f"The trees fill {self.fills} columns, and there are {width}")
        sums = np.empty((rows, self._outputs))
        if not rows:
            return sums
        read = np.ascontiguousarray(matrix, dtype=np.float64)
        scratch = None if self._plain else pointer(np.empty(min(rows, BLOCK) * width))
        self._sums(self.address, pointer(read), rows, width, pointer(sums), scratch, BLOCK)
        return sums


def pointer(array: AnyArray) -> Any:
    """Its address, and the array kept alive with it; `array.ctypes` takes as long as a walk through 50 trees."""
    return ctypes.byref(_BYTE(array)) if array.flags.writeable else array.ctypes.data


def packed(arrays: Mapping[str, AnyArray], *, cast32: bool, sum32: bool) -> Packed | None:
    """A forest's arrays for the library; None where there is no library, or they do not go into its nodes."""
    built, columns = library(), int(arrays["feature"].max()) + 1
    if built is None or columns > COLUMNS_MAX:
        return None
    order, left, roots = _breadth_first(arrays)
    if not len(order):
        return None
    whole = arrays["value"].ndim > 1
    value = np.ascontiguousarray(arrays["value"][order], dtype=np.float64)
    inner = left != np.arange(len(order))
    nodes = np.empty(len(order), NODE)
    nodes["left"] = left
    nodes["ask"] = np.where(inner, arrays["feature"][order] | INNER, 0)
    nodes["ask"] |= np.where(inner & ~arrays["default_left"][order], MISSING_GOES_RIGHT, 0).astype(np.uint32)
    nodes["cut"] = np.where(inner, arrays["threshold"][order], np.arange(len(order)) if whole else value)
    read = {
        "nodes": nodes,
        "roots": roots,
        "output": np.zeros(0, np.int32) if whole else arrays["output"].astype(np.int32),
        "leaves": value if whole else np.zeros(0),
        **{name: np.ascontiguousarray(arrays[name], dtype=np.float64) for name in ("fill", "base")},
        **(_sets(nodes, arrays, np.where(inner, arrays["set_of"][order], -1)) if "set_of" in arrays else {}),
    }
    return Packed(built.sums, read, columns, cast32=cast32, sum32=sum32)


def _sets(nodes: AnyArray, arrays: Mapping[str, AnyArray], set_of: AnyArray) -> dict[str, AnyArray]:
    """The sets of the nodes that ask for one, in whose place of a threshold is then which one it is."""
    asking = np.flatnonzero(set_of >= 0)
    above, sets = nodes["cut"][asking], set_of[asking]
    nodes["cut"][asking] = np.arange(len(asking))
    nodes["ask"][asking] |= np.uint32(SET)
    start = arrays["set_start"].astype(np.int32)
    return {
        "above": above,
        "begin": start[sets],
        "size": start[sets + 1] - start[sets],
        "words": arrays["words"].astype(np.uint32),
    }


def _breadth_first(arrays: Mapping[str, AnyArray]) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Nodes tree after tree and level by level, siblings side by side; each one's left child; where each tree begins.

    Nothing where a node lies in several trees, which no library writes: they could become very many.
    """
    left, right, none = arrays["left"], arrays["right"], np.zeros(0, np.int32)
    level, tree, count = arrays["roots"].astype(np.intp), np.arange(len(arrays["roots"])), 0
    levels, trees, lefts = [], [], []
    while len(level):
        inner, own = left[level] != level, np.arange(count, count + len(level))
        count += len(level)
        if count > len(left):
            return none, none, none
        levels.append(level)
        trees.append(tree)
        # The children of a level's first inner node begin the next level, those of its second come next, and so on.
        lefts.append(np.where(inner, count + 2 * (np.cumsum(inner) - 1), own))
        parents, tree = level[inner], np.repeat(tree[inner], 2)
        level = np.stack((left[parents], right[parents]), axis=1).ravel().astype(np.intp)
    by_tree = np.argsort(np.concatenate(trees), kind="stable")
    place_of = np.empty(count, np.int32)
    place_of[by_tree] = np.arange(count)
    return np.concatenate(levels)[by_tree], place_of[np.concatenate(lefts)[by_tree]], place_of[: len(arrays["roots"])]
