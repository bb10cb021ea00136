"""What the address of a request to the resource manager is about."""

import re
from dataclasses import dataclass

NAMESPACE = "Microsoft.MachineLearningServices"
_BELOW = re.compile(
    rf"(?:/mferp/managementfrontend)?/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?"
    rf"/providers/{re.escape(NAMESPACE)}/(.*)",
    re.IGNORECASE,
)
"""The SDK asks some lists of the region's own front end, which answers as the resource manager does."""


@dataclass(frozen=True)
class About:
    """A resource, all of one kind (`listed`), or an action on a resource."""

    kind: str
    """`workspaces/jobs`, as it was spelled."""
    name: str = ""
    """The names in the address, parted by slashes, as templates write them."""
    action: str = ""
    listed: bool = False

    @property
    def type(self) -> str:
        return f"{NAMESPACE}/{self.kind}"


def about(method: str, path: str) -> About | None:
    """None for an address that is not about a resource of Azure ML, such as an operation's."""
    match = _BELOW.fullmatch(path)
    if not match:
        return None
    segments = [each for each in match[1].split("/") if each]
    if (
        not segments
        or "providers" in (each.lower() for each in segments)
        or segments[0].lower() not in ("workspaces", "registries")
    ):
        return None
    if "providers" in (each.lower() for each in segments[2::2]):  # another provider's, such as a role on a workspace
        return None
    kind, names = "/".join(segments[::2]), "/".join(segments[1::2])
    if len(segments) % 2 == 0:
        return About(kind, names)
    if method == "POST":
        return About("/".join(segments[:-1:2]), names, action=segments[-1])
    return About(kind, names, listed=True)
