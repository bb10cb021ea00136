"""Registered models, by name and version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.model import Curve, Explanation, Model
from core.workspace.collection import Collection


class Models(Collection):
    """Registered models, by name and version."""

    noun = "models"

    def register(self, name: str, job_id: str) -> Model:
        """Register the best model of a succeeded training job; the same job twice gives the same version.

        Under another name it is another model. Raises JobNotFound, Conflict (the job has no model, or none yet).
        """
        self._cannot("register")

    def list(self) -> tuple[Model, ...]:
        """All versions of all models."""
        self._cannot("list")

    def get(self, name: str, version: int = 0) -> Model:
        """One version; 0 is the newest. Raises ModelNotFound."""
        self._cannot("get")

    def explain(self, name: str, version: int, row: Mapping[str, Any]) -> Explanation:
        """What each column contributes to one row's score. Raises ModelNotFound, PayloadInvalid."""
        self._cannot("explain")

    def curves(self, name: str, version: int) -> tuple[Curve, ...]:
        """The charts of a model's out-of-fold predictions. Raises ModelNotFound."""
        self._cannot("curves")

    def package(self, name: str, version: int, folder: Path) -> Path:
        """Copy the model folder to `folder`, on this machine, and give that. 0 is the newest version.

        Raises ModelNotFound, Conflict when the folder exists.
        """
        self._cannot("package")
