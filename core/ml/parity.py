"""The rows on which a served model must answer as the trained one: made from the signature, never from the table."""

from core.contract import samples
from core.domain.signature import Signature

PARITY_ROWS = 500
PARITY_CELLS = 200_000
"""Fewer rows of a table that is wider than 400 columns: the request is kept beside the model."""


def parity_rows(signature: Signature, seed: int) -> list[samples.Row]:
    """The same rows in training, at packaging and in the gate, given the job's seed."""
    rows = min(PARITY_ROWS, max(1, PARITY_CELLS // len(signature.used)))
    return samples.rows(signature, rows, seed)
