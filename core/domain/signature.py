"""What a model takes and gives: the contract from which the document, the decoder and the form are made."""

from dataclasses import dataclass

from core.domain.data import ColumnKind

Scalar = str | int | float | bool
"""A JSON scalar other than null."""

FORMS = ("v1", "v2", "mlflow")
"""The forms of a request that every endpoint takes: Azure AutoML's older and newer one, and MLflow's."""

PARITY_LIMIT = 1e-6
"""Probabilities of the served model may differ this much from the trained one's: float32 trees, other summing order."""

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
    """Inputs in table order, and the classes in the order of the probabilities.

    `classes` keep the target's JSON type. `threshold` is the probability of `positive_class` from which `predict` says
    positive, or None for the most probable class.
    """

    columns: tuple[Column, ...]
    target: str
    classes: tuple[Scalar, ...]
    positive_class: Scalar | None = None
    threshold: float | None = None

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns the model reads, in table order."""
        return tuple(c for c in self.columns if c.used)
