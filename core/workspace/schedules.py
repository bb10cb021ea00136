"""When pipelines run by themselves."""

from core.domain.pipeline import Schedule, ScheduleSpec
from core.workspace.collection import Collection


class Schedules(Collection):
    """When pipelines run by themselves."""

    noun = "schedules"

    def create(self, spec: ScheduleSpec) -> Schedule:
        """Create a schedule, enabled. Raises PipelineNotFound, SpecInvalid, Conflict."""
        self._cannot("create")

    def list(self) -> tuple[Schedule, ...]:
        """All schedules with their next fire times."""
        self._cannot("list")

    def enable(self, name: str, enabled: bool) -> Schedule:
        """Switch a schedule on or off. Raises PipelineNotFound."""
        self._cannot("enable")

    def delete(self, name: str) -> None:
        """Remove a schedule; its runs stay. Raises PipelineNotFound."""
        self._cannot("delete")
