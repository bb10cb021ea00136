"""From CatBoost's JSON model to a forest and a lookup: exact, with no CatBoost where it answers.

What the model's statistics of text are kept by is a hash of the category, so that the hash is computed here once for
each code that there can be; then a statistic is a number a code. Arithmetic is in float32, as CatBoost's own.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.domain.errors import TrainingFailed
from core.domain.metrics import TaskKind
from core.ml.learners.forest import Tree, joined, words_of
from core.ml.learners.learner import IMPOSSIBLE, Setup
from core.ml.task import Labels
from core.predict.members import AnyArray, Array, Forest
from core.predict.steps import Lookup

Document = Mapping[str, Any]
BITS = (1 << 64) - 1
MISSING = b"missing"
K2, K3, MULTIPLIER = 0x9AE16A3B2F90404F, 0xC949D7C7509E6557, 0x9DDFEA08EB382D69
"""Constants of CityHash 1.0, by which CatBoost knows a category."""
MAGIC = np.uint64(0x4906BA494954CB65)
"""Of CatBoost's hash of several hashes."""
SIGN = 1 << 31


class Statistic(NamedTuple):
    """One number for each category of a column, of those that CatBoost calls CTR."""

    column: int
    """Of the encoded matrix."""
    values: Array
    """By code; the last one is of a missing category."""


def category(code: int | None) -> bytes:
    """The text by which CatBoost is told a code; at most 16 bytes, so that its hash stays simple."""
    return MISSING if code is None else str(code).encode()


@lru_cache(maxsize=1 << 16)
def category_hash(text: bytes) -> int:
    """CatBoost's number for a category: the lower half of CityHash 1.0 of its text of 1 to 16 bytes."""
    size = len(text)
    head, tail = (int.from_bytes(part, "little") for part in (text[:8], text[-8:]))
    if size > 8:
        turned = (tail + size) & BITS
        return (_mixed(head, (turned >> size | turned << (64 - size)) & BITS) ^ tail) & 0xFFFFFFFF
    if size >= 4:
        first, last = (int.from_bytes(part, "little") for part in (text[:4], text[-4:]))
        return _mixed((size + (first << 3)) & BITS, last) & 0xFFFFFFFF
    outer, inner = text[0] + (text[size >> 1] << 8), size + (text[-1] << 2)
    return _folded((outer * K2 ^ inner * K3) & BITS) * K2 & 0xFFFFFFFF


def _folded(value: int) -> int:
    return value ^ value >> 47


def _mixed(low: int, high: int) -> int:
    first = _folded((low ^ high) * MULTIPLIER & BITS)
    return _folded((high ^ first) * MULTIPLIER & BITS) * MULTIPLIER & BITS


def catboost_step(document: Document, setup: Setup) -> Lookup | None:
    """The columns of statistics that the trees read after those of the matrix; None where they read none."""
    found = _statistics(document, setup)
    if not found:
        return None
    columns = sorted({one.column for one in found})
    width = max(sum(one.column == column for one in found) for column in columns)
    sizes = np.array([len(setup.codes[column].levels) for column in columns])
    starts = np.cumsum(sizes + 1) - sizes - 1
    table = np.zeros((int((sizes + 1).sum()), width))
    for column, start, size in zip(columns, starts.tolist(), sizes.tolist(), strict=True):
        for at, one in enumerate(one for one in found if one.column == column):
            table[start : start + size + 1, at] = one.values
    return Lookup(
        np.array(columns), sizes, np.zeros((len(columns), 0)), np.zeros(len(columns), dtype=bool),
        np.arange(len(columns)), starts, table,
    )  # fmt: skip


def _places(found: Sequence[Statistic], width: int) -> list[int]:
    """The column of the widened matrix in which each statistic stands."""
    columns = sorted({one.column for one in found})
    most = max((sum(one.column == column for one in found) for column in columns), default=0)
    met: dict[int, int] = {}
    places = []
    for one in found:
        met[one.column] = met.get(one.column, -1) + 1
        places.append(width + columns.index(one.column) * most + met[one.column])
    return places


def _statistics(document: Document, setup: Setup) -> list[Statistic]:
    """One for each of the model's, in its own order."""
    return [_statistic(ctr, document["ctr_data"], setup) for ctr in document["features_info"].get("ctrs", ())]


def _statistic(ctr: Document, data: Mapping[str, Document], setup: Setup) -> Statistic:
    element, *others = ctr["elements"]
    if others:
        raise TrainingFailed("CatBoost has combined columns of text, which is not served: max_ctr_complexity must be 1")
    column = setup.text[element["cat_feature_index"]]
    codes = [*range(len(setup.codes[column].levels)), None]
    keys = _keys([category_hash(category(code)) for code in codes])
    learned = data[ctr["identifier"]]
    kept = learned["hash_map"]
    stride = learned["hash_stride"]
    hashes = np.array([int(key) for key in kept[::stride]], dtype=np.uint64)
    counts = np.column_stack([np.array(kept[at::stride], dtype=np.int64) for at in range(1, stride)])
    order = np.argsort(hashes)
    at = np.minimum(np.searchsorted(hashes[order], keys), len(hashes) - 1)
    found = hashes[order][at] == keys
    met = np.where(found[:, None], counts[order][at], 0)
    return Statistic(column, _values(ctr, met, int(learned["counter_denominator"])))


