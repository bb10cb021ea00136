"""Registered models, by name and version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.explanation import Curve, Explanation
from core.domain.model import Model
from core.domain.signature import Scalar
from core.workspace.collection import Collection


class Models(Collection):
    """Registered models, by name and version."""

    noun = "models"

    def register(self, name: str, job_id: str, trial: int | None = None) -> Model:
        """Register the model of one trial of a training job; the same trial twice gives the same version.

        None is the best: of a job that has succeeded what it has left, of one that was canceled or has failed the best
        of the trials that it finished, by its primary metric. A trial that has succeeded can be registered by its
        number while its job goes on. Under another name it is another model. Raises JobNotFound, also for a trial that
        is not there, Conflict (the job has no model, or none yet; the trial failed or was cut off).
        """
        self._cannot("register")

    def import_folder(self, name: str, folder: Path) -> Model:
        """Register the model in a folder that `package` wrote, here or in another workspace; its bytes are copied.

        The same model twice under one name gives the same version. Nothing in the folder is run. Its job is none of
        this workspace (`imported`). Raises SpecInvalid for a folder that is no such model, is damaged, or holds a
        pickle.
        """
        self._cannot("import_folder")

    def list(self, *, job_id: str = "") -> tuple[Model, ...]:
        """All versions of all models, or those that were registered from one job; none for one that is not there."""
        self._cannot("list")

    def get(self, name: str, version: int = 0) -> Model:
        """One version; 0 is the newest. Raises ModelNotFound."""
        self._cannot("get")

    def explain(self, name: str, version: int, row: Mapping[str, Any], class_name: Scalar | None = None) -> Explanation:
        """What each column contributes to one row's score; of several classes, to that of the most probable one.

        The row is checked as the endpoint checks it. Raises ModelNotFound, PayloadInvalid, SpecInvalid for a class that
        is not there.
        """
        self._cannot("explain")

    def curves(self, name: str, version: int) -> tuple[Curve, ...]:
        """The charts of a model's out-of-fold predictions, while its job is there.

        Raises ModelNotFound, Conflict where the predictions or the table they are of are gone.
        """
        self._cannot("curves")

    def package(self, name: str, version: int, folder: Path) -> Path:
        """Copy the model folder to `folder`, on this machine, and give that. 0 is the newest version.

        Raises ModelNotFound, Conflict when the folder exists.
        """
        self._cannot("package")
