"""Run a program of the published code's own."""

from core.domain.run import StepResult
from core.domain.step_settings import CommandSettings
from core.local.worker import own_code
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work


def run(work: Work, step: Step) -> StepResult:
    """Each word of the command is one argument, whatever stands in it: no shell reads it. Raises StepFailed."""
    settings = step.settings(CommandSettings)
    return own_code.run(work, step, tuple(map(str, settings.command)), settings.arguments)
