"""Registered models."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import Conflict, JobNotFound
from core.domain.explanation import Curve, Explanation
from core.domain.model import Model
from core.domain.signature import Scalar
from core.durable import storage_error
from core.local.context import Context
from core.local.explaining import Explaining
from core.local.importing import import_folder
from core.local.registration import register_from_job
from core.workspace.models import Models


class LocalModels(Models):
    """Model folders, copied from the jobs that made them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._explaining = Explaining(context)

    def register(self, name: str, job_id: str, trial: int | None = None) -> Model:
        store, paths = self._context.store, self._context.paths
        return register_from_job(store, paths, name, store.jobs.get(job_id), self._context.clock, trial)

    def import_folder(self, name: str, folder: Path) -> Model:
        return import_folder(self._context.store, self._context.paths, name, folder, self._context.clock)

    def list(self, *, job_id: str = "") -> tuple[Model, ...]:
        return self._context.store.models.list(job_id)

    def get(self, name: str, version: int = 0) -> Model:
        return self._context.store.models.get(name, version)

    def explain(self, name: str, version: int, row: Mapping[str, Any], class_name: Scalar | None = None) -> Explanation:
        model = self._context.store.models.get(name, version)
        folder = self._context.paths.model(model.name, model.job_id, model.trial)
        return self._explaining.explain_model(model, folder, row, class_name)

    def curves(self, name: str, version: int) -> tuple[Curve, ...]:
        model = self._context.store.models.get(name, version)
        try:
            return self._explaining.curves(model.job_id, model.trial).curves
        except JobNotFound as e:
            raise Conflict(f"The job of {model.ref} is not here, and with it its predictions", hint=e.hint) from e

    def package(self, name: str, version: int, folder: Path) -> Path:
        model = self._context.store.models.get(name, version)
        if folder.exists():
            raise Conflict(f"{folder} exists already", hint="Name a folder that does not exist yet")
        try:
            shutil.copytree(self._context.paths.model(model.name, model.job_id, model.trial), folder)
        except OSError as e:
            raise storage_error(e, f"package '{model.ref}'") from e
        return folder
