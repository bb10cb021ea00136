"""Kept requests, read from their lines and gathered by intervals of time: columns of values, answers and scores."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from core.contract.decision import decide, scores
from core.local.records.inputs import KeptRequest

if TYPE_CHECKING:
    from core.predict.folder import Predictor

ROWS_AT_ONCE = 50_000
"""So many rows are held before what was gathered is passed on."""


@dataclass(slots=True)
class Gathered:
    """Rows of requests that began in one interval. All lists are as long, but for columns that were not kept."""

    at: float
    requests: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    masked: set[str] = field(default_factory=set)
    sample_pct: float = 100.0

    @property
    def rows(self) -> int:
        return len(self.scores)


def requests_of(lines: Iterable[bytes], deployment: str = "", since: float = -math.inf) -> Iterator[KeptRequest]:
    """The requests in these lines that began from then on; of one deployment, or of all."""
    wanted = msgspec.json.encode(deployment) if deployment else b""
    for line in lines:
        if wanted not in line:
            continue
        try:
            request = msgspec.json.decode(line, type=KeptRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # another Slipway's, or nobody's
        if request.at >= since and deployment in ("", request.deployment):
            yield request


def gathered(requests: Iterable[KeptRequest], width_s: float, predictor: "Predictor") -> Iterator[Gathered]:
    """The rows by interval of so many seconds since the epoch; an interval may come in several parts."""
    held: dict[float, Gathered] = {}
    for request in requests:
        at = request.at // width_s * width_s
        part = held.setdefault(at, Gathered(at))
        _take(part, request, predictor)
        if part.rows >= ROWS_AT_ONCE:
            yield held.pop(at)
    yield from held.values()


def _take(part: Gathered, request: KeptRequest, predictor: "Predictor") -> None:
    said = said_of(request, lambda deployment: predictor)
    if said is None:
        return
    # A column that another request lacks is no column of the interval: it is or was masked.
    for name, values in zip(request.columns, request.data, strict=False):
        if part.rows == len(part.columns.setdefault(name, [])):
            part.columns[name].extend(values)
    answers, scores = said
    part.requests += 1
    part.answers.extend(answers)
    part.scores.extend(scores)
    part.masked.update(request.masked)
    part.sample_pct = min(part.sample_pct, request.sample_pct)
    for name in [name for name, values in part.columns.items() if len(values) != part.rows]:
        del part.columns[name]
        part.masked.add(name)


def said_of(
    request: KeptRequest, lookup: Callable[[str], "Predictor | None"]
) -> tuple[Sequence[Any], Sequence[float]] | None:
    """The answers and scores as they were kept; else, of an earlier Slipway, as the model gives them again."""
    rows = len(request.data[0]) if request.data else len(request.scores)
    if len(request.scores) == rows:
        return request.answers, request.scores
    predictor = lookup(request.deployment)
    if predictor is None or predictor.encoder.names != tuple(request.columns):
        return None
    said = predictor.probabilities(request.data)
    return decide(predictor.signature, said), scores(predictor.signature, said)


def as_text(answer: Any) -> str:
    """A class as it is shown."""
    return str(answer).lower() if isinstance(answer, bool) else str(answer)
