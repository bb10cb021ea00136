"""Where the SDK itself, or Azure, departs from the schemas: each with its reason, and counted nowhere as a fault."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """`pattern` finds the faults, as `validation` writes them, that are meant."""

    pattern: str
    why: str

    def covers(self, fault: str) -> bool:
        return re.search(self.pattern, fault) is not None


SENT: Sequence[Deviation] = (
    Deviation(r"properties\.properties\.hash_version: integer", "the SDK sends a number, and Azure answers a text"),
    Deviation(r"featurizationSettings\.mode: 'custom' is none of", "the SDK writes in lower case what it also adds"),
    Deviation(r"settings\.continue_on_step_failure", "the SDK keeps Python's spelling in a pipeline's settings"),
    Deviation(
        r"batchEndpoints/\S+ sent properties\.deploymentConfiguration\.(settings|componentId|tags|description): is no",
        "the SDK deploys pipeline components by a version whose schema does not have them yet",
    ),
    Deviation(
        r"properties\.flavors\.[^:]*\.data: object", "a flavor's data are said to be texts, and are what MLmodel has"
    ),
)
"""In requests."""

ANSWERED: Sequence[Deviation] = (
    Deviation(
        r"(etag|softDeleteEnabled|creationTime|isPrivateLinkEnabled|linkedModelInventoryArmId"
        r"|sdkTelemetryAppInsightsKey|sasGetterUri): is no property of (Workspace|\S+/workspaces|NotebookResourceInfo)",
        "Azure says more of a workspace than it documents",
    ),
    Deviation(r"enableBatchPrivateLink: is no property", "Azure says more of a cluster than it documents"),
    Deviation(r"properties\.flavors\.[^:]*\.data: object", "as it was sent"),
    Deviation(r"/jobs/\S+ answered properties: is missing", "a child of a job has no properties: see run history"),
    Deviation(r"/schedules/\S+ answered (id|name|type): is missing", "a schedule that is being made has no envelope"),
)
"""In answers, Azure's as the recordings have them and the emulation's."""

OF_AZURE_ALONE: Sequence[Deviation] = (*ANSWERED,)
"""What the recordings have besides, and the emulation never does."""


def unlisted(faults: list[str], listed: Sequence[Deviation]) -> list[str]:
    """The faults that no deviation covers."""
    return [fault for fault in faults if not any(each.covers(fault) for each in listed)]
