"""Ready-to-run clients that start a run of a pipeline. The key is read from `SLIPWAY_KEY`, never written into one."""

import json
from collections.abc import Mapping
from typing import Any

from core.contract.snippets import WRITERS, Snippet, shell_word

SAME = ("javascript", "csharp", "r", "powershell")
"""Languages in which a run is started as an endpoint is asked: a body is posted, and the reply printed."""


def pipeline_snippets(
    trigger_uri: str, parameters: Mapping[str, Any], *, experiment_name: str = "by-rest"
) -> dict[str, Snippet]:
    """Clients by key: each starts a run with these values, and prints its id.

    `parameters` are what a caller wants otherwise than published; none need be given.
    """
    assigned = {"ParameterAssignments": dict(parameters)} if parameters else {}
    body: dict[str, Any] = {"ExperimentName": experiment_name, **assigned}
    request = json.dumps(body)
    others = {key: Snippet(title, language, write(trigger_uri, request)) for key, (title, language, write) in _SAME}
    return {
        "curl": Snippet("curl", "bash", WRITERS["curl"][2](trigger_uri, request)),
        "python": Snippet("Python", "python", _python(trigger_uri, body)),
        "az": Snippet("Azure CLI", "bash", _az(trigger_uri, parameters, experiment_name)),
        **others,
    }


_SAME = [(key, WRITERS[key]) for key in SAME]


def _python(uri: str, body: Mapping[str, Any]) -> str:
    """As Azure ML's own samples call a published pipeline: only address and header are others."""
    return (
        "import os\n\n"
        "import requests\n\n"
        f"rest_endpoint = {uri!r}\n"
        'auth_header = {"Authorization": f"Bearer {os.environ[\'SLIPWAY_KEY\']}"}\n'
        f"response = requests.post(rest_endpoint, headers=auth_header, json={body!r}, timeout=60)\n"
        "response.raise_for_status()\n"
        'run_id = response.json().get("Id")\n'
        "print(run_id)\n\n"
        f"run = requests.get(f{uri.partition('?')[0] + '/{run_id}'!r}, headers=auth_header, timeout=60).json()\n"
        'print(run["state"])\n'
    )


def _az(uri: str, parameters: Mapping[str, Any], experiment_name: str) -> str:
    """The body of a batch endpoint, sent by Azure's command line, which must not add a header of its own."""
    inputs = {name: {"jobInputType": "Literal", "value": value} for name, value in parameters.items()}
    request = json.dumps({"properties": {"inputData": inputs, "experimentName": experiment_name}})
    return (
        f"az rest --method post --url {shell_word(uri)} \\\n"
        "  --skip-authorization-header \\\n"
        '  --headers "Authorization=Bearer $SLIPWAY_KEY" "Content-Type=application/json" \\\n'
        f"  --body {shell_word(request)}\n"
    )
