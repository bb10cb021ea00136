"""The verbs of `data` on Azure ML."""

from core.azure.context import Context
from core.workspace.data import DataAssets


class AzureData(DataAssets):
    """The verbs of `data` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
