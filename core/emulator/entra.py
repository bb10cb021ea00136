"""Microsoft Entra's token endpoints: discovery, and tokens for the one service principal of the emulation.

A token is a JWT signed with the run's secret. `aud` is the resource of the scope that was asked for: SDKs and services
read it (https://learn.microsoft.com/entra/identity-platform/access-tokens).
"""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import LOGIN_HOST
from core.emulator.routes import Route

TOKEN_S = 3600
HOW = (
    "This is an emulation of Azure: sign in with ClientSecretCredential or DefaultAzureCredential, which take"
    " AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET as they were printed"
)


def discovery(emulation: Emulation, request: Request) -> Reply:
    """Which authority is meant: MSAL asks before it trusts a host that it does not know."""
    tenant = emulation.names.tenant
    aliases = {"preferred_network": LOGIN_HOST, "preferred_cache": "login.windows.net", "aliases": [LOGIN_HOST]}
    return Reply(
        body={
            "tenant_discovery_endpoint": f"https://{LOGIN_HOST}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [aliases],
        }
    )


def configuration(emulation: Emulation, request: Request) -> Reply:
    """The tenant's OpenID configuration."""
    tenant = _tenant(emulation, request)
    base = f"https://{LOGIN_HOST}/{tenant}"
    return Reply(
        body={
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "issuer": f"{base}/v2.0",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        }
    )


def token(emulation: Emulation, request: Request) -> Reply:
    """A token for the client's id and secret. Errors are OAuth's, with Entra's AADSTS numbers."""
    _tenant(emulation, request)
    form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
    grant = form.get("grant_type", "")
    if grant != "client_credentials":
        raise _refused(400, "unsupported_grant_type", 70003, f"The grant '{grant}' is not supported here. {HOW}")
    if form.get("client_id") != emulation.names.client:
        who = form.get("client_id", "")
        raise _refused(400, "unauthorized_client", 700016, f"Application with identifier '{who}' was not found")
    if "client_assertion" in form:
        raise _refused(401, "invalid_client", 700027, f"Certificates and assertions are not accepted here. {HOW}")
    if not hmac.compare_digest(form.get("client_secret", "").encode(), emulation.secret.encode()):
        raise _refused(401, "invalid_client", 7000215, "Invalid client secret provided")
    asked = form.get("scope") or form.get("resource", "")
    audience = asked.split(" ")[0].removesuffix("/.default")
    return Reply(
        body={
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "ext_expires_in": TOKEN_S,
            "access_token": signed(emulation, audience, emulation.clock.real() + TOKEN_S),
        }
    )


def no_keys(emulation: Emulation, request: Request) -> Reply:
    """Tokens are signed with the run's secret, which has no public half."""
    return Reply(body={"keys": []})


def nobody(emulation: Emulation, request: Request) -> Reply:
    """Sign-ins of a person: by device code, or in a browser."""
    raise _refused(400, "invalid_request", 50059, f"There is nobody here who could sign in. {HOW}")


def signed(emulation: Emulation, audience: str, expires_at: float) -> str:
    """A JWT of the emulation's service principal."""
    names = emulation.names
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{names.tenant}/",
        "iat": int(expires_at - TOKEN_S),
        "nbf": int(expires_at - TOKEN_S),
        "exp": int(expires_at),
        "appid": names.client,
        "oid": names.client,
        "sub": names.client,
        "tid": names.tenant,
        "ver": "1.0",
    }
    text = f"{_b64({'typ': 'JWT', 'alg': 'HS256'})}.{_b64(claims)}"
    return f"{text}.{_sign(emulation, text)}"


def claims(emulation: Emulation, request: Request) -> Document:
    """What the bearer's token says. Raises AzureError 401 for none, another's, and one that has expired."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    text, _, signature = given.strip().rpartition(".")
    if kind.lower() != "bearer" or not text:
        raise _unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    if not hmac.compare_digest(_sign(emulation, text).encode(), signature.encode()):
        raise _unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
    part = text.partition(".")[2]
    found: Document = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if found["exp"] < emulation.clock.real():
        raise _unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time is in the past.")
    return found


def _unauthorized(code: str, message: str) -> AzureError:
    return AzureError(
        401, code, message, {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{message}"'}
    )


def _tenant(emulation: Emulation, request: Request) -> str:
    tenant = request.found.get("tenant", "")
    if tenant.lower() not in (emulation.names.tenant, "organizations", "common"):
        raise _refused(400, "invalid_request", 90002, f"Tenant '{tenant}' not found")
    return tenant


class OAuthError(AzureError):
    """A refusal in OAuth's shape (RFC 6749, 5.2) as Entra extends it."""

    def __init__(self, status: int, code: str, number: int, message: str) -> None:
        super().__init__(status, code, message)
        self.number = number

    def shape(self) -> Document:
        text = f"AADSTS{self.number}: {self.message}."
        return {"error": self.code, "error_description": text, "error_codes": [self.number]}


def _refused(status: int, code: str, number: int, message: str) -> OAuthError:
    return OAuthError(status, code, number, message)


def _sign(emulation: Emulation, text: str) -> str:
    digest = hmac.new(emulation.secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _b64(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


ROUTES = (
    Route("GET", "login", "/common/discovery/instance", discovery),
    Route("GET", "login", "/{tenant}/discovery/instance", discovery),
    Route("GET", "login", "/{tenant}/v2.0/.well-known/openid-configuration", configuration),
    Route("POST", "login", "/{tenant}/oauth2/v2.0/token", token),
    Route("POST", "login", "/{tenant}/oauth2/token", token),
    Route("POST", "login", "/{tenant}/oauth2/v2.0/devicecode", nobody),
    Route("POST", "login", "/{tenant}/oauth2/devicecode", nobody),
    Route("GET", "login", "/{tenant}/oauth2/v2.0/authorize", nobody),
    Route("GET", "login", "/common/userrealm/{user}", nobody),
    Route("GET", "login", "/{tenant}/discovery/v2.0/keys", no_keys),
)
