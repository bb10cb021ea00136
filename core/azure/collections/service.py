"""The verbs of `service` on Azure ML. There is no service to start there: Azure carries out what is asked for."""

from collections.abc import Iterator
from pathlib import Path

from core.azure import live
from core.azure.context import Context
from core.azure.doctor.all import findings
from core.azure.lacks import LACKS
from core.domain.monitoring import Finding
from core.domain.resources import Resource
from core.workspace.service import Service


class AzureService(Service):
    """The verbs of `service` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context

    def doctor(self) -> Iterator[Finding]:
        return findings(self._context, Path.cwd())

    def resources(self) -> tuple[Resource, ...]:
        return live.resources(self._context)

    def teardown(self) -> tuple[Resource, ...]:
        return live.teardown(self._context)
