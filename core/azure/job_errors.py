"""Why jobs of Azure's fail, and the way out of what its users run into most."""

import re
from collections.abc import Mapping
from typing import Any

HINTS: Mapping[str, str] = {
    r"quota|core ?limit|not enough cores": "Ask for more cores in Azure's portal (Quotas), or choose a smaller"
    " SLIPWAY_AZURE_COMPUTE_SIZE",
    r"compute.*(not found|does ?n.t exist)|computetargetnotfound": "`compute list` shows the clusters that are there",
    r"(experiment|iteration).*time(d)? ?out|no (model|pipeline) .*(completed|trained)|no scores": "Give it more time:"
    " no trial ended within the limit",
    r"memory": "Choose a larger SLIPWAY_AZURE_COMPUTE_SIZE, or fewer columns",
    r"authoriz|permission|access.*denied|forbidden": "The workspace's identity may not read the storage; 'python -m"
    " core doctor --workspace azure' looks at it",
    r"target column|label column|missing.*column": "`data profile` shows the table's columns",
    r"mltable|input data": "Register the table again: AutoML reads MLTable alone",
}
"""What is said, by a pattern -> what to do."""
OTHERWISE = "`job logs` shows what it wrote"


def hint_of(found: Any, message: str) -> str:
    """What to do about a failure, by its code and its words."""
    said = f"{_code(found)} {message}"
    return next((hint for pattern, hint in HINTS.items() if re.search(pattern, said, re.IGNORECASE)), OTHERWISE)


def _code(found: Any) -> str:
    """All codes of an error, from the outer to the inner ones."""
    codes: list[str] = []
    while isinstance(found, dict):
        codes.append(str(found.get("code") or ""))
        found = found.get("error") or found.get("innerError")
    return " ".join(codes)
