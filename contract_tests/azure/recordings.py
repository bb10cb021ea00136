"""Microsoft's own recordings of the SDK at work on Azure."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from contract_tests.azure.validation import Exchange, parsed


def entries(path: Path) -> Iterator[tuple[str, Exchange]]:
    """(host, exchange) of a recording, in its order."""
    for each in json.loads(path.read_bytes())["Entries"]:
        address = urlsplit(each["RequestUri"])
        yield (
            address.netloc.lower(),
            Exchange(
                each["RequestMethod"],
                unquote(address.path),
                dict(parse_qsl(address.query, keep_blank_values=True)),
                parsed(each.get("RequestBody")),
                each["StatusCode"],
                parsed(each.get("ResponseBody")),
            ),
        )
