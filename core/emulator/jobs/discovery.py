"""Where each service of the workspace is reached: a client asks this first, without a token."""

from core.emulator.emulation import Emulation
from core.emulator.messages import Reply, Request
from core.emulator.routes import Route


def discovery(emulation: Emulation, request: Request) -> Reply:
    """Service -> its address; all of them are one host here."""
    api = f"https://{emulation.names.api_host}"
    named = (
        "api", "catalog", "experimentation", "gallery", "history", "hyperdrive", "labeling", "modelmanagement",
        "pipelines", "quota-manager",
    )  # fmt: skip
    return Reply(body={**dict.fromkeys(named, api), "studio": "https://ml.azure.com"})


ROUTES = (
    Route("GET", "api", "/discovery", discovery),
    Route("GET", "api", "/discovery/workspaces/{workspace}", discovery),
)
OPEN = "/discovery"
"""Paths that begin so are answered without a token."""
