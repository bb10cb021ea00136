"""The workspace's facts and wishes in SQLite: all SQL stands here, one file a noun.

Values go in and come out as domain values; files are never touched here, and whoever names a file in a row has fsynced
it before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.local.store.alert_messages import AlertMessages
from core.local.store.alerts import Alerts
from core.local.store.computes import Computes
from core.local.store.data import Data
from core.local.store.db import Access, Database
from core.local.store.deployments import Deployments
from core.local.store.drift_limits import DriftLimits
from core.local.store.endpoints import Endpoints
from core.local.store.facts import Audit, Facts
from core.local.store.jobs import Jobs
from core.local.store.kept_steps import KeptSteps
from core.local.store.models import Models
from core.local.store.notices import Notices
from core.local.store.old_runs import OldRuns
from core.local.store.pipelines import Pipelines
from core.local.store.proofs import Proofs
from core.local.store.runs import Runs
from core.local.store.schedules import Schedules
from core.local.store.trials import Trials
from core.local.store.triggers import Triggers


class Nouns:
    """Everything that is kept, by noun, over one access to the database."""

    def __init__(self, db: Access) -> None:
        self.facts, self.audit = Facts(db), Audit(db)
        self.data, self.computes = Data(db), Computes(db)
        self.jobs, self.trials = Jobs(db), Trials(db)
        self.models = Models(db)
        self.endpoints, self.deployments, self.proofs = Endpoints(db), Deployments(db), Proofs(db)
        self.pipelines, self.runs, self.notices = Pipelines(db), Runs(db), Notices(db)
        self.kept_steps, self.old_runs = KeptSteps(db), OldRuns(db)
        self.triggers = Triggers(db)
        self.schedules = Schedules(db)
        self.drift_limits = DriftLimits(db)
        self.alerts, self.alert_messages = Alerts(db), AlertMessages(db)


class Store(Nouns):
    """One workspace's store: each call is a transaction of its own, and `write` makes one of several."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        super().__init__(self._database)

    @contextmanager
    def write(self) -> Iterator[Nouns]:
        """One transaction: what the block does with the nouns it is given happens as a whole, or not at all."""
        with self._database.write() as tx:
            yield Nouns(tx)

    def close(self) -> None:
        """Close this thread's connection."""
        self._database.close()
