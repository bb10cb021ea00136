"""How a document says that a key is sent."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.checks.document.schema import Json, flat

AUTHORIZATION = "Authorization"
KEY_MIN_CHARS = 8
"""A shorter key is no secret, and its letters stand in ordinary words."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A header with the key, and how a shell makes it from SLIPWAY_KEY: no part of a key is shown."""

    value: str = field(repr=False)
    shell: str
    header: str = AUTHORIZATION

    def same_as(self, other: "Credential") -> bool:
        """Whether a server reads the same: blanks around a header's value are none of it (RFC 9110, 5.5)."""
        return (self.header.lower(), self.value.strip()) == (other.header.lower(), other.value.strip())


@dataclass(frozen=True, slots=True)
class Scheme:
    """The header that carries a key, and the words around it."""

    header: str = AUTHORIZATION
    word: str = "Bearer "
    challenged: bool = True
    """HTTP knows the scheme by a name, so that a 401 has to say it (RFC 9110, 15.5.2)."""
    unsaid: bool = False
    """The document names the header alone: the key may stand in it by itself."""

    def credential(self, key: str) -> Credential:
        """What a client with this key sends."""
        return self.wrong(key, "$SLIPWAY_KEY")

    def wrong(self, value: str, shell: str) -> Credential:
        """What a client with this for a key sends; `shell` tells how it is made from the key."""
        if self.word == "Basic ":
            packed = base64.b64encode(value.encode()).decode()
            return Credential(f"Basic {packed}", f'Basic $(printf %s "{shell}" | base64 -w0)', self.header)
        return Credential(f"{self.word}{value}", f"{self.word}{shell}", self.header)

    @property
    def bearer(self) -> bool:
        return self.word == "Bearer "

    @property
    def bare(self) -> "Scheme":
        """The same header with nothing but the key: what a document may mean that names Authorization an API key."""
        return replace(self, word="")


BEARER = Scheme()


def secured_by(document: Json, operation: Json) -> tuple[Scheme, ...]:
    """The schemes by which the operation asks for a key, in the order of the document; none where it may be left out.

    A scheme that is not known here counts as `BEARER`, so that it is asked for.
    """
    required = operation.get("security", document.get("security")) or ()
    if any(not option for option in required):
        return ()
    defined = document.get("securityDefinitions") or document.get("components", {}).get("securitySchemes", {})
    named = [name for option in required for name in option]
    return tuple(_scheme(flat(document, defined.get(name, {}))) for name in named)


def _scheme(told: Mapping[str, object]) -> Scheme:
    kind, how = str(told.get("type", "")).lower(), str(told.get("scheme", "")).lower()
    if kind == "basic" or (kind, how) == ("http", "basic"):
        return Scheme(word="Basic ")
    if kind != "apikey":
        return BEARER
    if str(told.get("name", "")).lower() == AUTHORIZATION.lower():
        return Scheme(str(told["name"]), unsaid=True)
    if told.get("in") == "cookie":
        return Scheme("Cookie", f"{told['name']}=", challenged=False)
    return Scheme(str(told["name"]), "", challenged=False) if told.get("in") == "header" else BEARER
