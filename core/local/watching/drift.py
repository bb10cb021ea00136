"""How far what an endpoint was lately asked is from the training data of the model that answered."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain.drift import DriftReport
from core.domain.endpoint import Deployment, Endpoint
from core.domain.errors import Conflict, SpecInvalid
from core.local.context import Context
from core.local.records import inputs
from core.local.watching.kept import Gathered, gathered
from core.local.watching.references import References, Watched

if TYPE_CHECKING:
    from core.ml.drift.tally import Tally

WIDTH_S = 900.0
"""Intervals in which values are counted: about so exact are the ends of a window, and when a drift began."""
AHEAD_MAX_S = 60.0


@dataclass(slots=True)
class Counted:
    """What there was in one interval, or in several."""

    requests: int = 0
    rows: int = 0
    tallies: "dict[str, Tally]" = field(default_factory=dict)
    masked: set[str] = field(default_factory=set)
    sample_pct: float = 100.0

    def add(self, other: "Counted") -> None:
        """Take in another interval."""
        self.requests += other.requests
        self.rows += other.rows
        self.masked |= other.masked
        self.sample_pct = min(self.sample_pct, other.sample_pct)
        for name, tally in other.tallies.items():
            known = self.tallies.get(name)
            self.tallies[name] = tally if known is None else known + tally


class Drifting:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, references: References) -> None:
        self._context, self._references = context, references

    def report(self, endpoint: str, window_s: float, deployment: str) -> DriftReport:
        """Raises EndpointNotFound, Conflict, SpecInvalid for no window."""
        from core.ml.drift.judge import ROWS_NEEDED, judge
        from core.ml.drift.tally import nothing

        chosen, watched = self.watched(endpoint, deployment)
        since, until = self._window(window_s, chosen)
        found = Counted()
        for part in self._intervals(endpoint, chosen, watched, since, until):
            found.add(part)
        for column in watched.reference.columns:
            if column.name not in found.masked:
                found.tallies.setdefault(column.name, nothing(column))
        judged = judge(watched.reference, found.tallies, {})
        return DriftReport(
            endpoint=endpoint,
            deployment=chosen.name,
            model=watched.model.name,
            model_version=watched.model.version,
            since=since,
            until=until,
            requests=found.requests,
            rows=found.rows,
            rows_needed=ROWS_NEEDED,
            columns=judged.columns,
            score=judged.score,
            sampled_pct=found.sample_pct,
            training_rows=watched.reference.rows,
            masked=tuple(sorted(found.masked)),
        )

    def watched(self, name: str, deployment: str) -> tuple[Deployment, Watched]:
        """The deployment that is meant, with its model. Raises EndpointNotFound, Conflict."""
        endpoint = self._context.store.endpoints.get(name)
        chosen = _chosen(endpoint, deployment)
        if (
            not endpoint.limits.collect_model_data
            and next(inputs.newest(self._context.paths.model_data(name)), None) is None
        ):
            raise Conflict(
                f"Endpoint '{name}' keeps no inputs",
                hint=f"`endpoint update {name} --collect-model-data on` keeps them from then on",
            )
        return chosen, self._references.of(chosen.model, chosen.model_version)

    def _window(self, window_s: float, deployment: Deployment) -> tuple[float, float]:
        """The last so many seconds in whole intervals, and nothing from before the deployment."""
        if not (window_s > 0 and math.isfinite(window_s)):
            raise SpecInvalid(f"A window has more than 0 s, got {window_s:g}")
        until = self._context.clock()
        return max(until - window_s, deployment.created_at), until

    def _intervals(
        self, endpoint: str, deployment: Deployment, watched: Watched, since: float, until: float
    ) -> Iterator[Counted]:
        folder = self._context.paths.model_data(endpoint)
        requests = inputs.kept(folder, since, until + AHEAD_MAX_S, deployment=deployment.name)
        for part in gathered(requests, WIDTH_S, watched.predictor):
            yield _counted(part, watched)


def _counted(part: Gathered, watched: Watched) -> Counted:
    from core.ml.drift.tally import tally

    reference = watched.reference
    tallies = {c.name: tally(c, part.columns[c.name]) for c in reference.columns if c.name in part.columns}
    if reference.score is not None:
        tallies[reference.score.name] = tally(reference.score, part.scores)
    return Counted(part.requests, part.rows, tallies, set(part.masked), part.sample_pct)


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
