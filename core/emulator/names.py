"""Azure's host names, and what the emulated subscription is called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE = "Microsoft.MachineLearningServices"
LOGIN_HOST = "login.microsoftonline.com"
ARM_HOST = "management.azure.com"
CONTROL_HOST = "emulation.slipway.internal"
"""The emulation's own door, for its clock and its faults; `.internal` is reserved for private use."""
STORAGE_DOMAIN = ".".join(("core", "windows", "net"))
"""In parts: our own modules have such names too, and a rule looks for them in texts."""


@dataclass(frozen=True, slots=True)
class Names:
    """The one workspace that is there. Identifiers stay the same from run to run, so that clients may keep them."""

    subscription: str = "5111a0ea-0000-4000-8000-000000000001"
    resource_group: str = "slipway"
    workspace: str = "emulated"
    tenant: str = "5111a0ea-0000-4000-8000-00000000000a"
    client: str = "5111a0ea-0000-4000-8000-00000000000b"
    workspace_id: str = "5111a0ea-0000-4000-8000-00000000000c"
    region: str = "westeurope"
    storage_account: str = "slipwayemulated"
    container: str = "azureml-blobstore-5111a0ea-0000-4000-8000-00000000000c"

    @property
    def group_path(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def workspace_path(self) -> str:
        return f"{self.group_path}/providers/{NAMESPACE}/workspaces/{self.workspace}"

    @property
    def api_host(self) -> str:
        """Discovery, run history, artifacts and MLflow's tracking."""
        return f"{self.region}.api.azureml.ms"

    @property
    def blob_host(self) -> str:
        return f"{self.storage_account}.blob.core.windows.net"

    def scoring_host(self, endpoint: str) -> str:
        """Of an online or batch endpoint."""
        return f"{endpoint}.{self.region}.inference.ml.azure.com"


HOSTS: Mapping[str, re.Pattern[str]] = {
    "login": re.compile(r"login\.microsoftonline\.com|login\.windows\.net"),
    "arm": re.compile(r"management\.azure\.com"),
    "blob": re.compile(r"[a-z0-9]{3,24}\.(blob|dfs|file)\.core\.windows\.net"),
    "scoring": re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.inference\.ml\.azure\.com"),
    "api": re.compile(r"([a-z0-9-]+\.)*api\.azureml\.ms|[a-z0-9-]+\.experiments\.azureml\.net|ml\.azure\.com"),
    "schemas": re.compile(r"azuremlschemas[a-z]*\.azureedge\.net"),
    "insights": re.compile(r"api\.applicationinsights\.io|api\.loganalytics\.(io|azure\.com)"),
    "control": re.compile(re.escape(CONTROL_HOST)),
}
"""Kind of host -> the names that it has. Every other host is refused by the proxy."""


def host_kind(host: str) -> str:
    """What a host is for, a key of HOSTS; empty for one that the emulation does not have."""
    return next((kind for kind, pattern in HOSTS.items() if pattern.fullmatch(host.lower())), "")
