"""Small networks as arrays: a first layer with its own scaling and one-hot coding, then plain ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from core.domain.errors import ModelUnreadable
from core.predict.arrays import LINKS, AnyArray, Array
from core.predict.linear import LINEAR_ARRAYS, Linear


def _rectified(sums: Array) -> Array:
    return np.maximum(sums, 0.0)


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"relu": _rectified, "cos": np.cos}
"""What is made of the sums of every layer but the last. Cosines of random sums stand for a radial kernel."""
FIRST = "first_"


@dataclass(frozen=True, slots=True)
class Network:
    """Sums of the encoded matrix as a linear model makes them, then layers of weights and biases."""

    kind: ClassVar[str] = "network"

    first: Linear
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activation: str = "relu"
    link: str = "softmax"

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays whose shapes do not fit."""
        widths = [len(self.first.intercept), *(len(bias) for bias in self.biases)]
        fits = (
            self.link in LINKS
            and self.activation in ACTIVATIONS
            and len(self.weights) == len(self.biases) > 0
            and all(w.dtype.kind == b.dtype.kind == "f" for w, b in zip(self.weights, self.biases, strict=True))
            and [w.shape for w in self.weights] == list(pairwise(widths))
            and all(bool(np.isfinite(array).all()) for array in (*self.weights, *self.biases))
        )
        if not fits:
            raise ModelUnreadable("The network's arrays do not fit together", hint="Register the model again")

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix; of a regression, rows x 1."""
        active, sums = ACTIVATIONS[self.activation], self.first.margins(matrix)
        for weights, bias in zip(self.weights, self.biases, strict=True):
            sums = active(sums) @ weights + bias
        return LINKS[self.link](sums)

    def arrays(self) -> dict[str, AnyArray]:
        layers = {f"weights{at}": array for at, array in enumerate(self.weights)}
        layers |= {f"bias{at}": array for at, array in enumerate(self.biases)}
        return {FIRST + name: array for name, array in self.first.arrays().items()} | layers

    def meta(self) -> dict[str, Any]:
        return {"activation": self.activation, "link": self.link, "layers": len(self.weights)}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Network":
        """The network that `meta` and `arrays` described. Raises ModelUnreadable."""
        try:
            first = Linear.from_arrays({"link": "identity"}, {name: arrays[FIRST + name] for name in LINEAR_ARRAYS})
            layers = range(int(meta["layers"]))
            weights, biases = (tuple(arrays[f"{name}{at}"] for at in layers) for name in ("weights", "bias"))
            return cls(first, weights, biases, meta["activation"], meta["link"])
        except KeyError as e:
            raise ModelUnreadable(f"The model lacks {e}", hint="Register the model again") from e
