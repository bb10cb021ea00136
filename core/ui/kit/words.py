"""What people read: numbers with their units, moments in their own clock, and states in plain words."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from core.domain.data import ColumnKind, ColumnRole, DataRef, DataSource
from core.domain.endpoint import DeploymentState, EndpointState, GateState
from core.domain.job import JobState
from core.domain.metrics import metric_named
from core.domain.pipeline import StepKind
from core.domain.run import StepState
from core.domain.signature import Scalar
from core.domain.steps import STEP_TYPES
from core.domain.training import GuardrailState, TrialState, algorithm_label
from core.ui.shell import clock

DASH = "–"

Color = Literal["green", "blue", "orange", "red", "gray"]


class Word(NamedTuple):
    """A state as people read it: a label, a colour of the theme's palette, and a Material icon."""

    label: str
    color: Color
    icon: str

    @property
    def icon_code(self) -> str:
        return f":material/{self.icon}:"


_MOVING, _GOOD, _BAD, _OVER = "progress_activity", "check_circle", "error", "cancel"

# By type first: members of two StrEnums with the same text are equal and would share one entry.
STATES: Mapping[type[StrEnum], Mapping[str, Word]] = {
    EndpointState: {
        EndpointState.CREATING: Word("Being created", "blue", _MOVING),
        EndpointState.STARTING: Word("Starting", "blue", _MOVING),
        EndpointState.READY: Word("Ready", "green", _GOOD),
        EndpointState.DEGRADED: Word("Degraded", "orange", "warning"),
        EndpointState.FAILED: Word("Failed", "red", _BAD),
        EndpointState.STOPPED: Word("Stopped", "gray", _OVER),
        EndpointState.DELETING: Word("Being deleted", "gray", _MOVING),
    },
    DeploymentState: {
        DeploymentState.STARTING: Word("Starting", "blue", _MOVING),
        DeploymentState.READY: Word("Ready", "green", _GOOD),
        DeploymentState.FAILED: Word("Failed", "red", _BAD),
    },
    GateState: {
        GateState.NONE: Word("Not gated", "gray", "gpp_maybe"),
        GateState.QUEUED: Word("Gate queued", "blue", "schedule"),
        GateState.RUNNING: Word("Gate running", "blue", _MOVING),
        GateState.PASSED: Word("Gate passed", "green", "verified"),
        GateState.FAILED: Word("Gate failed", "red", "gpp_bad"),
        GateState.NO_VERDICT: Word("No verdict", "orange", "gpp_maybe"),
    },
    JobState: {
        JobState.QUEUED: Word("Queued", "gray", "schedule"),
        JobState.RUNNING: Word("Running", "blue", _MOVING),
        JobState.SUCCEEDED: Word("Succeeded", "green", _GOOD),
        JobState.FAILED: Word("Failed", "red", _BAD),
        JobState.CANCELED: Word("Canceled", "gray", _OVER),
    },
    StepState: {
        StepState.QUEUED: Word("Waiting", "gray", "schedule"),
        StepState.RUNNING: Word("Running", "blue", _MOVING),
        StepState.SUCCEEDED: Word("Succeeded", "green", _GOOD),
        StepState.FAILED: Word("Failed", "red", _BAD),
        StepState.CANCELED: Word("Canceled", "gray", _OVER),
        StepState.SKIPPED: Word("Skipped", "gray", "skip_next"),
    },
    TrialState: {
        TrialState.RUNNING: Word("Running", "blue", _MOVING),
        TrialState.SUCCEEDED: Word("Done", "green", _GOOD),
        TrialState.FAILED: Word("Failed", "red", _BAD),
        TrialState.STOPPED: Word("Stopped", "gray", "timer_off"),
    },
    GuardrailState: {
        GuardrailState.PASSED: Word("Passed", "green", _GOOD),
        GuardrailState.DONE: Word("Handled", "blue", "build"),
        GuardrailState.ALERTED: Word("Needs attention", "orange", "warning"),
    },
}

SOURCES: Mapping[DataSource, str] = {
    DataSource.FILE: "File",
    DataSource.CACHE: "Workspace cache",
    DataSource.DOWNLOAD: "Public download",
    DataSource.TWIN: "Synthetic twin",
    DataSource.UPLOAD: "Uploaded file",
}
KINDS: Mapping[ColumnKind, str] = {
    ColumnKind.INTEGER: "Integer",
    ColumnKind.NUMBER: "Number",
    ColumnKind.BOOLEAN: "Yes/no",
    ColumnKind.STRING: "Text",
}
ROLES: Mapping[ColumnRole, str] = {
    ColumnRole.FEATURE: "",
    ColumnRole.ID: "Looks like an ID",
    ColumnRole.CONSTANT: "Constant",
    ColumnRole.EMPTY: "Empty",
}
STEPS: Mapping[StepKind, str] = {kind: known.label for kind, known in STEP_TYPES.items()}