def _keys(hashes: Sequence[int]) -> npt.NDArray[np.uint64]:
    """What the statistics of one column are kept by: its hash as a signed number of 32 bits, mixed with 0."""
    signed = np.array([h | (BITS ^ 0xFFFFFFFF) if h & SIGN else h for h in hashes], dtype=np.uint64)
    with np.errstate(over="ignore"):
        return np.asarray(MAGIC * (MAGIC * signed))


def _values(ctr: Document, met: AnyArray, denominator: int) -> Array:
    """`(in the class + prior) / (in all + prior)`, moved and stretched; all in float32."""
    if ctr["ctr_type"] == "Counter":
        good, total = met[:, 0], np.full(len(met), denominator)
    else:
        good, total = met[:, ctr["target_border_idx"] + 1 :].sum(axis=1), met.sum(axis=1)
    one = np.float32
    share = (good.astype(one) + one(ctr["prior_numerator"])) / (total.astype(one) + one(ctr["prior_denomerator"]))
    return np.asarray((share + one(ctr["shift"])) * one(ctr["scale"]), dtype=np.float64)


def catboost_forest(document: Document, setup: Setup, width: int, rounds: int, present: Labels) -> Forest:
    """The first so many trees as a forest over the matrix (`width` columns) and the statistics after it.

    `present` are the classes that the training rows had; the others get no leaves of CatBoost's.
    """
    splits = _splits(document, setup, width)
    several = setup.kind is TaskKind.MULTICLASS
    scale, bias = document["scale_and_bias"]
    kept = document["oblivious_trees"][:rounds]
    trees = [_tree(tree, splits, present if several else None, setup.classes) for tree in kept]
    base = np.array(bias, dtype=np.float64)
    if several:
        base = np.full(setup.classes, IMPOSSIBLE)
        base[present] = bias
    link = {TaskKind.BINARY: "sigmoid", TaskKind.MULTICLASS: "softmax", TaskKind.REGRESSION: "value"}[setup.kind]
    output = np.zeros(0 if several else rounds)
    return joined(trees, output, base, link=link, cast32=True, scale=float(scale))


class _Split(NamedTuple):
    """What a node asks; those who answer yes go right, but left where a set is asked for."""

    feature: int
    threshold: float
    default_left: bool
    words: AnyArray | None = None


def _splits(document: Document, setup: Setup, width: int) -> list[_Split]:
    """By the number that a tree has for a split: those of numbers, then of categories, then of statistics."""
    text, info = setup.text, document["features_info"]
    numbers = [at for at in range(width) if at not in set(text)]
    found = [
        _Split(numbers[feature["feature_index"]], border, feature["nan_value_treatment"] != "AsTrue")
        for feature in info.get("float_features") or ()
        for border in feature["borders"] or ()
    ]
    for feature in info.get("categorical_features") or ():
        column = text[feature["feature_index"]]
        found += [_one_category(column, value, setup) for value in feature.get("values") or ()]
    places = _places(_statistics(document, setup), width)
    for ctr, place in zip(info.get("ctrs") or (), places, strict=True):
        found += [_Split(place, border, True) for border in ctr["borders"]]
    return found


def _one_category(column: int, value: int, setup: Setup) -> _Split:
    """Whether it is this very category, which may be that of the missing."""
    wanted = value & 0xFFFFFFFF
    codes = [c for c in range(len(setup.codes[column].levels)) if category_hash(category(c)) == wanted]
    return _Split(column, -1.0, category_hash(MISSING) == wanted, words_of(codes))


def _tree(tree: Document, splits: Sequence[_Split], present: Labels | None, classes: int) -> Tree:
    """A symmetric tree: the last of its splits is asked first, so that the leaves stand in CatBoost's order."""
    asked = [splits[split["split_index"]] for split in reversed(tree["splits"] or ())]
    leaves = 1 << len(asked)
    own = np.arange(2 * leaves - 1)
    level = np.repeat(np.arange(len(asked)), 1 << np.arange(len(asked)))
    left, right = own.copy(), own.copy()
    left[: leaves - 1], right[: leaves - 1] = 2 * own[: leaves - 1] + 1, 2 * own[: leaves - 1] + 2
    sets = np.zeros(len(own), dtype=bool)
    sets[: leaves - 1] = np.array([split.words is not None for split in asked], dtype=bool)[level]
    blank = np.zeros(leaves)
    return Tree(
        np.append(np.array([split.feature for split in asked], dtype=int)[level], blank.astype(int)),
        np.append(np.array([split.threshold for split in asked], dtype=float)[level], blank),
        np.where(sets, right, left),
        np.where(sets, left, right),
        np.append(np.array([split.default_left for split in asked], dtype=bool)[level], blank > 0),
        _leaf_values(tree["leaf_values"], leaves, present, classes),
        _cover(tree.get("leaf_weights"), leaves),
        {int(at): words for at in np.flatnonzero(sets) if (words := asked[level[at]].words) is not None},
    )


def _leaf_values(values: Sequence[float], leaves: int, present: Labels | None, classes: int) -> Array:
    known = np.array(values, dtype=np.float64)
    if present is None:
        return np.append(np.zeros(leaves - 1), known)
    full = np.zeros((2 * leaves - 1, classes))
    full[leaves - 1 :, present] = known.reshape(leaves, -1)
    return full


def _cover(weights: Sequence[float] | None, leaves: int) -> Array | None:
    """The rows at each node: those of its leaves together."""
    if not weights:
        return None
    levels = [np.array(weights, dtype=np.float64)]
    while len(levels[0]) > 1:
        levels.insert(0, levels[0].reshape(-1, 2).sum(axis=1))
    return np.concatenate(levels)
