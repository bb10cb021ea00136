"""What there is to know about one type of resource: how it is made, shown, removed, and what can be asked of it.

The generic part (`resources`) finds, lists, keeps and removes resources of every kind alike, and makes the operations
that take time; a kind says only what is its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.emulator.emulation import Emulation
from core.emulator.messages import Document, Reply, Request

Action = Callable[[Emulation, Document, Request], Reply]


def as_given(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Keep what was sent."""
    return wanted


def as_kept(emulation: Emulation, resource: Document) -> Document:
    """Show what is kept."""
    return resource


def nothing(emulation: Emulation, resource: Document) -> None:
    """Nothing else has to go."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of resource, such as `onlineEndpoints/deployments`, in Azure's spelling."""

    type: str
    put: Callable[[Emulation, Request, Document | None, Document], Document] = as_given
    """(emulation, request, the resource as it was or None, the new one) -> what to keep. It may raise AzureError.

    The new one has `id`, `name`, `type`, `properties` and whatever else was sent. A kind that takes time sets
    `properties.provisioningState` to Creating or Updating and lets `read` find when it has become Succeeded or Failed.
    """
    read: Callable[[Emulation, Document], Document] = as_kept
    """(emulation, the resource as it is kept) -> as it is now; what has changed is kept anew."""
    delete: Callable[[Emulation, Document], None] = nothing
    """What else has to go. It may raise AzureError, and then nothing goes."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    """POST {resource}/{name, in any case} -> its answer."""
    takes_time: bool = False
    """Whether PUT, PATCH and DELETE are long-running operations (201 or 202 with an address to poll)."""
    made: int = 201
    """The status of a PUT that has made one; whatever takes time has it when it is changed, too."""
    operations: str = "mfeOperationsStatus"
    """The segment of the address to poll; computes have `computeOperationsStatus`."""
    prefix: str = ""
    """How the names of its operations begin, such as `oe`; empty: with its type."""
    container: bool = False
    """Whether it holds versions and comes into being with the first of them, such as `data`."""
    missing: tuple[str, str] = ("ResourceNotFound", "The resource '{path}' was not found.")
    """Code and message of one that is not there; `{path}` and `{name}` in it are filled in."""
    matches: Callable[[Document, Request], bool] = lambda resource, request: True
    """Whether a list shows a resource, by the query of the request."""
    newest_first: bool = False
    """Whether a list begins with what was made last."""
