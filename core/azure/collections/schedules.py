"""The verbs of `schedules` on Azure ML."""

from core.azure.context import Context
from core.workspace.schedules import Schedules


class AzureSchedules(Schedules):
    """The verbs of `schedules` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
