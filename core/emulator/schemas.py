"""The host of the SDK's JSON schemas: what `data.create_or_update` asks for before it sends a table's description."""

from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

MLTABLE: Document = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "MLTable",
    "type": "object",
    "required": ["paths"],
    "properties": {
        "$schema": {"type": "string"},
        "type": {"type": "string"},
        "paths": {"type": "array"},
        "transformations": {"type": "array"},
        "metadata": {"type": "object"},
    },
}
"""No deeper than its first level: for an error below, the SDK cannot write where it is."""


def schema(emulation: Emulation, request: Request) -> Reply:
    """The one that the SDK asks for. Nobody needs a token for it."""
    name = request.found["name"].rpartition("/")[2]
    if name.lower() != "mltable.schema.json":
        raise AzureError(404, "BlobNotFound", f"The emulation has no schema '{name}'; the SDK has its own")
    return Reply(body=MLTABLE)


ROUTES = (Route("GET", "schemas", "/{name:rest}", schema),)
