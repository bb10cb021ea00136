"""ONNX's TreeEnsembleClassifier as a forest, with what is done to the columns before it moved into its thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable, SpecInvalid
from core.packaging.foreign.onnx_cells import Cell, Cells, Steps
from core.predict.members import AnyArray, Array, Forest

SWAPPED = {"BRANCH_GT": "BRANCH_LEQ", "BRANCH_GTE": "BRANCH_LT"}
"""The same comparison with its branches exchanged."""
OPERATIONS = {"Sub": np.subtract, "Add": np.add, "Mul": np.multiply, "Div": np.divide}
LOWEST, HIGHEST = -(2**31) + 0x0080_0000, 0x7F7F_FFFF
"""Places of the least and the greatest finite float32 in their order, 0 in the middle."""


def forest_of(attributes: Mapping[str, Any], cells: Cells, classes: int, levels: Sequence[Sequence[str]]) -> Forest:
    """Raises SpecInvalid for a kind of tree that is not read, ModelUnreadable for a damaged one."""
    modes, tree_ids, node_ids = (attributes[f"nodes_{name}"] for name in ("modes", "treeids", "nodeids"))
    place = {key: at for at, key in enumerate(zip(tree_ids, node_ids, strict=True))}
    if len(place) < len(modes) or len(modes) != len(tree_ids):
        raise ModelUnreadable("its ONNX trees have two nodes of one number")
    own = np.arange(len(modes))
    leaf = np.array([mode == "LEAF" for mode in modes])
    true, false = (_children(attributes[f"nodes_{side}nodeids"], tree_ids, place, leaf) for side in ("true", "false"))
    swapped = np.array([mode in SWAPPED for mode in modes])
    tracks = np.array(attributes.get("nodes_missing_value_tracks_true") or [0] * len(modes)).astype(bool)
    left, right = np.where(swapped, false, true), np.where(swapped, true, false)
    feature = np.where(leaf, 0, np.array(attributes["nodes_featureids"]))
    if len(feature) and not 0 <= int(feature.min()) <= int(feature.max()) < len(cells):
        raise ModelUnreadable("its ONNX trees ask for a column that is not there")
    threshold, flipped = _thresholds(modes, np.array(attributes["nodes_values"]), feature, leaf, cells)
    coded, other = ~leaf & np.array([cell.coded is not None for cell in cells])[feature], np.zeros(len(modes), bool)
    for at in np.flatnonzero(coded).tolist():
        cell = cells[int(feature[at])]
        threshold[at], flipped[at], other[at] = _between(cell, levels[cell.column], threshold[at])
    left, right = np.where(flipped, right, left), np.where(flipped, left, right)
    value, link = _leaves(attributes, place, len(modes), classes)
    base = np.array(attributes.get("base_values") or [0.0] * value.shape[1], dtype=np.float64)
    if len(base) != value.shape[1]:
        raise ModelUnreadable("its ONNX trees begin from another number of values than they have classes")
    starts = np.flatnonzero(~np.isin(own, np.concatenate((true[~leaf], false[~leaf]))))
    if len(starts) != len(set(tree_ids)):
        raise ModelUnreadable("its ONNX trees have not one root each")
    return Forest(
        roots=starts.astype(np.int32),
        feature=np.array([cell.column for cell in cells], dtype=np.int32)[feature],
        threshold=threshold,
        left=np.where(leaf, own, left).astype(np.int32),
        right=np.where(leaf, own, right).astype(np.int32),
        default_left=(np.where(coded, other, tracks ^ swapped) ^ flipped) & ~leaf,
        value=value,
        output=np.zeros(0, dtype=np.int32),
        base=base,
        fill=_fills(cells),
        link=link,
        cast32=True,
    )


def _children(
    ids: Sequence[int], trees: Sequence[int], place: Mapping[tuple[int, int], int], leaf: AnyArray
) -> npt.NDArray[np.intp]:
    asked = zip(trees, ids, leaf.tolist(), strict=True)
    return np.array([at if end else place[tree, child] for at, (tree, child, end) in enumerate(asked)], dtype=np.intp)


def _thresholds(
    modes: Sequence[str], values: Array, feature: AnyArray, leaf: AnyArray, cells: Cells
) -> tuple[Array, AnyArray]:
    """Thresholds in terms of the columns themselves, and the nodes whose comparison turned round by it."""
    odd = set(modes) - {"LEAF", "BRANCH_LEQ", "BRANCH_LT", *SWAPPED}
    if odd:
        raise SpecInvalid(f"Its ONNX trees compare by {sorted(odd)[0][:50]}, which is not read here")
    cut = values.astype(np.float32)
    strict = np.array([SWAPPED.get(mode, mode) == "BRANCH_LT" for mode in modes])
    cut = np.where(strict, np.nextafter(cut, np.float32(-np.inf)), cut)
    flipped = np.zeros(len(cut), dtype=bool)
    found = cut.astype(np.float64)
    for at, cell in enumerate(cells):
        if cell.steps and cell.coded is None and (nodes := np.flatnonzero(~leaf & (feature == at))).size:
            found[nodes], turned = _moved(cut[nodes], cell.steps)
            flipped[nodes] = turned
    return np.where(leaf, 0.0, found), flipped


def _between(cell: Cell, levels: Sequence[str], cut: float) -> tuple[float, bool, bool]:
    """A cut between the numbers of levels as one between their places; whether it turned round; where any other goes.

    Raises SpecInvalid where the levels of one side lie apart, which one cut cannot say.
    """
    coded = cell.coded or {}
    numbers = np.array([*(coded.get(level, cell.other) for level in levels), cell.other], dtype=np.float32)
    *below, other = (_applied(numbers, cell.steps) <= cut).tolist()
    count = sum(below)
    if all(below[:count]):
        return count - 1.0, False, other
    if all(below[-count:]):
        return len(below) - count - 1.0, True, other
    raise SpecInvalid(
        "Its ONNX trees single out one level of one-hot coded text, which is not read here",
        hint="Import a native LightGBM or XGBoost model, or code the text by a LabelEncoder",
    )


def _moved(cuts: npt.NDArray[np.float32], steps: Steps) -> tuple[Array, bool]:
    """The greatest float32 x for which the steps give no more than the cut, found by halving: exact to the last bit.

    Steps that fall with x turn the comparison round; the cut is then the greatest x that still gives more.
    """
    falling = sum(number < 0 for name, number in steps if name in ("Mul", "Div")) % 2 == 1
    if any(number == 0 for name, number in steps if name in ("Mul", "Div")):
        raise SpecInvalid("Its ONNX graph scales a column by 0, which is not read here")
    low, high = np.full(len(cuts), LOWEST - 1, dtype=np.int64), np.full(len(cuts), HIGHEST, dtype=np.int64)
    while (low < high).any():
        middle = (low + high + 1) >> 1
        reached = _applied(_from_place(middle), steps)
        within = reached > cuts if falling else reached <= cuts
        low, high = np.where(within, middle, low), np.where(within, high, middle - 1)
    found = _from_place(np.maximum(low, LOWEST)).astype(np.float64)
    return np.where(low < LOWEST, -np.inf, found), falling


def _applied(x: npt.NDArray[np.float32], steps: Steps) -> npt.NDArray[np.float32]:
    for name, number in steps:
        x = OPERATIONS[name](x, np.float32(number))
    return x


def _from_place(place: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Float32 by its place among them all."""
    bits = np.where(place < 0, 0x8000_0000 + -(place + 1), place)
    return bits.astype(np.uint32).view(np.float32)


