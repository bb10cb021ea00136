"""Specs of jobs as the `core` in place has them: values of a class each, at older revisions mappings."""

from typing import Any


def training(name: str, target: str) -> Any:
    """Of a table's first version."""
    from core.domain.data import DataRef
    from core.domain.training import TrainingSpec

    spec = TrainingSpec(DataRef(name, 1), target)
    return spec if _typed() else {"data": {"name": name, "version": 1}, "target": target, "timeout_s": 60.0}


def gate(endpoint: str, deployment: str) -> Any:
    if not _typed():
        return {"endpoint": endpoint, "deployment": deployment}
    from core.domain.proof import GateSpec

    return GateSpec(endpoint, deployment)


def run(pipeline_id: str, name: str) -> Any:
    """Of a pipeline's first version."""
    if not _typed():
        return {"pipeline_id": pipeline_id, "pipeline": name, "version": 1, "parameters": {}}
    from core.domain.run import PipelineRunSpec

    return PipelineRunSpec(pipeline_id, name, 1)


def target_of(spec: Any) -> str:
    """What a training learns to predict."""
    return str(spec["target"] if isinstance(spec, dict) else spec.target)


def _typed() -> bool:
    from core.domain import job

    return hasattr(job, "JOB_TYPES")
