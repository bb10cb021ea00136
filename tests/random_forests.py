"""Small forests of every kind there is, and rows that lie where they decide."""

import numpy as np

from core.predict.forest import Forest

COLUMNS = 3
TREES = {
    "plain": {"outputs": 1, "link": "sigmoid"},
    "several": {"outputs": 3, "link": "softmax"},
    "shares": {"outputs": 3, "link": "identity", "whole": True},
    "averaged": {"outputs": 1, "link": "identity", "scale": 0.25, "fill": True},
    "float32": {"outputs": 2, "link": "softmax", "cast32": True, "sum32": True},
    "value": {"outputs": 1, "link": "value", "scale": 0.5, "cast32": True},
    "values": {"outputs": 2, "link": "value"},
}


def random_forest(rng: np.random.Generator, kind: str, trees: int, sets: bool, columns: int = COLUMNS) -> Forest:
    """Trees of up to 15 nodes whose thresholds lie on a coarse grid; some nodes ask for sets where `sets`."""
    how = dict(TREES[kind])
    outputs, whole = how.pop("outputs"), how.pop("whole", False)
    fill = np.resize([np.nan, 1.0, -2.0], columns) if how.pop("fill", False) else np.zeros(0)
    roots, left, right = [], [], []
    for _ in range(trees):
        roots.append(len(left))
        open_nodes = [len(left)]
        left.append(len(left))
        right.append(len(right))
        for _ in range(rng.integers(0, 8)):
            at = open_nodes.pop(rng.integers(len(open_nodes)))
            left[at], right[at] = len(left), len(left) + 1
            open_nodes += [len(left), len(left) + 1]
            left += [len(left), len(left) + 1]
            right += [len(right), len(right) + 1]
    nodes = len(left)
    inner = np.array(left) != np.arange(nodes)
    set_of = np.where(inner & (rng.random(nodes) < 0.5), 0, -1)
    set_of[set_of == 0] = np.arange((set_of == 0).sum())
    sizes = rng.integers(1, 4, int(set_of.max(initial=-1)) + 1)
    asking = set_of >= 0 if sets and len(sizes) else np.zeros(nodes, bool)
    grid = rng.integers(-4, 5, nodes) / 2
    some = {
        "set_of": set_of.astype(np.int32),
        "set_start": np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        "words": rng.integers(0, 2**32, sizes.sum(), dtype=np.uint32),
    }
    return Forest(
        roots=np.array(roots, np.int32),
        feature=rng.integers(0, columns, nodes).astype(np.int32),
        threshold=np.where(asking, rng.choice([-1.0, -5e-324], nodes), grid),
        left=np.array(left, np.int32),
        right=np.array(right, np.int32),
        default_left=rng.random(nodes) < 0.5,
        value=rng.random((nodes, outputs)) if whole else rng.normal(size=nodes),
        output=np.zeros(0, np.int32) if whole else (np.arange(trees) % outputs).astype(np.int32),
        base=rng.normal(size=outputs),
        fill=fill,
        **(some if asking.any() else {}),
        **how,
    )


def random_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    """Values on the thresholds and beside them, places of levels that are in and beyond the sets, and missing ones."""
    near = rng.integers(-4, 5, (count, COLUMNS)) / 2 + rng.choice([0, 1e-9, -1e-9], (count, COLUMNS))
    rows = np.where(rng.random(near.shape) < 0.5, near, rng.integers(0, 110, near.shape))
    odd = [np.nan, -0.0, -0.5, -1.0, 1e300, -1e300, 31.5, 2.0**31, 2.0**32, 2.0**63, np.inf, -np.inf]
    return np.where(rng.random(near.shape) < 0.3, rng.choice(odd, near.shape), rows)
