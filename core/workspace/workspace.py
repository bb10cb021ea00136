"""A workspace: one small collection of verbs for each noun."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from core.settings import Settings
from core.workspace.collection import Collection
from core.workspace.computes import Computes
from core.workspace.data import DataAssets
from core.workspace.endpoints import Endpoints
from core.workspace.jobs import Jobs
from core.workspace.models import Models
from core.workspace.pace import Pace
from core.workspace.pipelines import Pipelines
from core.workspace.proofs import Proofs
from core.workspace.records import Records
from core.workspace.schedules import Schedules
from core.workspace.service import Service


@dataclass(frozen=True)
class Workspace:
    """Where data, jobs, models and endpoints live. Reads like `azure-ai-ml`: `workspace.jobs.get(id)`.

    A backend gives the collections that it has; one that it lacks can do nothing. Besides what each verb names, all of
    them may raise SpecInvalid for values that make no sense, ServiceUnavailable when the backend cannot be reached, and
    StorageFull when nothing more can be kept. What several verbs have in common:

    - Long operations return at once with a state to poll. What they ask for happens by itself: where that takes a
      service, whoever uses the workspace starts it (`service.start`), if the backend has one.
    - A list is empty where there is nothing, and comes newest first; where another order is natural, the verb says so.
      A `limit` is at least 1.
    - An empty name lets everything through where it filters; version 0 is the newest. What is returned names the
      version that was meant, never 0.
    - A verb that changes something is whole or not done, and a refusal leaves nothing behind. Two at once end as one
      after the other would.
    - Values are snapshots: what is returned does not change later, and holds no path inside the backend.
    """

    settings: Settings
    data: DataAssets = field(default_factory=DataAssets)
    computes: Computes = field(default_factory=Computes)
    jobs: Jobs = field(default_factory=Jobs)
    models: Models = field(default_factory=Models)
    endpoints: Endpoints = field(default_factory=Endpoints)
    proofs: Proofs = field(default_factory=Proofs)
    records: Records = field(default_factory=Records)
    pipelines: Pipelines = field(default_factory=Pipelines)
    schedules: Schedules = field(default_factory=Schedules)
    service: Service = field(default_factory=Service)
    pace: Pace = field(default_factory=Pace)
    """How often it is worth looking."""
    notice: str = ""
    """What whoever looks at it must know on every page, such as that it is an emulation."""

    @property
    def collections(self) -> tuple[Collection, ...]:
        """One for each noun."""
        return tuple(found for each in fields(self) if isinstance(found := getattr(self, each.name), Collection))

    @cached_property
    def verbs(self) -> tuple[str, ...]:
        """Every verb of the interface, as `noun.verb`, whether this backend can do it or not."""
        return tuple(f"{kind.noun}.{verb}" for kind in self.collections for verb in kind.verbs())

    def can(self, *verbs: str) -> bool:
        """Whether this backend can do all of these, such as `service.start`."""
        return self.capabilities.issuperset(verbs)

    @cached_property
    def reasons(self) -> Mapping[str, str]:
        """Why this backend cannot do a verb, in a sentence, where there is more to say than that it cannot."""
        return {verb: reason for kind in self.collections for verb, reason in kind.reasons.items()}

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """The verbs that this backend can do, such as `endpoints.deploy`."""
        return frozenset(verb for kind in self.collections for verb in kind.capabilities())
