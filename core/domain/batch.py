"""Batch scoring: which table, by which deployment, and what came of it."""

from dataclasses import dataclass

from core.domain.errors import SpecInvalid
from core.domain.rules import check_text, check_whole


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Score every row of a table with one deployment and keep the answers as a file.

    The table is a version of a data asset, or, as `source`, a file or a known name that is read once, for this job.
    """

    endpoint: str
    data: str = ""
    data_version: int = 0
    deployment: str = ""
    experiment_name: str = "batch"
    compute: str = "local"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("endpoint", "experiment_name", "compute"):
            check_text(name, getattr(self, name))
        for name in ("data", "source"):
            check_text(name, getattr(self, name), empty=True)
        if bool(self.data.strip()) == bool(self.source.strip()):
            raise SpecInvalid("A batch job scores either a data asset or a source", hint="Name one table")
        check_whole("data_version", self.data_version, 0, 1_000_000_000)
        check_text("deployment", self.deployment, empty=True)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How many rows were scored and refused, by which deployment; they stand with their answers in the job's output."""

    rows: int
    scored: int
    refused: int
    classes: tuple[str | int | float | bool, ...] = ()
    deployment: str = ""
