"""How many instances a deployment has, and when it gets or loses one."""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.errors import SpecInvalid
from core.domain.rules import check_number, check_whole

INSTANCES_MAX = 1000
ABOVE_PCT, BELOW_PCT = 70.0, 30.0
WINDOW_MIN, COOLDOWN_MIN = 5, 5


class ScaleMetric(StrEnum):
    """What is measured."""

    CPU = "cpu"
    """Percent of the processors' time, averaged over the instances."""
    REQUESTS = "requests"
    """Requests a minute to each instance."""


@dataclass(frozen=True, slots=True)
class Autoscale:
    """Bounds for a deployment's instances; between them one is added or removed where a threshold is passed."""

    min_instances: int
    max_instances: int
    default_instances: int
    """While there are no measurements."""
    metric: ScaleMetric = ScaleMetric.CPU
    scale_out_above: float = ABOVE_PCT
    scale_in_below: float = BELOW_PCT
    window_min: int = WINDOW_MIN
    """The metric is averaged over so many minutes."""
    cooldown_min: int = COOLDOWN_MIN
    """After a change the next one waits so long."""

    def __post_init__(self) -> None:
        check_whole("min_instances", self.min_instances, 1, INSTANCES_MAX)
        check_whole("max_instances", self.max_instances, 1, INSTANCES_MAX)
        check_whole("default_instances", self.default_instances, 1, INSTANCES_MAX)
        if not self.min_instances <= self.default_instances <= self.max_instances:
            raise SpecInvalid(
                f"From {self.min_instances} to {self.max_instances} instances with {self.default_instances} by default",
                hint="The default is at least min_instances and at most max_instances",
            )
        if self.metric not in tuple(ScaleMetric):
            raise SpecInvalid(f"metric is {' or '.join(ScaleMetric)}, got '{self.metric}'")
        highest = 100 if self.metric == ScaleMetric.CPU else 10_000_000
        check_number("scale_out_above", self.scale_out_above, 0, highest, above=True)
        check_number("scale_in_below", self.scale_in_below, 0, highest)
        if self.scale_in_below >= self.scale_out_above:
            raise SpecInvalid(
                f"scale_in_below is {self.scale_in_below:g} and scale_out_above {self.scale_out_above:g}",
                hint="Instances that are removed at once would be added again: leave a distance between the two",
            )
        check_whole("window_min", self.window_min, 5, 720)
        check_whole("cooldown_min", self.cooldown_min, 1, 10_080)
