"""Where things of `core` stood before its rooms were redrawn: workloads ask for them by today's names alone.

The gate prepares the workloads of this checkout against the `core` of others, whose names are older. This file can go
when `perf/anchor` names a commit that has the rooms, for nothing older is compared with any more.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

MOVED: Mapping[str, tuple[str, ...]] = {
    "core.local.machine.processes": ("local.processes",),
    "core.local.records.merging": ("local.merging",),
    "core.local.records.telemetry": ("local.telemetry",),
    "core.ml.data.prepare": ("ml.prepare",),
    "core.ml.data.profile": ("ml.profile",),
    "core.ml.data.table": ("ml.table",),
    "core.ml.learners.learner": ("ml.learners",),
    "core.ml.learners.lightgbm": ("ml.learners",),
    "core.ml.learners.linear": ("ml.learners",),
    "core.ml.learners.xgboost": ("ml.learners",),
    "core.ml.task": ("ml.executor", "ml.learners"),
}
"""Module -> where below `core` that stood which workloads take from it, the first place that has it."""
CALLED: Mapping[str, str] = {
    "core.ml.learners.lightgbm:fit": "fit_lightgbm",
    "core.ml.learners.xgboost:fit": "fit_xgboost",
    "core.ml.task:LearningProblem": "Problem",
}
"""Name of a module -> what it was called there."""

VERBS: Mapping[str, str] = {
    "data.register": "register_data",
    "jobs.get": "job",
    "jobs.list": "list_jobs",
    "jobs.submit": "submit",
    "records.requests": "requests",
    "records.telemetry": "telemetry",
    "service.start": "service_start",
    "service.status": "service_status",
}
"""Verb of a workspace, by its noun -> what it was called when a workspace was one class of flat verbs."""


class Before(ModuleType):
    """A module by its new name, of a `core` that has it elsewhere: loaded when something is taken from it."""

    def __init__(self, name: str, places: Sequence[str]) -> None:
        super().__init__(name)
        self._places = places

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            before = CALLED.get(f"{self.__name__}:{name}", name)
            for module in (import_module(f"core.{place}") for place in self._places):
                if hasattr(module, before):
                    return getattr(module, before)
        raise AttributeError(name)


def model_folder(paths: Any, model: Any) -> Path:
    """Where a registered model lies; by its job alone until any trial of a job could be registered."""
    told = (model.name, model.job_id, model.trial)
    return Path(paths.model(*told) if hasattr(paths, "new_model") else paths.model(*told[:2]))


def local_workspace(*given: Any, **told: bool) -> Any:
    """The local workspace of the `core` in place, as it is."""
    from core.local import workspace

    opening = workspace.open_local if hasattr(workspace, "open_local") else workspace.LocalWorkspace
    return opening(*given, **told)


def by_noun(workspace: Any) -> Any:
    """The workspace with the verbs that workloads call where today's stand; itself where they stand there."""
    if not hasattr(workspace, "list_jobs"):
        return workspace
    nouns: dict[str, dict[str, Any]] = {}
    for verb, flat in VERBS.items():
        noun, _, name = verb.partition(".")
        nouns.setdefault(noun, {})[name] = getattr(workspace, flat)
    return SimpleNamespace(settings=workspace.settings, **{n: SimpleNamespace(**verbs) for n, verbs in nouns.items()})


def names_of(root: Path) -> dict[str, ModuleType]:
    """What to put among the modules of the `core` at `root`, so that it is found by the new names too."""
    return {
        name: Before(name, places)
        for name, places in MOVED.items()
        if not is_there(root, name) and all(is_there(root, f"core.{place}") for place in places)
    }


def is_there(root: Path, module: str) -> bool:
    """Whether the checkout at `root` has this module or package."""
    place = root.joinpath(*module.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()
