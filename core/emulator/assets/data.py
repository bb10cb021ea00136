"""Data assets: files, folders and tables under a name and a version."""

from core.emulator.assets.uris import long_uri
from core.emulator.assets.versions import Asset
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document

TYPES = {"uri_file": "uri_file", "uri_folder": "uri_folder", "mltable": "mltable"}
USUAL: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False}


def make(emulation: Emulation, wanted: Document, sent: Document) -> Document:
    """Raises AzureError 400 for a type that there is not, and for one without an address."""
    kind = TYPES.get(str(sent.get("dataType", "uri_folder")).lower())
    if kind is None:
        raise AzureError(400, "UserError", f"The data type '{sent.get('dataType')}' is none of {', '.join(TYPES)}")
    uri = str(sent.get("dataUri") or "")
    if not uri:
        raise AzureError(400, "UserError", "A data asset needs a dataUri")
    own = {"dataUri": long_uri(emulation, uri, is_folder=kind != "uri_file"), "dataType": kind}
    more = {"referencedUris": sent.get("referencedUris") or []} if kind == "mltable" else {}
    return sent | own | more


ASSET = Asset("data", "data version", ("dataUri", "dataType"), make, USUAL)
KINDS = ASSET.kinds()
