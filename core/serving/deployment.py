"""One loaded deployment: bytes to bytes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from core.contract.endpoint_file import DeploymentFile
from core.contract.payload import Decoder, ScoreRequest, encode_reply
from core.domain.endpoint import EndpointLimits
from core.domain.signature import Signature
from core.serving.costs import Costs, rows_at_most
from core.serving.refusals import ModelFailed


class Predictor(Protocol):
    """A model as the server needs it; must be safe to call from several threads at once."""

    @property
    def signature(self) -> Signature: ...

    def probabilities(self, columns: Sequence[Sequence[Any]]) -> np.ndarray:
        """Rows x classes from one sequence per column of `signature.used`; of a model of numbers, rows x 1."""
        ...


Load = Callable[[Path], Predictor]
"""Reads a model folder; whatever it raises makes the deployment fail, and no other."""


class Scored(NamedTuple):
    """The reply, the request it answers, how long the model ran, and what it gave."""

    reply: bytes
    request: ScoreRequest
    run_ms: float
    probabilities: np.ndarray


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model behind an endpoint, ready to answer."""

    name: str
    file: DeploymentFile
    limits: EndpointLimits
    predictor: Predictor
    decoder: Decoder
    costs: Costs = field(default_factory=Costs, compare=False)

    @property
    def unseen_accept(self) -> bool:
        return self.file.unseen_categories == "accept"

    def score(self, body: bytes, rows: int | None = None) -> Scored:
        """Answer one body of at most so many `rows`, which are counted where they are not given.

        Raises PayloadInvalid, PayloadTooLarge, and ModelFailed for whatever the model raises.
        """
        measured = rows is None or self.costs.due(rows)
        if measured:
            began, cpu_began = time.perf_counter(), time.thread_time()
        request = self.decoder(body)
        started = time.perf_counter()
        probabilities = self._run(request)
        run_s = time.perf_counter() - started
        reply = encode_reply(request, self.predictor.signature, probabilities, legacy_reply=self.file.legacy_reply)
        if measured:
            rows = rows_at_most(body) if rows is None else rows
            self.costs.ran(rows, len(body), time.perf_counter() - began, time.thread_time() - cpu_began)
        return Scored(reply, request, run_s * 1000.0, probabilities)

    def _run(self, request: ScoreRequest) -> np.ndarray:
        outputs = len(self.predictor.signature.classes) or 1
        if request.rows == 0:
            return np.empty((0, outputs))
        try:
            probabilities = self.predictor.probabilities(request.columns)
        except Exception as e:
            # Anything may come out of a model; it is told as 424, and its places are logged with the request.
            raise ModelFailed("The model failed on this request", hint="The server's log shows where") from e
        if probabilities.shape != (request.rows, outputs) or not np.isfinite(probabilities).all():
            raise ModelFailed("The model gave no answer for this request", hint="Deploy another version")
        return probabilities


def load_deployment(name: str, file: DeploymentFile, limits: EndpointLimits, load: Load) -> Deployment:
    """A deployment from its part of the endpoint file. Raises what `load` raises."""
    predictor = load(Path(file.folder))
    return Deployment(name, file, limits, predictor, _decoder(predictor, file, limits))


def adapted(deployment: Deployment, file: DeploymentFile, limits: EndpointLimits) -> Deployment:
    """The same model under other settings."""
    before = (deployment.file.unseen_categories, deployment.limits.max_rows)
    if before == (file.unseen_categories, limits.max_rows):
        return replace(deployment, file=file, limits=limits)
    return replace(deployment, file=file, limits=limits, decoder=_decoder(deployment.predictor, file, limits))


def _decoder(predictor: Predictor, file: DeploymentFile, limits: EndpointLimits) -> Decoder:
    accept_unseen = file.unseen_categories == "accept"
    return Decoder(predictor.signature, max_rows=limits.max_rows, accept_unseen=accept_unseen)
