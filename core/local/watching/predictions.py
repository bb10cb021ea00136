"""What an endpoint has answered: over time, by class, and by score."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.domain.drift import PredictionBucket, Predictions
from core.domain.errors import SpecInvalid
from core.local.context import Context
from core.local.records import inputs, telemetry
from core.local.watching.drift import Drifting
from core.local.watching.kept import Gathered, gathered
from core.local.watching.references import Watched

if TYPE_CHECKING:
    from core.predict.arrays import Array

BINS = 20
BUCKETS_MAX = 10_000


class Predicting:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, drifting: Drifting) -> None:
        self._context, self._drifting = context, drifting

    def predictions(self, endpoint: str, window_s: float, buckets: int, deployment: str) -> Predictions:
        """Raises EndpointNotFound, Conflict, SpecInvalid for no window."""
        if not (window_s > 0 and math.isfinite(window_s) and 1 <= buckets <= BUCKETS_MAX):
            raise SpecInvalid(
                f"Predictions need window_s > 0 and 1 to {BUCKETS_MAX} buckets, got {window_s} and {buckets}"
            )
        chosen, watched = self._drifting.watched(endpoint, deployment)
        since, until = telemetry.aligned(self._context.clock(), window_s, buckets)
        width_s = (until - since) / buckets
        folder = self._context.paths.model_data(endpoint)
        requests = inputs.kept(folder, max(since, chosen.created_at), until, deployment=chosen.name)
        parts = list(gathered(requests, width_s, watched.predictor))
        edges, positive = score_edges(watched, parts), watched.model.signature.positive_class
        scores = np.concatenate([np.array(part.scores) for part in parts]) if parts else np.empty(0)
        return Predictions(
            endpoint=endpoint,
            deployment=chosen.name,
            since=since,
            until=until,
            rows=len(scores),
            buckets=_buckets(watched, parts, since, width_s, buckets),
            edges=tuple(edges),
            histogram=tuple(np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0].tolist()),
            training=trained_shares(watched, edges),
            positive="" if positive is None else as_text(positive),
        )


def score_edges(watched: Watched, parts: Sequence[Gathered]) -> "Array":
    """Of a probability twentieths; of a number as many steps between the least and the largest of training."""
    if not watched.model.signature.regression:
        return np.linspace(0.0, 1.0, BINS + 1)
    known = watched.reference.score
    values = known.edges if known is not None and known.edges else [s for part in parts for s in part.scores] or [0.0]
    low, high = float(min(values)), float(max(values))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def trained_shares(watched: Watched, edges: "Array") -> tuple[float, ...]:
    """The share of training's rows in each bin; empty where the scores of training are not known."""
    known = watched.reference.score
    if known is None or not known.rows or not known.edges:
        return ()
    below = np.cumsum(known.counts[: len(known.edges)]) / known.rows
    at = np.interp(edges, known.edges, below, left=0.0)
    at[0], at[-1] = 0.0, 1.0
    return tuple(np.diff(at).tolist())


def _buckets(
    watched: Watched, parts: Sequence[Gathered], since: float, width_s: float, buckets: int
) -> tuple[PredictionBucket, ...]:
    """All intervals, those too in which nothing was answered."""
    regression = watched.model.signature.regression
    rows, totals = [0] * buckets, [0.0] * buckets
    classes: list[Counter[str]] = [Counter() for _ in range(buckets)]
    for part in parts:
        at = min(buckets - 1, max(0, round((part.at - since) / width_s)))
        rows[at] += part.rows
        totals[at] += float(np.sum(part.scores))
        if not regression:
            classes[at].update(map(as_text, part.answers))
    return tuple(
        PredictionBucket(
            since + at * width_s, width_s, rows[at], classes[at], totals[at] / rows[at] if rows[at] else None
        )
        for at in range(buckets)
    )


def as_text(answer: Any) -> str:
    """A class as it is shown."""
    return str(answer).lower() if isinstance(answer, bool) else str(answer)
