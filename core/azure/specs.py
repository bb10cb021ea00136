"""What jobs ask for."""

from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.job import JobSpec
from core.domain.training import TrainingSpec


def reads(spec: JobSpec) -> DataRef | None:
    """The data version that a job reads, where it reads one."""
    match spec:
        case TrainingSpec():
            return spec.data
        case BatchSpec(data=name, data_version=version) if name:
            return DataRef(name, version)
    return None
