"""Who may speak to the storage account: a shared key, a shared access signature, or a token of Entra.

Signatures are made anew and compared (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key,
.../create-service-sas, .../create-account-sas, .../create-user-delegation-sas).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from core.emulator import entra
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Request

SIGNED_HEADERS = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip
NEEDED = {"GET": "rl", "HEAD": "rl", "PUT": "cwa", "POST": "cwa", "PATCH": "cwa", "DELETE": "d"}
"""Method -> permissions of a shared access signature, of which one is enough."""
VERSION = "2021-12-02"
"""Of the signatures that the emulation makes itself."""
DELEGATION_FIELDS = ("skoid", "sktid", "skt", "ske", "sks", "skv")


def keys(emulation: Emulation) -> dict[str, str]:
    """The account's two keys, made once."""
    with emulation.state.lock:
        kept: dict[str, str] | None = emulation.state.get("storage-keys")
        if kept is None:
            kept = {name: base64.b64encode(secrets.token_bytes(64)).decode() for name in ("key1", "key2")}
            emulation.state.put("storage-keys", kept)
        return kept


def held(emulation: Emulation, account: str) -> list[str]:
    """The keys that open an account: its own, or those that a client gave with its datastores of another account."""
    if account.lower() == emulation.names.storage_account:
        return list(keys(emulation).values())
    found = []
    for _, kept in emulation.state.below(f"{emulation.names.workspace_path}/datastores/"):
        if str(kept["properties"].get("accountName", "")).lower() == account.lower():
            secret = emulation.state.get(f"secret/datastores/{kept['name']}") or {}
            found += [secret["key"]] if secret.get("key") else []
    return found


def check(emulation: Emulation, request: Request) -> None:
    """Raises AzureError 403, or 401 with the challenge that clients of Entra follow."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "sharedkey":
        _check_key(emulation, request, given)
    elif scheme.lower() == "bearer":
        _check_token(emulation, request)
    elif "sig" in request.query:
        _check_signature(emulation, request)
    else:
        raise _challenge(emulation)


def container_sas(emulation: Emulation, container: str, hours: float = 1, permissions: str = "racwdl") -> str:
    """A signature for all of a container, as a datastore's secrets give it."""
    expiry = datetime.fromtimestamp(emulation.clock.real(), UTC) + timedelta(hours=hours)
    query = {
        "sv": VERSION, "se": f"{expiry:%Y-%m-%dT%H:%M:%SZ}", "sr": "c", "sp": permissions, "spr": "https",
    }  # fmt: skip
    text = _service_text(query, f"/blob/{emulation.names.storage_account}/{container}")
    signed = query | {"sig": sign(keys(emulation)["key1"], text)}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in signed.items())


def account_sas(emulation: Emulation, account: str, hours: float = 1) -> str:
    """A signature for all containers of an account: with a datastore's secrets the SDK opens other containers, too."""
    expiry = datetime.fromtimestamp(emulation.clock.now(), UTC) + timedelta(hours=hours)
    query = {
        "sv": VERSION, "ss": "b", "srt": "sco", "se": f"{expiry:%Y-%m-%dT%H:%M:%SZ}", "sp": "racwdl", "spr": "https",
    }  # fmt: skip
    key = next(iter(held(emulation, account)), keys(emulation)["key1"])
    signed = query | {"sig": sign(key, _account_text(query, account))}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in signed.items())


def sign(key: str, text: str) -> str:
    """The account's signature of a text; a key that is no base64 signs nothing."""
    with suppress(binascii.Error):
        return _signed(base64.b64decode(key), text)
    return secrets.token_urlsafe()


