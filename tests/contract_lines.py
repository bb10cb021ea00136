"""The numbered lines of the scoring contract."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "scoring-contract.md"
LINE = re.compile(r"^- \*\*([A-Z]\d+)\*\* ", re.MULTILINE)


def lines() -> list[str]:
    """Their numbers, in the document's order."""
    return LINE.findall(DOCUMENT.read_text("utf-8"))
