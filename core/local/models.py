"""Registering a model: the one path from a training job's model folder to a name and a version."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.contract.signature import from_json
from core.domain.data import DataRef
from core.domain.errors import Conflict, SpecInvalid
from core.domain.job import Job
from core.domain.model import Model
from core.local.paths import Paths, fsync_folder, new_id, storage_error
from core.local.store import Store


def register_from_job(store: Store, paths: Paths, name: str, job: Job, clock: Callable[[], float]) -> Model:
    """Copy the job's complete model folder under `name` and give it the next version; twice gives the same version.

    Raises Conflict where the job has left no model, SpecInvalid for a name that is none, StorageFull.
    """
    source = paths.job_model(job.id)
    if not (source / "card.json").exists():
        raise Conflict(f"Job '{job.id}' has left no model", hint="Register from an AutoML job that has succeeded")
    if not name.strip() or "/" in name or name.startswith("."):
        raise SpecInvalid(f"'{name}' is not a name for a model", hint="Letters, digits, dashes, dots")
    folder = paths.model(name, job.id)
    if not folder.exists():
        _copy(source, folder, paths.incoming / new_id(clock))
    card = msgspec.json.decode((folder / "card.json").read_bytes())
    model = Model(
        name=name,
        version=0,
        job_id=job.id,
        trial=card["trial"],
        algorithm=card["algorithm"],
        metrics=card["metrics"],
        data=msgspec.convert(job.spec["data"], DataRef),
        signature=from_json(msgspec.json.decode((folder / "signature.json").read_bytes())),
        folder=str(folder),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        created_at=clock(),
    )
    return store.add_model(model)


def _copy(source: Path, folder: Path, incoming: Path) -> None:
    """All of it or nothing, and on the disk before a row names it."""
    try:
        shutil.copytree(source, incoming)
        for inner in (incoming, *(path for path in incoming.rglob("*") if path.is_dir())):
            fsync_folder(inner)
        folder.parent.mkdir(parents=True, exist_ok=True)
        incoming.rename(folder)
        fsync_folder(folder.parent)
    except OSError as e:
        shutil.rmtree(incoming, ignore_errors=True)
        if not folder.exists():
            raise storage_error(e, f"register the model in {folder.parent.name}") from e
