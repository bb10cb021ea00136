"""The verbs of `records` on Azure ML."""

from core.azure.context import Context
from core.azure.lacks import LACKS
from core.workspace.records import Records


class AzureRecords(Records):
    """The verbs of `records` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context
