"""An endpoint is examined where its user said, and nowhere else, whatever addresses its document names.

Addresses are resolved as RFC 3986 says, against the document's own. Of one that leads to another origin (scheme, host,
port) only the path counts: neither a request nor the key is for anybody whom the user did not name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from core.checks.document.schema import Json
from core.checks.outcome import Violation
from core.domain.errors import NoVerdict

SOMEWHERE = "http://endpoint/openapi.json"
"""The address of a document that came from nowhere: a file."""
PORTS = {"http": 80, "https": 443}
VARIABLE = re.compile(r"\{([^{}]*)\}")
REFERENCES = ("$ref", "$dynamicRef", "operationRef")
ELSEWHERE = ("servers", "server", "externalValue", "$schema", "$id", "jsonSchemaDialect", "host", "schemes")
"""Words by which a document names other places."""
DATA = ("example", "default", "enum", "const", "value")
"""Words whose values are data and no part of the document's own structure."""


class Home(NamedTuple):
    """Where the paths of a document begin."""

    bases: tuple[str, ...]
    """Paths below the user's origin, the likeliest first; where nothing is at one, the next is tried."""
    other: str
    """The origin that the document names instead of the user's; empty where it names none."""


def home(document: Json, path: str, at: str, root: str) -> Home:
    """Where the paths of a document that came from `at` begin, for the scoring path and a server with this root.

    Raises Violation for an address that is none.
    """
    told = list(_told(document, path, urlsplit(at)))
    if not told:
        return Home((root,), "")
    try:
        resolved = [(each, urlsplit(urljoin(at, each))) for each in told]
        literal, found = next((pair for pair in resolved if origin(pair[1]) == origin(urlsplit(at))), resolved[0])
        other = "" if origin(found) == origin(urlsplit(at)) else f"{found.scheme}://{found.netloc.rpartition('@')[2]}"
    except ValueError as e:
        raise Violation(f"The document names an invalid address: {', '.join(told)} ({e})") from e
    below = urlsplit(literal).path.rstrip("/")
    bases = [found.path.rstrip("/")]
    if below.startswith("/"):  # a proxy in front, of which the server knows nothing
        bases.append(root if root.endswith(below) else root + below)
    return Home(tuple(dict.fromkeys([*bases, root] if other or not below else bases)), other)


def origin(address: SplitResult) -> tuple[str, str, int | None]:
    """Scheme, host and port: what must be the same for a key to be meant for it. Raises ValueError."""
    return address.scheme, (address.hostname or "").lower(), address.port or PORTS.get(address.scheme)


def _told(document: Json, path: str, at: SplitResult) -> Iterator[str]:
    """The addresses that the document gives: those of the operation, else of its path, else of all."""
    if "swagger" in document:
        base, host, schemes = (document.get(word) for word in ("basePath", "host", "schemes"))
        below = f"/{str(base or '').lstrip('/')}"
        if host:
            known = [str(each) for each in schemes] if isinstance(schemes, list) and schemes else [at.scheme]
            yield f"{at.scheme if at.scheme in known else known[0]}://{host}{below}"
        elif base:
            yield below
        return
    item = document.get("paths", {}).get(path, {})
    for holder in (item.get("post", {}), item, document):
        servers = holder.get("servers") if isinstance(holder, Mapping) else None
        if isinstance(servers, list) and servers:
            yield from (_filled(server) for server in servers if isinstance(server, Mapping) and server.get("url"))
            return


def _filled(server: Json) -> str:
    """The address with each variable's default in its place."""
    variables = server.get("variables")

    def value(found: re.Match[str]) -> str:
        told = variables.get(found[1]) if isinstance(variables, Mapping) else None
        told = told if isinstance(told, Mapping) else {}
        return str(told.get("default", next(iter(told.get("enum") or ()), "")))

    return VARIABLE.sub(value, str(server["url"]))


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """The document, which holds all that it refers to. Raises NoVerdict where it does not: nothing else is fetched."""
    for reference in _references(document):
        if not reference.startswith("#"):
            what = f"The document refers to {reference}, and nothing is fetched from elsewhere"
            raise NoVerdict(what, hint="Bundle it into one document; --schema can give that")
    return document


def _references(node: Any) -> Iterator[str]:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            yield from (node[word] for word in REFERENCES if isinstance(node.get(word), str))
            stack.extend(value for name, value in node.items() if name not in DATA)
        elif isinstance(node, list):
            stack.extend(node)


def without_addresses(node: Any, within: str = "") -> Any:
    """The document without a word of other places, for readers who would go there. Columns may bear such names."""
    if isinstance(node, list):
        return [without_addresses(each) for each in node]
    if not isinstance(node, Mapping) or within in DATA:
        return node
    if within == "discriminator":
        return {name: value for name, value in node.items() if name != "mapping"}
    named = within in ("properties", "definitions", "schemas", "paths", "responses", "parameters", "headers")
    kept = {name: value for name, value in node.items() if named or name not in ELSEWHERE}
    return {name: without_addresses(value, "" if named else name) for name, value in kept.items()}
