"""What an endpoint is held to, and how much is tried."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Profile(StrEnum):
    """What an endpoint is held to."""

    STRICT = "strict"
    """Its own document, HTTP and what scoring means: nothing that is only ours or only Azure's."""
    SLIPWAY = "slipway"
    """All of that, and docs/scoring-contract.md: headers, the shape of errors, operation ids."""
    AZURE = "azure"
    """As strict, less what Azure's own services are known to do otherwise, each deviation by name."""


EVERYWHERE = frozenset(Profile)
OURS = frozenset({Profile.SLIPWAY})


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is tried: rows in the largest batch, examples and seconds for generated requests, seconds for tries."""

    rows: int
    examples: int
    generated_s: float
    tries_s: float = 6.0
    """For what is tried column by column, all checks together. Some dozens a check are made however long they take."""
    cells: int = 40_000
    """Of the rows that are drawn from everywhere: wide ones are fewer."""
    everywhere_s: float = 1.5
    """One check takes so long for these rows at most; a slow endpoint gets fewer."""

    def for_columns(self, columns: int) -> "Depth":
        """Less time for each of these where a table is wide: what cannot be cut takes longer then."""
        part = max(LEAST_PART, min(1.0, WIDE / max(1, columns)))
        return replace(
            self,
            generated_s=self.generated_s * part,
            tries_s=self.tries_s * part,
            everywhere_s=self.everywhere_s * part,
        )


WIDE = 150
"""Tables of more columns are tried for a shorter time, down to this part of it."""
LEAST_PART = 0.4

DEPTHS = {"default": Depth(40, 15, 12.0), "full": Depth(200, 200, 120.0, 60.0, 400_000, 20.0)}
