"""Registered models."""

import shutil
from pathlib import Path

from core.domain.errors import Conflict
from core.domain.model import Model
from core.local.collections.jobs import JobVerbs
from core.local.machine.durable import storage_error
from core.local.worker.models import register_from_job


class ModelVerbs(JobVerbs):
    """The model verbs of `Workspace`."""

    def register_model(self, name: str, job_id: str) -> Model:
        job = self._succeeded_training(job_id)
        return register_from_job(self._store, self._paths, name, job, self._clock)

    def list_models(self) -> tuple[Model, ...]:
        return self._store.models.list()

    def model(self, name: str, version: int = 0) -> Model:
        return self._store.models.get(name, version)

    def package_model(self, name: str, version: int, folder: Path) -> Path:
        model = self._store.models.get(name, version)
        if folder.exists():
            raise Conflict(f"{folder} exists already", hint="Name a folder that does not exist yet")
        try:
            shutil.copytree(model.folder, folder)
        except OSError as e:
            raise storage_error(e, f"package '{model.ref}'") from e
        return folder
