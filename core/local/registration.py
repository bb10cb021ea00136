"""Registering a model: the one path from a training job's model folder to a name and a version."""

from collections.abc import Callable

import msgspec

from core.contract.signature import from_json
from core.domain.errors import Conflict
from core.domain.job import Job
from core.domain.model import Model
from core.domain.names import check_name
from core.domain.training import TrainingSpec
from core.local.machine.durable import copy_folder
from core.local.machine.failpoints import Failpoint, reach
from core.local.paths import Paths, new_id
from core.local.store import Store


def register_from_job(store: Store, paths: Paths, name: str, job: Job, clock: Callable[[], float]) -> Model:
    """Copy the job's complete model folder under `name` and give it the next version; twice gives the same version.

    Raises Conflict where the job has left no model, SpecInvalid for a name that is none, StorageFull.
    """
    source = paths.job_model(job.id)
    if not isinstance(job.spec, TrainingSpec) or not (source / "card.json").exists():
        raise Conflict(f"Job '{job.id}' has left no model", hint="Register from an AutoML job that has succeeded")
    check_name("a model", name)
    folder = paths.model(name, job.id)
    if not folder.exists():
        copy_folder(source, folder, paths.incoming / new_id(clock))
    reach(Failpoint.MODEL_COPIED)
    card = msgspec.json.decode((folder / "card.json").read_bytes())
    model = Model(
        name=name,
        version=0,
        job_id=job.id,
        trial=card["trial"],
        algorithm=card["algorithm"],
        metrics=card["metrics"],
        data=job.spec.data,
        signature=from_json(msgspec.json.decode((folder / "signature.json").read_bytes())),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        created_at=clock(),
    )
    return store.models.add(model)
