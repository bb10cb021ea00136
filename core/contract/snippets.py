"""Ready-to-run clients of an endpoint. The key is read from `SLIPWAY_KEY`, never written into a snippet.

The request is JSON in ASCII, so that what a language's string must not hold is quotes, backslashes and dollars alone.
"""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from core.contract.samples import body, typical_row
from core.domain.signature import Signature


class Snippet(NamedTuple):
    """A client as people read it: its name, the language for highlighting, the text."""

    title: str
    language: str
    text: str


def snippets(
    scoring_uri: str, signature: Signature, *, form: str = "v1", method: str | None = None
) -> dict[str, Snippet]:
    """Clients by key: each sends one typical row in the form, and prints the reply."""
    request = json.dumps(json.loads(body([typical_row(signature)], form, method)))
    return {
        key: Snippet(title, language, write(scoring_uri, request)) for key, (title, language, write) in WRITERS.items()
    }


ARGUMENT_MAX_CHARS = 100_000
"""Linux takes at most 128 KiB in one argument of a program."""


def _curl(uri: str, request: str) -> str:
    if len(request) > ARGUMENT_MAX_CHARS:
        # The request is one line in ASCII that begins with a brace, so nothing in it ends the document early.
        sent = f"  --data-binary @- <<'REQUEST'\n{request}\nREQUEST\n"
    else:
        sent = f"  --data-raw {shell_word(request)}\n"
    return (
        f"curl {shell_word(uri)} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_KEY" \\\n'
        f"{sent}"
    )


def _python(uri: str, request: str) -> str:
    return (
        "import os\n\n"
        "import requests\n\n"
        f"body = {request!r}\n"
        "reply = requests.post(\n"
        f"    {uri!r},\n"
        "    data=body,\n"
        '    headers={"Content-Type": "application/json", "Authorization": f"Bearer {os.environ[\'SLIPWAY_KEY\']}"},\n'
        "    timeout=60,\n"
        ")\n"
        "reply.raise_for_status()\n"
        "print(reply.text)\n"
    )


def _azure(uri: str, request: str) -> str:
    name = uri.removeprefix("https://").split(".")[0] if uri.startswith("https://") else "NAME-OF-THE-ENDPOINT"
    return (
        "# For the same model on Azure Machine Learning; the client gives the address, and the key unless SLIPWAY_KEY\n"
        "# has it. `online_endpoints.invoke` is left out on purpose: it keeps a deployment header for later calls.\n"
        "import os\n\n"
        "import requests\n"
        "from azure.ai.ml import MLClient\n"
        "from azure.identity import DefaultAzureCredential\n\n"
        f"name = {name!r}\n"
        "client = MLClient.from_config(DefaultAzureCredential())\n"
        'key = os.environ.get("SLIPWAY_KEY") or client.online_endpoints.get_keys(name).primary_key\n'
        f"body = {request!r}\n"
        "reply = requests.post(\n"
        "    client.online_endpoints.get(name).scoring_uri,\n"
        "    data=body,\n"
        '    headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},\n'
        "    timeout=60,\n"
        ")\n"
        "reply.raise_for_status()\n"
        "print(reply.text)\n"
    )


def _javascript(uri: str, request: str) -> str:
    return (
        "// Node 18 or newer: node client.mjs\n"
        f"const reply = await fetch({json.dumps(uri)}, {{\n"
        '  method: "POST",\n'
        "  headers: {\n"
        '    "Content-Type": "application/json",\n'
        "    Authorization: `Bearer ${process.env.SLIPWAY_KEY}`,\n"
        "  },\n"
        f"  body: JSON.stringify({request}),\n"
        "});\n"
        "if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);\n"
        "console.log(JSON.stringify(await reply.json()));\n"
    )


def _csharp(uri: str, request: str) -> str:
    return (
        "using System.Net.Http.Headers;\n"
        "using System.Text;\n\n"
        "using var client = new HttpClient();\n"
        "client.DefaultRequestHeaders.Authorization =\n"
        '    new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("SLIPWAY_KEY"));\n'
        f"var body = {_csharp_text(request)};\n"
        'using var content = new StringContent(body, Encoding.UTF8, "application/json");\n'
        f"using var reply = await client.PostAsync({_csharp_text(uri)}, content);\n"
        "reply.EnsureSuccessStatusCode();\n"
        "Console.WriteLine(await reply.Content.ReadAsStringAsync());\n"
    )


def _r(uri: str, request: str) -> str:
    return (
        "library(httr2)\n\n"
        f"body <- {_r_text(request)}\n"
        f"reply <- request({_r_text(uri)}) |>\n"
        '  req_headers(Authorization = paste("Bearer", Sys.getenv("SLIPWAY_KEY"))) |>\n'
        '  req_body_raw(body, type = "application/json") |>\n'
        "  req_perform()\n"
        "cat(resp_body_string(reply))\n"
    )


def _powershell(uri: str, request: str) -> str:
    return (
        f"$body = {_powershell_text(request)}\n"
        '$headers = @{ Authorization = "Bearer $env:SLIPWAY_KEY" }\n'
        f"Invoke-RestMethod -Method Post -Uri {_powershell_text(uri)} -Headers $headers "
        "-ContentType 'application/json' -Body $body | ConvertTo-Json -Compress\n"
    )


def _ab(uri: str, request: str) -> str:
    return (
        f"printf %s {shell_word(request)} > data.json\n"
        "ab -n 10 -v 4 -p data.json -T 'application/json' \\\n"
        f'  -H "Authorization: Bearer $SLIPWAY_KEY" {shell_word(uri)}\n'
    )


def shell_word(text: str) -> str:
    """Text as one word of a POSIX shell, quoted even where it need not be."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _csharp_text(text: str) -> str:
    """A verbatim string of C#: only its own quote is special, and is doubled."""
    return '@"' + text.replace('"', '""') + '"'


def _r_text(text: str) -> str:
    """A raw string of R 4: as many dashes as make its end unique."""
    dashes = ""
    while f'){dashes}"' in text:
        dashes += "-"
    return f'r"{dashes}({text}){dashes}"'


def _powershell_text(text: str) -> str:
    """A single-quoted string of PowerShell: only its own quote is special, and is doubled."""
    return "'" + text.replace("'", "''") + "'"


WRITERS: Mapping[str, tuple[str, str, Callable[[str, str], str]]] = {
    "curl": ("curl", "bash", _curl),
    "python": ("Python", "python", _python),
    "azure": ("Python, azure-ai-ml", "python", _azure),
    "javascript": ("JavaScript", "javascript", _javascript),
    "csharp": ("C#", "csharp", _csharp),
    "r": ("R", "r", _r),
    "powershell": ("PowerShell", "powershell", _powershell),
    "ab": ("Apache Benchmark", "bash", _ab),
}
"""Key -> title, language, and what writes it from the address and the request."""
