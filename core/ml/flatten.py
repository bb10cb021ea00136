"""Trees of three libraries -> the one forest format, exactly: every row reaches the leaf that the library gives it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from core.predict.members import AnyArray, Array, Forest

LIGHTGBM_CATEGORICAL, LIGHTGBM_DEFAULT_LEFT = 1, 2
LIGHTGBM_MISSING_NAN = 2
"""Bits of LightGBM's decision_type (include/LightGBM/tree.h): bit 0, bit 1, and the missing type in bits 2 and 3."""
LIGHTGBM_ZERO = float(np.float32(1e-35))
"""LightGBM takes values up to this far from 0 as 0 (kZeroThreshold in include/LightGBM/meta.h)."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree; children count from its own first node, a leaf is its own child."""

    feature: AnyArray
    threshold: Array
    left: AnyArray
    right: AnyArray
    default_left: AnyArray
    value: Array


def lightgbm_forest(text: str) -> Forest:
    """From LightGBM's text model; its comparisons and sums are float64, as ours."""
    header, *blocks = text[: text.index("end of trees")].split("\nTree=")
    outputs = int(_fields(header)["num_tree_per_iteration"])
    trees = [_lightgbm_tree(_fields(block)) for block in blocks]
    link = "sigmoid" if outputs == 1 else "softmax"
    return _joined(trees, np.arange(len(trees)) % outputs, np.zeros(outputs), link=link)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _lightgbm_tree(fields: dict[str, str]) -> _Tree:
    leaves = _numbers(fields["leaf_value"], float)
    if len(leaves) == 1:
        return _leaf(leaves[0])
    kinds = _numbers(fields["decision_type"], int)
    if (kinds & LIGHTGBM_CATEGORICAL).any():
        raise ValueError("A LightGBM tree splits on categories, which the forest format does not hold")
    inner, threshold = len(kinds), _lightgbm_threshold(_numbers(fields["threshold"], float))
    own = np.arange(inner + len(leaves))
    # A leaf is written as -1 - its number. Without a NaN in training LightGBM takes a NaN as 0.
    left, right = (_with_leaves(_numbers(fields[f"{side}_child"], int), inner, own) for side in ("left", "right"))
    learned = (kinds >> 2) & 3 == LIGHTGBM_MISSING_NAN
    default = np.where(learned, kinds & LIGHTGBM_DEFAULT_LEFT > 0, threshold >= 0)
    blank = np.zeros(len(leaves))
    return _Tree(
        np.concatenate((_numbers(fields["split_feature"], int), blank.astype(int))),
        np.concatenate((threshold, blank)),
        left,
        right,
        np.concatenate((default, blank > 0)),
        np.concatenate((np.zeros(inner), leaves)),
    )


def _lightgbm_threshold(values: Array) -> Array:
    """The cut below zero, at -LIGHTGBM_ZERO, sends that very value right: it is taken as 0."""
    return np.where(values == -LIGHTGBM_ZERO, np.nextafter(-LIGHTGBM_ZERO, -np.inf), values)


def _with_leaves(children: AnyArray, inner: int, own: AnyArray) -> AnyArray:
    return np.concatenate((np.where(children < 0, inner - 1 - children, children), own[inner:]))


def _numbers(text: str, kind: Callable[[str], Any]) -> AnyArray:
    return np.array([kind(word) for word in text.split()])


def xgboost_forest(document: bytes) -> Forest:
    """From XGBoost's JSON model, which compares float32 with `<`: the same as `<=` the next lower float32."""
    learner = msgspec.json.decode(document)["learner"]
    model = learner["gradient_booster"]["model"]
    trees = [_xgboost_tree(tree) for tree in model["trees"]]
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    base = _xgboost_base(learner, outputs)
    link = "sigmoid" if outputs == 1 else "softmax"
    return _joined(trees, np.array(model["tree_info"]), base, link=link, cast32=True, sum32=True)


def _xgboost_tree(tree: dict[str, Any]) -> _Tree:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    leaf, own = left < 0, np.arange(len(left))
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    below = np.nextafter(condition, np.float32(-np.inf))
    return _Tree(
        np.where(leaf, 0, np.array(tree["split_indices"])),
        np.where(leaf, 0.0, below.astype(np.float64)),
        np.where(leaf, own, left),
        np.where(leaf, own, right),
        np.array(tree["default_left"], dtype=bool) & ~leaf,
        np.where(leaf, condition.astype(np.float64), 0.0),
    )


def _xgboost_base(learner: dict[str, Any], outputs: int) -> Array:
    """The start of every sum. Written as a probability for two classes, as margins for more; in 3.x as a list."""
    text = str(learner["learner_model_param"]["base_score"])
    values = np.array([float(word) for word in text.strip("[]").split(",")], dtype=np.float32).astype(np.float64)
    if outputs == 1:
        values = np.log(values / (1.0 - values))
    return np.broadcast_to(values, (outputs,)).copy()


def sklearn_forest(trees: Sequence[Any], fill: Array) -> Forest:
    """From scikit-learn's trees, whose leaves hold the shares of the classes and which compare float32 with `<=`."""
    made = [_sklearn_tree(tree) for tree in trees]
    classes = trees[0].value.shape[2]
    base = np.zeros(1 if classes == 2 else classes)
    output = np.zeros(len(made) if classes == 2 else 0)
    return _joined(made, output, base, fill, link="identity", cast32=True, scale=1.0 / len(made))


def _sklearn_tree(tree: Any) -> _Tree:
    leaf, own = tree.children_left < 0, np.arange(tree.node_count)
    shares = tree.value[:, 0, :]
    shares = np.where(leaf[:, None], shares / shares.sum(axis=1, keepdims=True), 0.0)
    return _Tree(
        np.where(leaf, 0, tree.feature),
        np.where(leaf, 0.0, tree.threshold),
        np.where(leaf, own, tree.children_left),
        np.where(leaf, own, tree.children_right),
        np.zeros(len(own), dtype=bool),
        shares[:, 1] if shares.shape[1] == 2 else shares,
    )


def _leaf(value: float) -> _Tree:
    zero = np.zeros(1, dtype=int)
    return _Tree(zero, np.zeros(1), zero, zero, np.zeros(1, dtype=bool), np.array([value]))


def _joined(
    trees: Sequence[_Tree],
    output: AnyArray,
    base: Array,
    fill: Array | None = None,
    **how: Any,
) -> Forest:
    sizes = np.array([len(tree.feature) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    offset = np.repeat(roots, sizes)
    nodes = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in _Tree.__slots__}
    return Forest(
        roots=roots.astype(np.int32),
        feature=nodes["feature"].astype(np.int32),
        threshold=nodes["threshold"].astype(np.float64),
        left=(nodes["left"] + offset).astype(np.int32),
        right=(nodes["right"] + offset).astype(np.int32),
        default_left=nodes["default_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
        output=output.astype(np.int32),
        base=base.astype(np.float64),
        fill=np.zeros(0) if fill is None else fill,
        **how,
    )
