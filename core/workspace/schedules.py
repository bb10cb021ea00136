"""When pipelines run by themselves."""

from core.domain.run import PipelineRun
from core.domain.schedule import Fire, Schedule, ScheduleSpec
from core.workspace.collection import Collection


class Schedules(Collection):
    """When pipelines run by themselves."""

    noun = "schedules"

    def create(self, spec: ScheduleSpec) -> Schedule:
        """Create a schedule, enabled. Raises PipelineNotFound, DataNotFound, SpecInvalid, Conflict for its name."""
        self._cannot("create")

    def update(self, spec: ScheduleSpec) -> Schedule:
        """Replace what the schedule of that name does; fires before now are not made up for. Raises as `create`."""
        self._cannot("update")

    def list(self) -> tuple[Schedule, ...]:
        """All schedules with their next fire times, by name."""
        self._cannot("list")

    def get(self, name: str) -> Schedule:
        """One schedule. Raises PipelineNotFound."""
        self._cannot("get")

    def enable(self, name: str, enabled: bool) -> Schedule:
        """Switch a schedule on or off; what was due while it was off is not made up for. Raises PipelineNotFound."""
        self._cannot("enable")

    def delete(self, name: str) -> None:
        """Remove a schedule; its runs stay. Raises PipelineNotFound."""
        self._cannot("delete")

    def run_now(self, name: str) -> PipelineRun:
        """Start the run that the schedule would start now, also while it is off. Raises as `pipelines.trigger`."""
        self._cannot("run_now")

    def fires(self, name: str, limit: int = 50) -> tuple[Fire, ...]:
        """What became of the newest `limit` fires. Raises PipelineNotFound."""
        self._cannot("fires")
