"""What a model takes and gives: the contract from which the document, the decoder and the form are made."""

from dataclasses import dataclass

from core.domain.data import ColumnKind

Scalar = str | int | float | bool
"""A JSON scalar other than null."""

FORMS = ("v1", "v2", "mlflow")
"""The forms of a request that every endpoint takes: Azure AutoML's older and newer one, and MLflow's."""

METHODS = ("predict", "predict_proba")
"""What a request may ask for: a label a row, or the probabilities of all classes."""

PARITY_LIMIT = 1e-6
"""Probabilities of the served model may differ this much from the trained one's: float32 trees, other summing order."""


def parity_limit(largest: float) -> float:
    """How far answers may be apart, the largest of which is so large: numbers of a regression relative to that."""
    return PARITY_LIMIT * max(1.0, largest)


CLOSED_LEVELS_MAX = 50
CLOSED_LEVEL_ROWS_MIN = 5
"""A text column is closed when it has at most 50 levels, each seen at least 5 times (docs/scoring-contract.md)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input column."""

    name: str
    kind: ColumnKind
    nullable: bool
    levels: tuple[str, ...] = ()
    """Known categories of a text column, sorted; empty for a free string."""
    closed: bool = False
    """Only `levels` are accepted; otherwise an unknown level is scored as unseen."""
    typical: Scalar | None = None
    """The median or the most frequent value, never a training row's."""
    low: float | None = None
    high: float | None = None
    """Observed range (numeric columns): a drift signal, not a contract."""
    used: bool = True
    """False for excluded or dropped columns: optional, any JSON scalar accepted and ignored."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs in table order, and the classes in the order of the probabilities; none for a model that gives a number.

    `classes` keep the target's JSON type. `threshold` is the probability of `positive_class` from which `predict` says
    positive, or None for the most probable class. `costs` (actual x predicted) has one number for each decision about
    each class; `predict` then says the class that is expected to cost least.
    """

    columns: tuple[Column, ...]
    target: str
    classes: tuple[Scalar, ...]
    positive_class: Scalar | None = None
    threshold: float | None = None
    costs: tuple[tuple[float, ...], ...] = ()

    @property
    def regression(self) -> bool:
        """The model gives a number, and neither classes nor probabilities."""
        return not self.classes

    @property
    def methods(self) -> tuple[str, ...]:
        """What a request may ask for, the usual one first."""
        return METHODS[:1] if self.regression else METHODS

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns the model reads, in table order."""
        return tuple(c for c in self.columns if c.used)
