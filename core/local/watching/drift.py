"""How far what an endpoint was lately asked is from the training data of the model that answered."""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.domain.drift import PSI_LIMIT, ColumnDrift, DriftReport, DriftVerdict
from core.domain.endpoint import Deployment, Endpoint
from core.domain.errors import Conflict, SpecInvalid
from core.local.context import Context
from core.local.records import inputs
from core.local.watching.digests import Digests, key_of
from core.local.watching.kept import Gathered, gathered, requests_of
from core.local.watching.references import References, Watched

if TYPE_CHECKING:
    from core.ml.drift.ledger import Ledger

WIDTH_S = 900.0
"""Intervals in which values are counted: so exact is the beginning of a window, and when a drift began."""
HISTORY_S = 30 * 86_400.0
"""When a drift began is looked for so far back."""
AHEAD_MAX_S = 60.0
"""A request that is further ahead of now was made by a clock that was wrong."""
DEPLOYMENTS_HELD = 16


class Drifting:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, references: References) -> None:
        self._context, self._references = context, references
        self._digests: OrderedDict[str, Digests[Ledger]] = OrderedDict()
        self._one = threading.Lock()

    def report(self, endpoint: str, window_s: float, deployment: str) -> DriftReport:
        """Raises EndpointNotFound, Conflict, SpecInvalid for no window."""
        from core.ml.drift.judge import ROWS_NEEDED, judge

        if not (window_s > 0 and math.isfinite(window_s)):
            raise SpecInvalid(f"A window has more than 0 s, got {window_s:g}")
        chosen, watched = self.watched(endpoint, deployment)
        reference, until = watched.reference, self._context.clock()
        since = (until - window_s) // WIDTH_S * WIDTH_S
        history = self._ledger(chosen, watched, min(since, until - HISTORY_S), until)
        recent = history.between(since, until + AHEAD_MAX_S)
        judged = judge(reference, recent.tallies(reference), self._context.store.drift_limits.of(endpoint))
        return DriftReport(
            endpoint=endpoint,
            deployment=chosen.name,
            model=watched.model.name,
            model_version=watched.model.version,
            since=max(since, chosen.created_at),
            until=until,
            requests=int(recent.requests.sum()),
            rows=int(recent.rows.sum()),
            rows_needed=ROWS_NEEDED,
            columns=tuple(self._dated(column, watched, history) for column in judged.columns),
            score=None if judged.score is None else self._dated(judged.score, watched, history),
            sampled_pct=float(recent.sample_pct.min(initial=100.0)),
            training_rows=reference.rows,
            masked=recent.masked(reference),
        )

    def watched(self, name: str, deployment: str) -> tuple[Deployment, Watched]:
        """The deployment that is meant, with its model. Raises EndpointNotFound, Conflict."""
        endpoint = self._context.store.endpoints.get(name)
        chosen = _chosen(endpoint, deployment)
        folder = self._context.paths.model_data(name)
        if not endpoint.limits.collect_model_data and next(inputs.newest(folder), None) is None:
            raise Conflict(
                f"Endpoint '{name}' keeps no inputs",
                hint=f"`endpoint update {name} --collect-model-data on` keeps them from then on",
            )
        return chosen, self._references.of(chosen.model, chosen.model_version)

    def set_limit(self, endpoint: str, column: str, limit: float | None) -> None:
        """Raises EndpointNotFound, SpecInvalid."""
        known = self._context.store.endpoints.get(endpoint)
        models = [self._context.store.models.get(d.model, d.model_version) for d in known.deployments]
        names = sorted({c.name for model in models for c in model.signature.used})
        if column and column not in names:
            raise SpecInvalid(
                f"No model of '{endpoint}' reads a column '{column}'",
                hint=f"They read: {', '.join(names) or 'nothing'}",
            )
        if limit is not None and not 0 < limit < math.inf:
            raise SpecInvalid(f"A limit is a number above 0, got {limit}", hint=f"The usual one is {PSI_LIMIT}")
        self._context.store.drift_limits.set(endpoint, column, limit)

    def _dated(self, column: ColumnDrift, watched: Watched, history: "Ledger") -> ColumnDrift:
        from core.ml.drift.began import began

        if column.verdict not in (DriftVerdict.DRIFTED, DriftVerdict.MATTERS):
            return column
        return replace(column, began=began(watched.reference, column.column, history))

    def _ledger(self, deployment: Deployment, watched: Watched, since: float, until: float) -> "Ledger":
        """The counts of all intervals, of files that may hold requests of that time."""
        from core.ml.drift.ledger import joined

        def find(lines: Sequence[bytes]) -> "Ledger":
            requests = requests_of(lines, deployment.name, deployment.created_at)
            parts = gathered(requests, WIDTH_S, watched.predictor)
            return joined(watched.reference, [_line(part, watched) for part in parts])

        paths = self._context.paths
        folder, kept = paths.model_data(deployment.endpoint), paths.digests(deployment.endpoint)
        found = self._digests_of(deployment, watched).of(folder, kept, since, until + AHEAD_MAX_S, find)
        return joined(watched.reference, found).between(since, until + AHEAD_MAX_S)

    def _digests_of(self, deployment: Deployment, watched: Watched) -> "Digests[Ledger]":
        """Those that count values of this deployment in the bins of its model's reference."""
        from core.ml.drift.ledger import Ledger

        key = key_of(deployment.endpoint, deployment.name, deployment.created_at, watched.key)
        with self._one:
            if key not in self._digests:
                read = partial(Ledger.from_bytes, reference=watched.reference)
                self._digests[key] = Digests(f"{key}.counts", Ledger.to_bytes, read)
                while len(self._digests) > DEPLOYMENTS_HELD:
                    self._digests.popitem(last=False)
            self._digests.move_to_end(key)
            return self._digests[key]


def _line(part: Gathered, watched: Watched) -> "Ledger":
    from core.ml.drift.ledger import line

    values = {**part.columns, "": part.scores}
    return line(watched.reference, part.at, part.requests, part.rows, values, part.sample_pct)


def _chosen(endpoint: Endpoint, name: str) -> Deployment:
    """Raises Conflict where there is none."""
    if (found := endpoint.chosen(name)) is not None:
        return found
    known = ", ".join(d.name for d in endpoint.deployments) or "none yet"
    what = (
        f"Endpoint '{endpoint.name}' has no deployment '{name}'"
        if name
        else f"No deployment of '{endpoint.name}' has traffic"
    )
    raise Conflict(what, hint=f"Its deployments: {known}")
