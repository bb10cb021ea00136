"""What a search gives to whoever packages and registers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.signature import Signature
from core.domain.training import Guardrail, Trial


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found; everything that packaging needs lies in `folder`, one folder a trial number."""

    best: Trial
    """The trial that won. Its metrics are of rows that had no part in the choice of the winner either."""
    members: tuple[tuple[int, float], ...]
    """The trials that make the best model, with their weights: one for a single model."""
    signature: Signature
    guardrails: tuple[Guardrail, ...]
    notes: tuple[str, ...]
    """What a person must know of this model, a sentence each, e.g. that a column leaks."""
    folder: Path
    combination: Mapping[str, Any] = field(default_factory=dict)
    """How the members make one, as `model.json` says it; empty: the vote with their weights."""
    refitted: tuple[int, ...] = ()
    """Members that have one model of all rows, which stands in the place of their folds."""
    table: str = ""
    """The Parquet file that was learned from; empty: it is not known."""
