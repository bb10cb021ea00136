"""Linear models as arrays, with their own scaling and one-hot coding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.domain.errors import ModelUnreadable
from core.predict.arrays import LINKS, AnyArray, Array, exactly, typed, within


@dataclass(frozen=True, slots=True)
class Linear:
    """A generalised linear model over the encoded matrix, with its own scaling and one-hot coding.

    Numeric columns: `(x - center) / scale` times `coef`, and `absent` where x is missing. Text columns: row
    `start + code` of `table`, row `start + size` where the value is missing or unseen.
    """

    kind: ClassVar[str] = "linear"

    numeric: npt.NDArray[np.int32]
    center: Array
    scale: Array
    coef: Array
    absent: Array
    text: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]
    table: Array
    intercept: Array
    link: str = "sigmoid"

    def __post_init__(self) -> None:
        """Raises ModelUnreadable for arrays whose shapes do not fit."""
        outputs, numeric, text = len(self.intercept), len(self.numeric), len(self.text)
        fits = (
            self.link in LINKS
            and typed(self, LINEAR_KINDS)
            and self.coef.shape == self.absent.shape == (numeric, outputs)
            and len(self.center) == len(self.scale) == numeric
            and len(self.start) == len(self.size) == text
            and self.table.shape[1:] == (outputs,)
            and within(self.start, len(self.table))
            and within(self.size, len(self.table))
            and within(self.start + self.size, len(self.table))
        )
        if not fits:
            raise ModelUnreadable("The linear model's arrays do not fit together", hint="Register the model again")

    def probabilities(self, matrix: Array) -> Array:
        """Rows x classes of the encoded matrix."""
        return LINKS[self.link](self.margins(matrix))

    def margins(self, matrix: Array) -> Array:
        """The sums, rows x outputs, before they become probabilities."""
        margins = np.empty((len(matrix), len(self.intercept)))
        margins[:] = self.intercept
        if len(self.numeric):
            scaled = (matrix.take(self.numeric, axis=1) - self.center) / self.scale
            missing = np.isnan(scaled)
            if missing.any():
                scaled[missing] = 0.0
                margins += missing @ self.absent
            margins += scaled @ self.coef
        if len(self.text):
            codes = matrix.take(self.text, axis=1)
            rows = self.start + np.where(np.isnan(codes), self.size, codes).astype(np.intp)
            margins += self.table.take(rows, axis=0).sum(axis=1)
        return margins

    def terms(self, matrix: Array) -> Array:
        """Rows x columns of the matrix x outputs: what each column adds to the margins, the intercept aside."""
        terms = np.zeros((*matrix.shape, len(self.intercept)))
        scaled = (matrix[:, self.numeric] - self.center) / self.scale
        numbers = np.where(np.isnan(scaled)[..., None], self.absent, scaled[..., None] * self.coef)
        codes = matrix[:, self.text]
        texts = self.table[self.start + np.where(np.isnan(codes), self.size, codes).astype(np.intp)]
        for columns, added in ((self.numeric, numbers), (self.text, texts)):
            for place, column in enumerate(columns.tolist()):
                terms[:, column] += added[:, place]
        return terms

    def arrays(self) -> dict[str, AnyArray]:
        return {name: getattr(self, name) for name in LINEAR_ARRAYS}

    def meta(self) -> dict[str, Any]:
        return {"link": self.link}

    @classmethod
    def from_arrays(cls, meta: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> "Linear":
        """The model that `meta` and `arrays` described. Raises ModelUnreadable."""
        return cls(**exactly(LINEAR_ARRAYS, arrays), **exactly(("link",), meta))


LINEAR_ARRAYS = ("numeric", "center", "scale", "coef", "absent", "text", "start", "size", "table", "intercept")
LINEAR_KINDS = dict.fromkeys(("numeric", "text", "start", "size"), "iu")
LINEAR_KINDS |= dict.fromkeys(("center", "scale", "coef", "absent", "table", "intercept"), "f")
