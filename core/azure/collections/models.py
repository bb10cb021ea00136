"""The verbs of `models` on Azure ML."""

from core.azure.context import Context
from core.azure.lacks import LACKS
from core.workspace.models import Models


class AzureModels(Models):
    """The verbs of `models` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context
