"""What a step depends on, why it runs, and whose outputs can stand for its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.definitions.advance import Basis
from core.domain.job import Job
from core.domain.pipeline import PipelineStep
from core.domain.run import StepRun
from core.local.store import Nouns, Store
from core.settings import Settings


class Reuses:
    """The memory of what steps have given, over the store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def look(self, run: Job, step: PipelineStep, inputs: Mapping[str, Any]) -> Basis:
        """What a step that is about to begin depends on, and an earlier run's outputs where nothing has changed."""
        return Basis()

    def keep(
        self,
        tx: Nouns,
        run: Job,
        plan: Sequence[PipelineStep],
        before: Sequence[StepRun],
        changed: Sequence[StepRun],
    ) -> None:
        """Remember, inside a transaction, what steps have made and used, and what can be reused."""
