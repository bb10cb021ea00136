"""What the emulation does not do, and what Azure refuses, in Azure's words."""

from core.emulator.emulation import Emulation
from core.emulator.jobs.runs import Run
from core.emulator.messages import AzureError

FAILS_AFTER_S = 1.0
"""A job that cannot run here is accepted, as Azure accepts it, and fails a moment later: it can be canceled before."""

NOT_EMULATED = {
    "sweep": "sweep jobs are not emulated: submit each of its trials as a command job",
    "spark": "Spark jobs are not emulated: there is no Spark on this machine",
    "finetuning": "fine-tuning jobs are not emulated",
    "labeling": "labeling jobs are not emulated",
    "distillation": "distillation jobs are not emulated",
}
NOT_TRAINED = (
    "the emulation trains classification and regression of tables only; forecasting, images and text need Azure itself"
)


def user_error(message: str) -> AzureError:
    """Azure's code for whatever the caller can mend."""
    return AzureError(400, "UserError", message)


def not_emulated(job_type: str) -> AzureError:
    """A type of job that is not emulated, by name."""
    reason = NOT_EMULATED.get(job_type.lower(), f"jobs of the type '{job_type}' are not emulated")
    return user_error(f"This is an emulation of Azure ML: {reason}.")


def code_not_allowed(what: str) -> str:
    """Why code of a client may not run here."""
    return (
        f"This is an emulation of Azure ML, and it was started without --allow-code: {what} would run the code that you"
        " sent on this machine."
    )


def due(emulation: Emulation, run: Run) -> bool:
    """Whether it is time for a job that cannot run here to fail."""
    return emulation.clock.now() - run.created_at >= FAILS_AFTER_S
