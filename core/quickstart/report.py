"""What a quickstart is asked for, and what came of each of its steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.data import DataAsset
from core.domain.endpoint import (
    Endpoint,
    EndpointKeys,
    ScoreReply,
)
from core.domain.job import Job
from core.domain.model import Model
from core.domain.proof import CheckResult, verdict
from core.domain.training import TrainingResult


@dataclass(frozen=True, slots=True)
class QuickstartOptions:
    """What to run the lifecycle on. `data` is a known name or a path; `timeout_s` limits the search for a model."""

    data: str = "bankmarketing_train"
    target: str = "y"
    timeout_s: float = 60.0
    reuse: bool = False
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuickstartReport:
    """What came of every step. `seconds` are wall-clock, by phase."""

    data: DataAsset
    job: Job
    model: Model
    endpoint: Endpoint
    keys: EndpointKeys
    score: ScoreReply
    checks: tuple[CheckResult, ...]
    seconds: Mapping[str, float]
    trials: int
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the gate passed: no check failed and none lacks a verdict."""
        return verdict(self.checks) is True

    @property
    def exit_code(self) -> int:
        """0: live and answering. 1: the gate is red, or the endpoint did not answer with 200. 3: no verdict."""
        if verdict(self.checks) is None:
            return 3
        return 0 if self.passed and self.score.status == 200 else 1

    def document(self) -> dict[str, Any]:
        """The report as plain JSON; it holds the endpoint's primary key."""
        data, job, best = self.data, self.job, found(self.job).best
        checks = [{"name": c.name, "passed": c.passed, "evidence": c.evidence} for c in self.checks]
        return {
            "data": {
                "name": data.name,
                "version": data.version,
                "rows": data.rows,
                "columns": len(data.columns),
                "source": str(data.source),
                "sha256": data.sha256,
                "notes": [note.text for note in data.notes],
            },
            "job": {
                "id": job.id,
                "state": str(job.state),
                "trials": self.trials,
                "best": {"algorithm": best.algorithm, "metrics": dict(best.metrics)},
            },
            "model": {"name": self.model.name, "version": self.model.version},
            "endpoint": {
                "name": self.endpoint.name,
                "scoring_uri": self.endpoint.scoring_uri,
                "swagger_uri": self.endpoint.swagger_uri,
                "primary_key": self.keys.primary,
            },
            "score": {"status": self.score.status, "body": self.score.body},
            "gate": {"passed": self.passed, "checks": checks},
            "seconds": {phase: round(seconds, 3) for phase, seconds in self.seconds.items()},
        }


def found(job: Job) -> TrainingResult:
    """What a training job that succeeded has left."""
    assert isinstance(job.result, TrainingResult)
    return job.result
