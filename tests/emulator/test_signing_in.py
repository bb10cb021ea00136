"""Entra as azure-identity meets it, and Resource Manager as `az` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from core.emulator.server import Running

ARM = "https://management.azure.com"
SCOPE = f"{ARM}/.default"


@pytest.fixture
def rest(running: Running) -> Iterator[httpx.Client]:
    """A client of the REST interface, as `az rest` is one."""
    from azure.identity import DefaultAzureCredential

    token = DefaultAzureCredential().get_token(SCOPE).token
    with httpx.Client(base_url=ARM, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.mark.parametrize("scope", [SCOPE, "https://ml.azure.com/.default", "https://storage.azure.com/.default"])
def test_the_default_credential_gets_a_token_for_each_resource(running: Running, scope: str) -> None:
    from azure.identity import DefaultAzureCredential

    found = DefaultAzureCredential().get_token(scope)
    assert found.expires_on > datetime.now(UTC).timestamp() + 600


def test_a_wrong_secret_is_told_in_entras_words(running: Running) -> None:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import ClientSecretCredential

    names = running.emulation.names
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        ClientSecretCredential(names.tenant, names.client, "wrong").get_token(SCOPE)


def test_another_authority_is_a_host_that_is_not_emulated(running: Running) -> None:
    from azure.core.exceptions import AzureError
    from azure.identity import ClientSecretCredential

    names = running.emulation.names
    credential = ClientSecretCredential(
        names.tenant, names.client, running.emulation.secret, authority="login.microsoftonline.us", retry_total=0
    )
    with pytest.raises(AzureError):
        credential.get_token(SCOPE)


def test_a_certificate_is_refused_with_the_way_out(running: Running, tmp_path: Path) -> None:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import CertificateCredential

    names = running.emulation.names
    credential = CertificateCredential(names.tenant, names.client, certificate_data=_certificate())
    with pytest.raises(ClientAuthenticationError, match="ClientSecretCredential or DefaultAzureCredential"):
        credential.get_token(SCOPE)


def test_a_device_code_is_refused_with_the_way_out(running: Running) -> None:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DeviceCodeCredential

    credential = DeviceCodeCredential(tenant_id=running.emulation.names.tenant, timeout=2)
    with pytest.raises(ClientAuthenticationError, match="nobody here who could sign in"):
        credential.get_token(SCOPE)


def test_a_sign_in_in_a_browser_is_refused_with_the_way_out(running: Running) -> None:
    tenant = running.emulation.names.tenant
    answer = httpx.get(f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize?client_id=x")
    assert "nobody here who could sign in" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "path",
    ["/subscriptions", "/subscriptions/{s}", "/subscriptions/{s}/resourceGroups",
     "/subscriptions/{s}/resourcegroups/{g}",
     "/subscriptions/{s}/locations", "/subscriptions/{s}/providers/Microsoft.MachineLearningServices", "/tenants",
     "/subscriptions/{s}/providers/Microsoft.Authorization/roleDefinitions",
     "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Authorization/roleAssignments",
     "{w}/providers/Microsoft.Authorization/roleAssignments", "{w}/providers/Microsoft.Authorization/permissions",
     "{w}"],
)  # fmt: skip
def test_what_az_reads_is_there(running: Running, rest: httpx.Client, path: str) -> None:
    names = running.emulation.names
    spelled = path.format(s=names.subscription, g=names.resource_group, w=names.workspace_path)
    answer = rest.get(spelled, params={"api-version": "2023-10-01"})
    assert answer.status_code == 200
    assert answer.json()


def test_the_case_of_an_id_does_not_matter(running: Running, rest: httpx.Client) -> None:
    answer = rest.get(running.emulation.names.workspace_path.upper(), params={"api-version": "2023-10-01"})
    assert answer.json()["name"] == running.emulation.names.workspace


def test_the_schema_that_the_sdk_asks_for_is_served() -> None:
    from jsonschema import Draft7Validator

    found = httpx.get("https://azuremlschemasprod.azureedge.net/latest/MLTable.schema.json").json()
    assert Draft7Validator(found).is_valid({"paths": [{"file": "./rows.csv"}], "transformations": []})
    assert not Draft7Validator(found).is_valid({"rows": []})


@pytest.fixture(autouse=True)
def _inside(running: Running) -> None:
    """Everything here is said inside the emulation."""


def _certificate() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)
