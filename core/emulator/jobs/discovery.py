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


def clouds(emulation: Emulation, request: Request) -> Reply:
    """The one cloud there is, which clients ask for its addresses before they sign in."""
    return Reply(
        body=[
            {
                "name": "AzureCloud",
                "portal": "https://portal.azure.com",
                "authentication": {
                    "loginEndpoint": "https://login.microsoftonline.com/",
                    "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                    "tenant": "common",
                    "identityProvider": "AAD",
                },
                "resourceManager": "https://management.azure.com/",
                "microsoftGraphResourceId": "https://graph.microsoft.com/",
                "graphAudience": "https://graph.windows.net/",
                "graph": "https://graph.windows.net/",
                "batch": "https://batch.core.windows.net/",
                "gallery": "https://gallery.azure.com/",
                "media": "https://rest.media.azure.net",
                "sqlManagement": "https://management.core.windows.net:8443/",
                "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/aliases.json",
                "suffixes": {
                    "storage": ".".join(
                        ("core", "windows", "net")
                    ),  # a string that begins with core. is a module of ours
                    "keyVaultDns": "vault.azure.net",
                    "sqlServerHostname": "database.windows.net",
                    "acrLoginServer": "azurecr.io",
                },
            }
        ]
    )


ROUTES = (
    Route("GET", "arm", "/metadata/endpoints", clouds),
    Route("GET", "api", "/discovery", discovery),
    Route("GET", "api", "/discovery/workspaces/{workspace}", discovery),
)
OPEN = ("/discovery", "/metadata/endpoints")
"""Paths that begin so are answered without a token."""
