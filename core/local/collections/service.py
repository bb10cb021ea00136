"""The service, as seen from outside."""

from collections.abc import Iterator
from typing import NoReturn

from core.domain.errors import ServiceUnavailable
from core.domain.keys import key_in
from core.domain.monitoring import Finding, ServiceStatus
from core.local import control
from core.local.context import Context
from core.local.doctor import findings
from core.workspace.service import Service


class LocalService(Service):
    """The service of this machine, started detached and left running."""

    reasons = dict.fromkeys(
        ("service.resources", "service.teardown"),
        "Nothing on this machine costs by the hour; --workspace azure lists what does",
    )

    def __init__(self, context: Context) -> None:
        self._context = context

    def start(self) -> ServiceStatus:
        return control.start_detached(self._context.settings)

    def run(self) -> NoReturn:
        control.become(self._context.settings)

    def stop(self) -> ServiceStatus:
        return control.stop(self._context.settings)

    def status(self) -> ServiceStatus:
        return control.status(self._context.settings)

    def key(self) -> str:
        try:
            return key_in(self._context.paths.service_key.read_bytes(), "of the service")
        except FileNotFoundError as e:
            raise ServiceUnavailable(
                "The service does not have a key yet", hint="Start it: python -m core service start"
            ) from e

    def doctor(self) -> Iterator[Finding]:
        return findings(self._context, self.status)
