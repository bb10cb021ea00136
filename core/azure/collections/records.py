"""The verbs of `records` on Azure ML."""

from core.azure.context import Context
from core.workspace.records import Records


class AzureRecords(Records):
    """The verbs of `records` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
