"""The service itself."""

from core.domain.errors import ServiceUnavailable
from core.domain.keys import key_in
from core.domain.monitoring import ServiceStatus
from core.local.collections.pipelines import PipelineVerbs
from core.local.service import control


class AdminVerbs(PipelineVerbs):
    """The administration verbs of `Workspace`."""

    def service_start(self) -> ServiceStatus:
        return control.start_detached(self.settings)

    def service_stop(self) -> ServiceStatus:
        return control.stop(self.settings)

    def service_status(self) -> ServiceStatus:
        return control.status(self.settings)

    def service_key(self) -> str:
        try:
            return key_in(self._paths.service_key.read_bytes(), "of the service")
        except FileNotFoundError as e:
            raise ServiceUnavailable("The service has no key yet", hint="Start it: python -m core service start") from e
