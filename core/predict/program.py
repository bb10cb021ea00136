"""Members of an ensemble, with their steps, as the compiled evaluator reads them: one call for all bags of trees.

For a single row nearly all of the time is in the calls, not in the numbers: each step, forest, link and sum by numpy
would take longer than a walk through hundreds of trees. Only exponentials are left to numpy, which has its own.
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Self

import numpy as np

from core.predict.arrays import LINKS, AnyArray, Array, within
from core.predict.forest import Forest
from core.predict.kernel import BLOCK, Library, pointer
from core.predict.linear import Linear
from core.predict.network import Network
from core.predict.part import Part
from core.predict.scores import Scores
from core.predict.steps import Arithmetic, Lookup, Step

BRIEF_ROWS = 8
"""So many rows keep the interpreter's lock: to get it back from a busy thread may take 5 ms, the rows some 0.1 ms."""
NETWORK_ROWS_MAX = 32
"""Beyond so many rows numpy's products of matrices are quicker for networks. Measured of five with 64 and 32 units."""
Bag = Sequence[Part]


class _Structure(ctypes.Structure):
    """Filled from arrays, which it keeps alive."""

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], **counts: int) -> Self:
        made = cls(**{name: array.ctypes.data for name, array in arrays.items()}, **counts)
        made.arrays = arrays
        return made


def _fields(pointers: str, counts: str) -> list[tuple[str, Any]]:
    return [*((name, ctypes.c_void_p) for name in pointers.split()), *((n, ctypes.c_int64) for n in counts.split())]


class _Lookup(_Structure):
    _fields_ = _fields("column size stride numeric edges first start table", "keys ranges values")


class _Arithmetic(_Structure):
    _fields_ = _fields("left right operation", "count")


class _Scores(_Structure):
    _fields_ = _fields("column start knot score", "count")


class _Linear(_Structure):
    _fields_ = _fields("numeric center scale coef absent text start size table intercept", "numbers texts outputs")


class _Layer(_Structure):
    _fields_ = _fields("weights bias", "units")


class _Network(ctypes.Structure):
    _fields_ = _fields("first layers", "count cosines widest")


class _Step(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int64), ("adds", ctypes.c_int64), ("what", ctypes.c_void_p))


class _Member(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("forest", "linear", "network", "steps")),
        ("scale", ctypes.c_double),
        *((name, ctypes.c_int64) for name in ("stepped", "added", "width")),
    )


class Program:
    """Bags whose members the library evaluates, all of the same `form`."""

    __slots__ = (
        "_address", "_bags", "_columns", "_ends", "_kept", "_library", "_link", "_members", "_outputs", "_scratch",
        "_shares", "_sigmoids", "rows_max",
    )  # fmt: skip

    def __init__(self, library: Library, bags: Sequence[Bag], columns: int) -> None:
        parts = [part for bag in bags for part in bag]
        self._library, self._columns, self._bags, self._members = library, columns, len(bags), len(parts)
        found = _answer(parts[0])
        self.rows_max, self._link, self._outputs = found.rows_max, found.link, found.outputs
        self._sigmoids = self._link == "sigmoid" and self._outputs == 1
        described = [_described(part, columns) for part in parts]
        self._kept = ((_Member * len(parts))(*(member for member, _ in described)), described)
        self._address = ctypes.addressof(self._kept[0])
        self._scratch = max(member.width for member, _ in described)
        shares, ends = np.array([part.share for part in parts]), np.cumsum([len(bag) for bag in bags])
        self._shares, self._ends = (shares, shares.ctypes.data), (ends, ends.ctypes.data)

    def __call__(self, matrix: Array) -> Array:
        """What each bag says (bags x rows x classes). Raises IndexError for a matrix of other width."""
        rows, width = matrix.shape
        if width != self._columns:
            raise IndexError(f"The model reads {self._columns} columns, and there are {width}")
        if not rows:
            return np.empty((self._bags, 0, LINKS[self._link](np.empty((0, self._outputs))).shape[1]))
        brief, built = rows <= BRIEF_ROWS, self._library
        read = np.ascontiguousarray(matrix, dtype=np.float64)
        margins = np.empty((rows * self._members, self._outputs))
        scratch = np.empty(min(rows, BLOCK) * self._scratch)
        (built.brief_margins if brief else built.margins)(
            self._address, self._members, self._outputs, pointer(read), rows, width, pointer(margins),
            pointer(scratch), BLOCK,
        )  # fmt: skip
        said = self._sigmoid(margins) if brief and self._sigmoids else LINKS[self._link](margins)
        classes = said.shape[1]
        means = np.empty((self._bags, rows, classes))
        (built.brief_means if brief else built.means)(
            pointer(np.ascontiguousarray(said)), self._shares[1], self._ends[1], self._bags, rows, self._members,
            classes, pointer(means),
        )  # fmt: skip
        return means

    def _sigmoid(self, margins: Array) -> Array:
        """What `LINKS` gives, in half as many microseconds."""
        powers, said = np.abs(margins), np.empty((len(margins), 2))
        np.exp(np.negative(powers, out=powers), out=powers)
        self._library.brief_sigmoid(pointer(margins), pointer(powers), len(margins), pointer(said))
        return said


@dataclass(frozen=True, slots=True)
class Form:
    """What the parts of a program have in common."""

    link: str
    outputs: int
    rows_max: float
    """Beyond so many rows the bags are quicker one by one."""


