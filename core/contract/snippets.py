"""Ready-to-run clients of an endpoint. The key is read from `SLIPWAY_KEY`, never written into a snippet."""

from core.contract.samples import body, typical_row
from core.domain.signature import Signature


def snippets(scoring_uri: str, signature: Signature) -> dict[str, str]:
    """Clients by name: `curl`, `python` (standard library only) and `ab` (ApacheBench, ten requests)."""
    request = body([typical_row(signature)]).decode()
    return {
        "curl": _curl(scoring_uri, request),
        "python": _python(scoring_uri, request),
        "ab": _ab(scoring_uri, request),
    }


def _curl(uri: str, request: str) -> str:
    return (
        f"curl {_quoted(uri)} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_KEY" \\\n'
        f"  --data-raw {_quoted(request)}\n"
    )


def _python(uri: str, request: str) -> str:
    return (
        "import os\n"
        "import urllib.request\n\n"
        f"body = {request!r}\n"
        "request = urllib.request.Request(\n"
        f"    {uri!r},\n"
        "    data=body.encode(),\n"
        '    headers={"Content-Type": "application/json", "Authorization": f"Bearer {os.environ[\'SLIPWAY_KEY\']}"},\n'
        ")\n"
        "with urllib.request.urlopen(request) as reply:\n"
        "    print(reply.read().decode())\n"
    )


def _ab(uri: str, request: str) -> str:
    return (
        f"printf %s {_quoted(request)} > data.json\n"
        "ab -n 10 -v 4 -p data.json -T 'application/json' \\\n"
        f'  -H "Authorization: Bearer $SLIPWAY_KEY" {_quoted(uri)}\n'
    )


def _quoted(text: str) -> str:
    """Text as one word of a POSIX shell, quoted even where it need not be."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
