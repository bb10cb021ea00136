"""Signing in, by the way that the settings name and no other: nothing is tried in turn, so a refusal has one cause."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.azure import sdk
from core.domain.errors import SpecInvalid
from core.domain.rules import shown

TENANT = re.compile(r"[a-zA-Z0-9.-]+")
"""Its id, or one of its domains."""
_PRINCIPAL = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")


def credential(way: str, environ: Mapping[str, str] = os.environ) -> Any:
    """A credential of azure-identity. Raises SpecInvalid for another way, and for variables that are missing."""
    if way not in WAYS:
        raise SpecInvalid(f"There is no way '{way}' to sign in to Azure", hint=f"azure_credential: {', '.join(WAYS)}")
    return WAYS[way](environ)


def _principal(environ: Mapping[str, str]) -> Any:
    if missing := [name for name in _PRINCIPAL if not environ.get(name)]:
        raise SpecInvalid(
            f"Signing in to Azure as a service principal needs {', '.join(missing)}",
            hint="'python -m core doctor --workspace azure' says how to make one; SLIPWAY_AZURE_CREDENTIAL=cli signs in"
            " as 'az login' did",
        )
    if not TENANT.fullmatch(environ["AZURE_TENANT_ID"]):
        raise SpecInvalid(
            f"AZURE_TENANT_ID is {shown(environ['AZURE_TENANT_ID'])}, which is no tenant's id",
            hint="'az account show --query tenantId' shows it",
        )
    return sdk.module("azure.identity").ClientSecretCredential(*(environ[name] for name in _PRINCIPAL))


WAYS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    "environment": _principal,
    "cli": lambda environ: sdk.module("azure.identity").AzureCliCredential(),
    "managed-identity": lambda environ: sdk.module("azure.identity").ManagedIdentityCredential(
        client_id=environ.get("AZURE_CLIENT_ID")
    ),
    "browser": lambda environ: sdk.module("azure.identity").InteractiveBrowserCredential(),
}
"""Setting `azure_credential` -> the credential."""
