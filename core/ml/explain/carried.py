"""How contributions to what goes into a function become contributions to what comes out of it."""

from collections.abc import Callable

import numpy as np

from core.predict.arrays import Array

STEPS = 16
"""On the way from the average row to the row; each input takes them in turn."""
NEAR = 1e-9
"""Inputs that lie no further apart are told by the slope of the function there."""
SLOPE_REACH = 1e-5

Function = Callable[[Array], Array]
"""Points x inputs to one number a point."""


def carried(function: Function, start: Array, end: Array) -> Array:
    """For each input by what its contributions are to be multiplied, so that they add up to the outputs' difference.

    Each input is moved from `start` to `end` in small steps, the inputs in turn, to and fro, and gets what the output
    moves by: the integral along the straight way (Aumann and Shapley 1974), as Chen, Lundberg and Lee carry Shapley
    values through a series of models ("Explaining a series of models by propagating Shapley values", 2022). However
    coarse the steps are, the sum is exact.
    """
    inputs, moved = len(start), end - start
    steps = 1 if inputs == 1 else STEPS
    at, points, turns = start.copy(), [start.copy()], []
    for step in range(1, steps + 1):
        for each in range(inputs) if step % 2 else reversed(range(inputs)):
            at[each] = end[each] if step == steps else start[each] + moved[each] * step / steps
            points.append(at.copy())
            turns.append(each)
    gained = np.bincount(turns, weights=np.diff(function(np.array(points))), minlength=inputs)
    near = np.abs(moved) < NEAR
    factors = np.divide(gained, moved, out=np.zeros(inputs), where=~near)
    for each in np.flatnonzero(near).tolist():
        beside = np.tile((start + end) / 2, (2, 1))
        beside[:, each] += (-SLOPE_REACH, SLOPE_REACH)
        factors[each] = np.diff(function(beside))[0] / (2 * SLOPE_REACH)
    return factors
