"""The verbs of `service` on Azure ML."""

from core.azure.context import Context
from core.workspace.service import Service


class AzureService(Service):
    """The verbs of `service` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
