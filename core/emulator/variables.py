"""What a client needs to know, as environment variables and as the studio's `config.json`."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from core.emulator.names import Names
from core.emulator.proxy import USER

CLEARED = ("NO_PROXY", "no_proxy")
"""Else a client would pass by the proxy, and reach the real Azure."""


def variables(names: Names, port: int, secret: str, bundle: Path) -> dict[str, str]:
    """Name -> value. Both spellings of a proxy: Python prefers lower case, curl takes `http_proxy` in no other."""
    proxy = f"http://{USER}:{secret}@127.0.0.1:{port}"
    spelled = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    return {
        **dict.fromkeys(spelled, proxy),
        **dict.fromkeys(CLEARED, ""),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "CURL_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
        "AZURE_TENANT_ID": names.tenant,
        "AZURE_CLIENT_ID": names.client,
        "AZURE_CLIENT_SECRET": secret,
        "AZUREML_ARM_SUBSCRIPTION": names.subscription,
        "AZUREML_ARM_RESOURCEGROUP": names.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": names.workspace,
    }


def shell_lines(given: Mapping[str, str]) -> str:
    """`export` lines for a POSIX shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in given.items())


def config_json(names: Names) -> dict[str, str]:
    """What `MLClient.from_config` reads."""
    return {
        "subscription_id": names.subscription,
        "resource_group": names.resource_group,
        "workspace_name": names.workspace,
    }
