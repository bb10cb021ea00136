"""Registered models."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.data import DataRef
from core.domain.signature import Signature

IMPORTED = "imported-"
"""How the job of a model begins that was not trained here; the digest of its files follows."""


@dataclass(frozen=True, slots=True)
class Model:
    """An immutable model folder with a name and a version; its backend knows where it lies."""

    name: str
    version: int
    job_id: str
    trial: int
    algorithm: str
    metrics: Mapping[str, float]
    data: DataRef
    signature: Signature
    size_bytes: int
    created_at: float

    @property
    def ref(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"

    @property
    def imported(self) -> bool:
        """It came as a folder: its job, and perhaps its data, are not here."""
        return self.job_id.startswith(IMPORTED)
