"""The verbs of `service` on Azure ML."""

from core.azure.context import Context
from core.azure.lacks import LACKS
from core.workspace.service import Service


class AzureService(Service):
    """The verbs of `service` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context
