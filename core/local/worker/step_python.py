"""Call a function of the published code, in a process of its own."""

from pathlib import Path

from core.domain.run import StepResult
from core.domain.step_settings import PythonSettings
from core.local.worker import own_code, step_call
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work


def run(work: Work, step: Step) -> StepResult:
    """Its keywords are the step's arguments and inputs, its outputs what it returns. Raises StepFailed."""
    settings = step.settings(PythonSettings)
    # By its path, and without its folder among the places of modules (-P): Slipway's own must not hide the user's.
    command = ("python", "-P", str(Path(step_call.__file__)), settings.function)
    return own_code.run(work, step, command, settings.arguments)