def _signed(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def delegation_key(emulation: Emulation, fields: Mapping[str, str]) -> str:
    """The key that is delegated to whoever holds a token; it can be made anew from its own fields."""
    return sign(keys(emulation)["key1"], "\n".join(fields.get(name, "") for name in DELEGATION_FIELDS))


def _check_key(emulation: Emulation, request: Request, given: str) -> None:
    account, _, signature = given.strip().partition(":")
    if account != request.host.partition(".")[0]:
        raise _refused("AuthenticationFailed", "The account of the Authorization header is another one")
    text = _request_text(request, account)
    if not _same(signature, text, held(emulation, account)):
        raise _refused(
            "AuthenticationFailed",
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly"
            " including the signature.",
        )


def _check_token(emulation: Emulation, request: Request) -> None:
    try:
        audience = str(entra.claims(emulation, request).get("aud", ""))
    except AzureError as e:
        raise _challenge(emulation) from e
    if audience.rstrip("/") not in ("https://storage.azure.com", f"https://{request.host}"):
        raise AzureError(
            401, "InvalidAuthenticationInfo", "Audience validation failed. Audience did not match.",
            {"x-ms-error-code": "InvalidAuthenticationInfo"},
        )  # fmt: skip


def _check_signature(emulation: Emulation, request: Request) -> None:
    query = request.query
    now = f"{datetime.fromtimestamp(emulation.clock.real(), UTC):%Y-%m-%dT%H:%M:%SZ}"
    if query.get("se", "9999") < now[: len(query.get("se", "9999"))] or query.get("st", "") > now:
        raise _refused("AuthenticationFailed", "Signature not valid in the specified time frame")
    account = request.host.partition(".")[0]
    if "ss" in query:
        texts = [_account_text(query, account)]
    else:
        texts = [_service_text(query, f"/blob/{account}{path}") for path in _signed_paths(request)]
    given = [delegation_key(emulation, query)] if "skoid" in query else held(emulation, account)
    if not any(_same(query["sig"], text, given) for text in texts):
        raise _refused("AuthenticationFailed", "Signature did not match.")
    needed = NEEDED.get(request.method, "r")
    if query.get("comp") == "metadata" and request.method == "PUT":
        needed = "w"
    if not set(needed) & set(query.get("sp", "")):
        raise _refused(
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
        )


def _request_text(request: Request, account: str) -> str:
    headers = dict(request.headers)
    if headers.get("content-length") == "0":
        del headers["content-length"]
    own = sorted((name, value) for name, value in headers.items() if name.startswith("x-ms-"))
    query = sorted(
        (name.lower(), unquote(value)) for name, _, value in (x.partition("=") for x in request.raw_query.split("&"))
    )
    return "\n".join(
        [
            request.method,
            *(headers.get(name, "") for name in SIGNED_HEADERS),
            *(f"{name}:{value.strip()}" for name, value in own),
            f"/{account}{request.raw_path}",
            *(f"{name}:{value}" for name, value in query if name),
        ]
    )


def _signed_paths(request: Request) -> Sequence[str]:
    """What a signature may be for: the blob itself, or the container or the folder that it lies in."""
    path = request.path.rstrip("/")
    container = "/".join(path.split("/")[:2])
    kind = request.query.get("sr", "b")
    if kind == "c":
        return [container]
    if kind == "d":
        depth = int(request.query.get("sdd", "0") or 0)
        return ["/".join(path.split("/")[: 2 + depth])]
    return [path]


def _service_text(query: Mapping[str, str], resource: str) -> str:
    first = [query.get(name, "") for name in ("sp", "st", "se")]
    version = query.get("sv", "")
    if "skoid" in query:
        who = [query.get(name, "") for name in (*DELEGATION_FIELDS, "saoid", "suoid", "scid")]
        if version >= "2025-07-05":
            who += [query.get(name, "") for name in ("skdutid", "sduoid")]
    else:
        who = [query.get("si", "")]
    what = [query.get(name, "") for name in ("sip", "spr", "sv", "sr")] + [query.get("snapshot", "")]
    if version >= "2020-12-06":
        what.append(query.get("ses", ""))
    if "skoid" in query and version >= "2026-04-06":
        what += ["", ""]  # signed request headers and query parameters, which nobody here asks for
    shown = [query.get(name, "") for name in ("rscc", "rscd", "rsce", "rscl", "rsct")]
    return "\n".join([*first, resource, *who, *what, *shown])


def _account_text(query: Mapping[str, str], account: str) -> str:
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if query.get("sv", "") >= "2020-12-06":
        names.append("ses")
    return "\n".join([account, *(query.get(name, "") for name in names), ""])


def _same(signature: str, text: str, given: Iterable[str]) -> bool:
    return any(hmac.compare_digest(sign(key, text).encode(), signature.encode()) for key in given)


def _refused(code: str, message: str) -> AzureError:
    return AzureError(403, code, message, {"x-ms-error-code": code})


def _challenge(emulation: Emulation) -> AzureError:
    where = f"https://login.microsoftonline.com/{emulation.names.tenant}/oauth2/authorize"
    return AzureError(
        401,
        "NoAuthenticationInformation",
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        {
            "x-ms-error-code": "NoAuthenticationInformation",
            "WWW-Authenticate": f"Bearer authorization_uri={where} resource_id=https://storage.azure.com",
        },
    )
