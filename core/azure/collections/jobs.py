"""The verbs of `jobs` on Azure ML."""

from core.azure.context import Context
from core.azure.lacks import LACKS
from core.workspace.jobs import Jobs


class AzureJobs(Jobs):
    """The verbs of `jobs` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context