def form(bag: Bag, columns: int) -> Form | None:
    """Of a bag that can be in a program over a matrix of so many columns.

    None where it has members of other kinds, which differ in it, or a part asks for a column that is not there.
    """
    return _answer(bag[0]) if answer_alike(bag) and all(_fits(part, columns) for part in bag) else None


def answer_alike(bag: Bag) -> bool:
    """Whether all members are of kinds that the library evaluates, with one link and as many outputs."""
    kinds = all(isinstance(part.member, Forest | Linear | Network) for part in bag)
    return kinds and len(set(map(_answer, bag))) == 1


def _answer(part: Part) -> Form:
    member = part.member
    if isinstance(member, Network):
        return Form(member.link, len(member.biases[-1]), NETWORK_ROWS_MAX)
    assert isinstance(member, Forest | Linear)
    return Form(member.link, len(member.base if isinstance(member, Forest) else member.intercept), inf)


def _fits(part: Part, columns: int) -> bool:
    """Whether the library finds everything that the part asks for: it looks no more itself."""
    member, width = part.member, columns
    if not columns or not _answer(part).outputs:
        return False
    for step in part.steps:
        if step.kind not in _STEPS or not within(_read(step), width):
            return False
        width += len(step.sources)
    if isinstance(member, Linear | Network):
        first = member if isinstance(member, Linear) else member.first
        return within(first.numeric, width) and within(first.text, width)
    assert isinstance(member, Forest)
    packed = member.packed
    return packed is not None and packed.columns <= width and packed.fills in (0, width)


def _read(step: Step) -> AnyArray:
    """The columns that a step reads."""
    return np.concatenate((step.left, step.right)) if isinstance(step, Arithmetic) else step.column  # type: ignore[attr-defined]  # the other kinds have it


def _described(part: Part, columns: int) -> tuple[_Member, object]:
    """The part as the library reads it, and what that points at."""
    steps = [(_STEPS[step.kind], _step(step), len(step.sources)) for step in part.steps]
    listed = (_Step * len(steps))(*(_Step(kind, adds, ctypes.addressof(what)) for kind, what, adds in steps))
    member, added = part.member, sum(adds for *_, adds in steps)
    made = _Member(steps=ctypes.addressof(listed), stepped=len(steps), added=added, width=columns + added)
    if isinstance(member, Forest):
        assert member.packed
        made.forest, made.scale = member.packed.address, member.scale
        return made, (listed, steps, member)
    if isinstance(member, Linear):
        linear = _linear(member)
        made.linear = ctypes.addressof(linear)
        return made, (listed, steps, linear)
    assert isinstance(member, Network)
    network, kept = _network(member)
    made.network = ctypes.addressof(network)
    made.width += 2 * network.widest
    return made, (listed, steps, network, kept)


_STEPS: Mapping[str, int] = {Lookup.kind: 0, Arithmetic.kind: 1, Scores.kind: 2}
"""As the library counts them."""


def _step(step: Step) -> _Structure:
    if isinstance(step, Lookup):
        places = _whole(column=step.column, size=step.size, stride=step.stride, start=step.start)
        places |= _whole(first=np.append(step.first, len(step.column)))
        flags = {"numeric": np.ascontiguousarray(step.numeric, np.uint8)}
        sizes = {"keys": len(step.first), "ranges": step.edges.shape[1], "values": step.table.shape[1]}
        return _Lookup.of(places | flags | _floats(edges=step.edges, table=step.table), **sizes)
    if isinstance(step, Arithmetic):
        operands = _whole(left=step.left, right=step.right, operation=step.operation)
        return _Arithmetic.of(operands, count=len(step.left))
    assert isinstance(step, Scores)
    knots = _whole(column=step.column, start=step.start) | _floats(knot=step.knot, score=step.score)
    return _Scores.of(knots, count=len(step.column))


def _linear(linear: Linear) -> _Structure:
    places = {name: getattr(linear, name) for name in ("numeric", "text", "start", "size")}
    numbers = {name: getattr(linear, name) for name in ("center", "scale", "coef", "absent", "table", "intercept")}
    sizes = {"numbers": len(linear.numeric), "texts": len(linear.text), "outputs": len(linear.intercept)}
    return _Linear.of(_whole(**places) | _floats(**numbers), **sizes)


def _network(network: Network) -> tuple[_Network, object]:
    """The network as the library reads it, and what that points at."""
    first, pairs = _linear(network.first), zip(network.weights, network.biases, strict=True)
    layers = [_Layer.of(_floats(weights=weights, bias=bias), units=len(bias)) for weights, bias in pairs]
    listed = (_Layer * len(layers))(*layers)
    sizes = {"count": len(layers), "widest": max(map(len, (network.first.intercept, *network.biases)))}
    pointers = {"first": ctypes.addressof(first), "layers": ctypes.addressof(listed)}
    return _Network(**pointers, **sizes, cosines=network.activation == "cos"), (first, layers, listed)


def _whole(**arrays: AnyArray) -> dict[str, AnyArray]:
    return {name: np.ascontiguousarray(array, np.int64) for name, array in arrays.items()}


def _floats(**arrays: AnyArray) -> dict[str, AnyArray]:
    return {name: np.ascontiguousarray(array, np.float64) for name, array in arrays.items()}
