"""The verbs of `pipelines` on Azure ML."""

from core.azure.context import Context
from core.workspace.pipelines import Pipelines


class AzurePipelines(Pipelines):
    """The verbs of `pipelines` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
