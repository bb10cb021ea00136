"""The commands of `az` that mend what was found, with the real ids in them. They need `az login` as an owner."""

import shlex

from core.azure.target import Target

SCIENTIST = "AzureML Data Scientist"
"""Azure's built-in role for everything in a workspace but its computes."""
OPERATOR = "AzureML Compute Operator"
UNKNOWN = Target("SUBSCRIPTION_ID", "RESOURCE_GROUP", "WORKSPACE")


def make_principal(target: Target) -> str:
    """A service principal that may use the workspace; what it prints goes into three variables."""
    return (
        f"az ad sp create-for-rbac --name slipway-{_word(target.workspace)} --role {_quoted(SCIENTIST)}"
        f" --scopes {_quoted(target.path)}"
        "  (its tenant, appId and password are AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET)"
    )


def assign(role: str, who: str, scope: str) -> str:
    """Give a role to somebody."""
    return f"az role assignment create --assignee {_quoted(who)} --role {_quoted(role)} --scope {_quoted(scope)}"


def new_secret(client_id: str) -> str:
    """Another secret for the service principal."""
    return f"az ad sp credential reset --id {_quoted(client_id or 'CLIENT_ID')}  (its password is AZURE_CLIENT_SECRET)"


def register_provider(target: Target, namespace: str) -> str:
    return f"az provider register --namespace {namespace} --subscription {target.subscription} --wait"


def make_group(target: Target, region: str) -> str:
    return (
        f"az group create --name {_quoted(target.resource_group)} --location {region}"
        f" --subscription {target.subscription}"
    )


def make_workspace(target: Target) -> str:
    return (
        f"az ml workspace create --name {_quoted(target.workspace)} --resource-group"
        f" {_quoted(target.resource_group)} --subscription {target.subscription}"
    )


def _word(text: str) -> str:
    return "".join(c if c.isalnum() or c == "-" else "-" for c in text.lower())


def _quoted(text: str) -> str:
    return shlex.quote(text) if text.isupper() or "'" in text else f'"{text}"' if " " in text else text