def _leaves(
    attributes: Mapping[str, Any], place: Mapping[tuple[int, int], int], nodes: int, classes: int
) -> tuple[Array, str]:
    """What each leaf adds to each output, and how the sums become probabilities."""
    kind, ids = attributes.get("post_transform", "NONE"), attributes["class_ids"]
    weights = np.array(attributes["class_weights"], dtype=np.float64)
    single = classes == 2 and len(set(ids)) == 1
    positive = bool((weights >= 0).all())
    links = {("NONE", False): "identity", ("SOFTMAX", False): "softmax"}
    links |= {("NONE", True): "identity"} if positive else {("LOGISTIC", True): "sigmoid"}
    if (kind, single) not in links:
        raise SpecInvalid(f"Its ONNX trees end in {str(kind)[:50]} in a way that is not read here")
    value = np.zeros((nodes, 1 if single else classes))
    for tree, node, output, weight in zip(
        attributes["class_treeids"], attributes["class_nodeids"], ids, weights.tolist(), strict=True
    ):
        if not 0 <= output < classes:
            raise ModelUnreadable("its ONNX trees vote for a class that is not there")
        value[place[tree, node], 0 if single else output] += weight
    return value, links[kind, single]


def _fills(cells: Cells) -> Array:
    """What stands for NaN in each column; the trees of one column must agree on it."""
    found: dict[int, float] = {}
    for cell in cells:
        fill = np.nan if cell.fill is None else float(np.float32(cell.fill))
        if cell.column in found and not np.array_equal(found[cell.column], fill, equal_nan=True):
            raise SpecInvalid("Its ONNX graph fills one column in two ways, which is not read here")
        found[cell.column] = fill
    return np.array([found.get(at, np.nan) for at in range(max(found) + 1)])
