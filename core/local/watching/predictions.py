"""What an endpoint has answered: over time, by class, and by score."""

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from core.domain.drift import PredictionBucket, Predictions
from core.domain.errors import SpecInvalid
from core.local.context import Context
from core.local.records import telemetry
from core.local.watching.answers import Answers
from core.local.watching.drift import Drifting
from core.local.watching.kept import as_text
from core.local.watching.references import Watched

if TYPE_CHECKING:
    from core.predict.arrays import Array

BINS = 20
BUCKETS_MAX = 10_000


class Predicting:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, drifting: Drifting, answers: Answers) -> None:
        self._context, self._drifting, self._answers = context, drifting, answers

    def predictions(self, endpoint: str, window_s: float, buckets: int, deployment: str) -> Predictions:
        """Raises EndpointNotFound, Conflict, SpecInvalid for no window."""
        if not (window_s > 0 and math.isfinite(window_s) and 1 <= buckets <= BUCKETS_MAX):
            raise SpecInvalid(
                f"Predictions need window_s > 0 and 1 to {BUCKETS_MAX} buckets, got {window_s} and {buckets}"
            )
        chosen, watched = self._drifting.watched(endpoint, deployment)
        since, until = telemetry.aligned(self._context.clock(), window_s, buckets)
        found = self._answers.within(chosen, since, until)
        scores, positive = found["score"].to_numpy(), watched.model.signature.positive_class
        edges = score_edges(watched, scores)
        return Predictions(
            endpoint=endpoint,
            deployment=chosen.name,
            since=since,
            until=until,
            rows=len(scores),
            buckets=_buckets(watched, found, since, (until - since) / buckets, buckets),
            edges=tuple(edges.tolist()),
            histogram=tuple(np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0].tolist()),
            training=trained_shares(watched, edges),
            positive="" if positive is None else as_text(positive),
        )


def score_edges(watched: Watched, scores: "Array") -> "Array":
    """Of a probability twentieths; of a number as many steps between the least and the largest of training."""
    if not watched.model.signature.regression:
        return np.linspace(0.0, 1.0, BINS + 1)
    known = watched.reference.score
    values = np.array(known.edges) if known is not None and known.edges else scores
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
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
    watched: Watched, found: pa.Table, since: float, width_s: float, buckets: int
) -> tuple[PredictionBucket, ...]:
    """All intervals, those too in which nothing was answered."""
    places = np.clip(((found["at"].to_numpy() - since) // width_s).astype(np.int64), 0, buckets - 1)
    rows = np.bincount(places, minlength=buckets).tolist()
    totals = np.bincount(places, weights=found["score"].to_numpy(), minlength=buckets).tolist()
    classes: list[Counter[str]] = [Counter() for _ in range(buckets)]
    if not watched.model.signature.regression:
        told = pa.table({"place": places, "answer": found["answer"]}).group_by(["place", "answer"])
        for line in told.aggregate([([], "count_all")]).to_pylist():
            classes[line["place"]][line["answer"]] += line["count_all"]
    return tuple(
        PredictionBucket(
            since + at * width_s, width_s, rows[at], classes[at], totals[at] / rows[at] if rows[at] else None
        )
        for at in range(buckets)
    )
