"""Registered models."""

import shutil
from pathlib import Path

from core.domain.errors import Conflict
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.local.context import Context
from core.local.machine.durable import storage_error
from core.local.registration import register_from_job
from core.workspace.models import Models


class LocalModels(Models):
    """Model folders, copied from the jobs that made them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def register(self, name: str, job_id: str) -> Model:
        job = self._succeeded_training(job_id)
        return register_from_job(self._context.store, self._context.paths, name, job, self._context.clock)

    def list(self) -> tuple[Model, ...]:
        return self._context.store.models.list()

    def get(self, name: str, version: int = 0) -> Model:
        return self._context.store.models.get(name, version)

    def package(self, name: str, version: int, folder: Path) -> Path:
        model = self._context.store.models.get(name, version)
        if folder.exists():
            raise Conflict(f"{folder} exists already", hint="Name a folder that does not exist yet")
        try:
            shutil.copytree(self._context.paths.model(model.name, model.job_id), folder)
        except OSError as e:
            raise storage_error(e, f"package '{model.ref}'") from e
        return folder

    def _succeeded_training(self, job_id: str) -> Job:
        job = self._context.store.jobs.get(job_id)
        if job.kind is not JobKind.AUTOML or job.state is not JobState.SUCCEEDED:
            raise Conflict(
                f"Job '{job_id}' ({job.kind}, {job.state}) has no model to register",
                hint="Register from an AutoML job that has succeeded",
            )
        return job