def state(value: StrEnum) -> Word:
    """How a state is called, coloured and drawn."""
    return STATES[type(value)][value]


def algorithm(name: str) -> str:
    """An algorithm's everyday name; one that is not ours keeps its own."""
    return algorithm_label(name)


def metric(name: str) -> str:
    """A metric's everyday name: `AUC_weighted` -> `AUC`; one that is not ours loses its underscores."""
    return metric_named(name).label


def score(value: float | None) -> str:
    """A metric's value with four decimals, more than which no cross-validation carries."""
    return DASH if value is None else f"{value:.4f}"


def count(value: float | None) -> str:
    """32950 -> `32,950`."""
    return DASH if value is None else f"{value:,.0f}"


def number(value: float) -> str:
    """A value of a table, to six figures: 2266020.0 -> `2,266,020`, 0.00050384 -> `0.00050384`, 1e300 -> `1e+300`."""
    if value == 0 or 1e-4 <= abs(value) < 1e15:
        if value == int(value) or abs(value) >= 1e6:
            return f"{value:,.0f}"
        digits = max(0, 5 - math.floor(math.log10(abs(value))))
        return f"{value:,.{digits}f}".rstrip("0").rstrip(".")
    return f"{value:.6g}"


def brief(value: float, digits: int = 3, sign: str = "") -> str:
    """A measured value to a few figures, a large one to its last whole: 0.1189 -> `0.119`, 254496.2 -> `254,496`."""
    return f"{value:{sign},.0f}" if 1e3 <= abs(value) < 1e15 else f"{value:{sign}.{digits}g}"


def value(of: Scalar | None) -> str:
    """One value of a table as it is written there; a number to six figures."""
    if of is None:
        return DASH
    if isinstance(of, bool):
        return "true" if of else "false"
    return of if isinstance(of, str) else number(of)


def span(low: float | None, high: float | None) -> str:
    """From where to where numbers go: `17 to 98`."""
    if low is None or high is None:
        return DASH
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def plural(value: int, one: str, many: str = "") -> str:
    """(1, "row") -> `1 row`; (2, "row") -> `2 rows`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """A share in [0, 1]: 0.112 -> `11.2 %`."""
    return DASH if share is None else f"{100 * share:.1f} %"


def milliseconds(value: float | None) -> str:
    """3.21 -> `3.2 ms`; above ten no decimals, above ten thousand in seconds."""
    if value is None:
        return DASH
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def size(size_bytes: float) -> str:
    """612000 -> `612 kB`."""
    for unit in ("B", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if size_bytes >= 10 or unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def lasting(seconds: float | None) -> str:
    """How long: 4.13 -> `4.1 s`, 125 -> `2 min 5 s`, 7300 -> `2 h 1 min`."""
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ago(at: float | None, now: float) -> str:
    """How long since: `just now`, `43 s ago`, `5 min ago`, `3 h ago`, then the date."""
    if at is None:
        return DASH
    seconds = now - at
    if seconds < 5:
        return "just now"
    for limit, length, unit in ((60, 1, "s"), (3_600, 60, "min"), (129_600, 3_600, "h")):
        if seconds < limit:
            return f"{seconds // length:.0f} {unit} ago"
    return f"on {moment(at, now)}"


def moment(at: float | None, now: float) -> str:
    """When, in the visitor's own clock: `14:05:12` within a day, else `3 Nov, 14:05`."""
    if at is None:
        return DASH
    there, here = local(at), local(now)
    return f"{there:%H:%M:%S}" if there.date() == here.date() else f"{there.day} {there:%b, %H:%M}"


def local(at: float) -> datetime:
    """Seconds since the epoch as a date and time of the visitor's clock; of this machine's where nobody looks on."""
    return datetime.fromtimestamp(at, UTC).astimezone(clock.zone())


def asset(ref: DataRef) -> str:
    """A data version: `bank-marketing, version 1`."""
    return f"{ref.name}, version {ref.version}"


def sentence(text: str) -> str:
    """A text from elsewhere as a sentence: `kept: it succeeded in run 3` -> `Kept: it succeeded in run 3.`"""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) or not text else ".")


def identifier(text: str) -> str:
    """A name made for programs, for people: `order_is_kept` -> `Order is kept`."""
    spaced = text.replace("_", " ").replace("-", " ").strip()
    return spaced[:1].upper() + spaced[1:]
