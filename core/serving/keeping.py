"""What is kept of the values of scored requests, where somebody asked for it: of a share, and of no masked column.

The event loop only notes what there is. The thread that writes makes a `Sample` of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from core.contract.decision import decide, scores
from core.domain.endpoint import EndpointLimits
from core.domain.signature import Scalar, Signature
from core.serving.deployment import Scored
from core.serving.exchange import Exchange

ROWS_MAX = 10_000
"""Of one request: of more, every second row is kept, or every third, and so on."""


class Sample(msgspec.Struct):
    """The values of one scored request of a client. Kept rows are 0, `step`, 2 `step` and so on of the request's."""

    at: float
    request_id: str
    deployment: str
    method: str
    columns: list[str]
    data: list[list[Any]]
    """One list a column, of the kept rows."""
    reply: msgspec.Raw
    """As it was sent; null where not all rows are kept."""
    masked: list[str]
    """Columns that the model reads and of which nothing is kept."""
    sample_pct: float
    """So many of the requests are kept."""
    rows: int
    """Of the request."""
    step: int
    answers: list[Scalar]
    """What `predict` says of each kept row, whatever the request asked for: a class, or a number."""
    scores: list[float]
    """The probability of the positive class, else of the answer, else the predicted number."""
    client_request_id: str = ""
    """What the client called the request; empty: nothing."""
    probabilities: list[list[float]] = []
    """Of all classes, a list a row, where there are more than two."""


class Kept(NamedTuple):
    """A scored request of which a sample is to be made."""

    at: float
    request_id: bytes
    client_id: bytes
    deployment: str
    signature: Signature
    scored: Scored
    limits: EndpointLimits

    def sample(self) -> Sample:
        """The values that may be kept."""
        request, limits = self.scored.request, self.limits
        step = max(1, -(-request.rows // ROWS_MAX))
        names = [column.name for column in self.signature.used]
        shown = [(name, column) for name, column in zip(names, request.columns, strict=True) if self._may(name)]
        probabilities = self.scored.probabilities[::step]
        return Sample(
            at=self.at,
            request_id=self.request_id.decode("latin-1"),
            deployment=self.deployment,
            method=request.method,
            columns=[name for name, _ in shown],
            data=[column[::step] for _, column in shown],
            reply=msgspec.Raw(self.scored.reply if step == 1 else b"null"),
            masked=[name for name in names if not self._may(name)],
            sample_pct=limits.collect_sample_pct,
            rows=request.rows,
            step=step,
            answers=decide(self.signature, probabilities),
            scores=scores(self.signature, probabilities),
            client_request_id=self.client_id.decode("latin-1"),
            probabilities=probabilities.tolist() if len(self.signature.classes) > 2 else [],
        )

    def _may(self, column: str) -> bool:
        return column not in self.limits.masked_columns


def kept(exchange: Exchange, scored: Scored, draw: Callable[[], float]) -> Kept | None:
    """What is to be kept of a request; None of one that is not a client's, or not in the sample."""
    limits = exchange.now.file.limits
    if not limits.collect_model_data or exchange.origin or exchange.target is None:
        return None
    if limits.collect_sample_pct < 100 and draw() * 100 >= limits.collect_sample_pct:
        return None
    signature = exchange.target.predictor.signature
    ids = exchange.request_id, exchange.client_id
    return Kept(exchange.started_at, *ids, exchange.deployment, signature, scored, limits)
