"""Where each thing of a local workspace lies. Every object path in the backend comes from here."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.names import folder_name
from core.forwarding.queue import QUEUE


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths below one workspace folder."""

    home: Path

    @property
    def store(self) -> Path:
        return self.home / "slipway.db"

    @property
    def service_key(self) -> Path:
        return self.home / "service.key"

    @property
    def service_lock(self) -> Path:
        return self.home / "service.lock"

    @property
    def service_log(self) -> Path:
        return self.home / "service.log"

    @property
    def forwarding_log(self) -> Path:
        """What the process that forwards telemetry prints."""
        return self.home / "forwarding.log"

    @property
    def incoming(self) -> Path:
        """Half-written things; whatever lies here when the service starts is rubbish."""
        return self.home / "incoming"

    def data(self, name: str, content_id: str) -> Path:
        """One data version's folder, by content, so that two registrations at once cannot meet in one folder."""
        return self._of("data", name, content_id[:16])

    def table(self, name: str, content_id: str) -> Path:
        return self.data(name, content_id) / "table.parquet"

    def source(self, name: str, content_id: str) -> Path:
        """The bytes of a table that was uploaded, to be read again in another way."""
        return self.data(name, content_id) / "source"

    def profile(self, name: str, content_id: str) -> Path:
        return self.data(name, content_id) / "profile.json"

    def job(self, job_id: str) -> Path:
        return self.home / "jobs" / job_id

    def job_log(self, job_id: str) -> Path:
        """One JSON object a line: at, level, text."""
        return self.job(job_id) / "log.jsonl"

    def gate_progress(self, job_id: str) -> Path:
        """What a gate has judged so far, one check a line."""
        return self.job(job_id) / "checks.jsonl"

    def load_progress(self, job_id: str) -> Path:
        """What a load test has met so far."""
        return self.job(job_id) / "progress.json"

    def job_output(self, job_id: str) -> Path:
        """What a batch job has scored, complete."""
        return self.job(job_id) / "scored.csv"

    def step_outputs(self, job_id: str) -> Path:
        """The files that a step has left."""
        return self.job(job_id) / "outputs"

    def job_table(self, job_id: str) -> Path:
        """The table that a batch job was given as a file: its own copy, until it is scored."""
        return self.job(job_id) / "table.parquet"

    def worker_log(self, job_id: str) -> Path:
        """What the worker process printed: tracebacks of bugs end here."""
        return self.job(job_id) / "worker.log"

    def step_file(self, value: str) -> Path:
        """A file or folder that a step gave, by the output's value: the step's job, then the path below its outputs."""
        job_id, _, inner = value.partition("/")
        return self.step_outputs(job_id) / inner

    def step_checkpoint(self, run_id: str, step: str) -> Path:
        """What a step's own code keeps for its next attempt, until one succeeds."""
        return self.job(run_id) / "checkpoints" / folder_name(step)

    def pipeline_code(self, digest: str) -> Path:
        """The code that was published with a pipeline's step: a tar archive, by its SHA-256."""
        return self.home / "pipelines" / f"{digest}.tar"

    def trials(self, job_id: str) -> Path:
        """One folder for each trial of a training job."""
        return self.job(job_id) / "trials"

    def job_model(self, job_id: str) -> Path:
        """The model that a training job has left."""
        return self.job(job_id) / "model"

    def model(self, name: str, job_id: str, trial: int) -> Path:
        """A registered model: its own copy of what one trial of the job has left.

        One that was registered when only a job's best could be lies under the job's id alone, and stays there.
        """
        folder = self._of("models", name, f"{job_id}-{trial}")
        earlier = self._of("models", name, job_id)
        return earlier if earlier.exists() and not folder.exists() else folder

    def new_model(self, name: str, job_id: str, trial: int) -> Path:
        """Where a model is registered from now on."""
        return self._of("models", name, f"{job_id}-{trial}")

    def _of(self, kind: str, name: str, leaf: str) -> Path:
        """The folder of something with a name; one that Slipway 0.2 called by the name as it is stays where it is."""
        folder = self.home / kind / folder_name(name) / leaf
        earlier = self.home / kind / name / leaf
        return earlier if folder != earlier and earlier.exists() and not folder.exists() else folder

    def endpoint(self, name: str) -> Path:
        return self.home / "endpoints" / name

    def endpoint_file(self, name: str) -> Path:
        """What the endpoint's server is to be: written by the service."""
        return self.endpoint(name) / "endpoint.json"

    def status_file(self, name: str) -> Path:
        """What the endpoint's server is: written by the server."""
        return self.endpoint(name) / "status.json"

    def endpoint_log(self, name: str) -> Path:
        return self.endpoint(name) / "server.log"

    def telemetry(self, name: str) -> Path:
        """Records of requests: segments by the servers, merged by the service."""
        return self.endpoint(name) / "telemetry"

    def forwarded(self, name: str) -> Path:
        """Records that are still to be forwarded, as `core.forwarding` reads them."""
        return self.endpoint(name) / QUEUE

    def model_data(self, name: str) -> Path:
        """Inputs and answers, where the endpoint keeps them: its servers write beside their telemetry."""
        return self.endpoint(name) / "model_data"

    def availability(self, name: str) -> Path:
        """When it answered, and when it did not."""
        return self.endpoint(name) / "availability.json"

    def exceptions(self, name: str) -> Path:
        """Tracebacks of its servers, a file for each cause."""
        return self.endpoint(name) / "exceptions"

    def digests(self, name: str) -> Path:
        """What was computed of kept inputs; it can be computed again."""
        return self.endpoint(name) / "digests"

    def outcomes(self, name: str) -> Path:
        """What really happened to scored rows, with what was answered."""
        return self.endpoint(name) / "outcomes"


def new_id(clock: Callable[[], float] = time.time) -> str:
    """A UUIDv7 (RFC 9562, 5.7): milliseconds first, so that ids sort by time of birth."""
    value = (int(clock() * 1000) << 80) | secrets.randbits(80)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
