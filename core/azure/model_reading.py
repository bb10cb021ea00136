"""Registered models as Azure's SDK gives them, as models of ours."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from core.azure.context import TAG, Context
from core.azure.kept import found
from core.azure.model_files import NOTHING
from core.azure.names import mapping, own_name, version_number
from core.azure.tables import AT_ONCE
from core.azure.translate import ABOUT, created_at
from core.domain.data import DataRef
from core.domain.errors import NotFound
from core.domain.model import Model
from core.domain.signature import Signature

TRIAL_RUN = re.compile(r"(?P<job>.+)_(?P<trial>\d+)")
ELSEWHERE = DataRef("unknown")


@dataclass(frozen=True, slots=True)
class ModelAbout:
    """What a model's properties keep of it, beyond what Azure knows itself."""

    job_id: str
    trial: int
    algorithm: str
    metrics: Mapping[str, float]
    data: DataRef
    signature: Signature
    size_bytes: int


def read_model(context: Context, model: Any) -> Model | None:
    """A version of a model; None for one whose version is no number.

    Of one that was registered elsewhere only what its document says is known: the job that left it, and no signature.
    """
    number = version_number(model.version)
    if number is None:
        return None
    about = found(ABOUT, model.properties, ModelAbout) or _foreign(model)
    return Model(
        name=own_name(str(model.name), model.tags),
        version=number,
        job_id=about.job_id,
        trial=about.trial,
        algorithm=about.algorithm,
        metrics=about.metrics,
        data=about.data,
        signature=about.signature,
        size_bytes=about.size_bytes,
        created_at=created_at(model),
    )


def _foreign(model: Any) -> ModelAbout:
    tags = mapping(model.tags)
    run = str(getattr(model, "job_name", None) or tags.get(f"{TAG}.job") or "")
    child = TRIAL_RUN.fullmatch(run)
    job, trial = (child["job"], int(child["trial"])) if child else (run, 0)
    return ModelAbout(job, trial, str(model.type or "").replace("_", " "), {}, ELSEWHERE, NOTHING, 0)


def versions(context: Context, name: str) -> tuple[Model, ...]:
    """The versions of one model, newest first; none where there is no such model."""
    try:
        with context.asking("model", name) as client:
            read = [model for each in client.models.list(name=name) if (model := read_model(context, each))]
    except NotFound:
        return ()
    return tuple(sorted(read, key=lambda model: model.version, reverse=True))


def all_models(context: Context) -> tuple[Model, ...]:
    """Every version of every model, newest first."""
    with context.asking("model") as client:
        names = [str(each.name) for each in client.models.list()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = [model for each in pool.map(lambda name: versions(context, name), names) for model in each]
    return tuple(sorted(read, key=lambda model: (model.created_at, model.version), reverse=True))
