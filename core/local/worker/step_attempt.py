"""An attempt at a step, as each kind of step takes it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.domain.job import Job
from core.domain.pipeline import PipelineStep, ValueType
from core.domain.run import PipelineRunSpec
from core.domain.steps import typed
from core.local.machine.failpoints import Failpoint, reach

S = TypeVar("S")
T = TypeVar("T")

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt at a step: what the definition says, with parameters and inputs in."""

    run: Job
    wanted: PipelineRunSpec
    step: PipelineStep
    inputs: Mapping[str, Any]
    attempt: int
    types: Mapping[str, ValueType] = field(default_factory=dict)
    """What each of the inputs is."""

    def settings(self, kind: type[S]) -> S:
        """What the definition says, as its kind takes it."""
        made = typed(self.step.kind, self.step.settings)
        assert isinstance(made, kind)
        return made


def acted() -> None:
    """The step has done what others see, and its result does not say so yet: it may be killed here."""
    reach(Failpoint.STEP_SUBMITTED)


def waited(look: Callable[[], T], done: Callable[[T], bool], timeout_s: float) -> T:
    """Look until it is `done`, and give the last look when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not done(now := look()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    return now
