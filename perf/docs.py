"""Tables in the documentation that a measurement writes, between two comments that name it."""

from pathlib import Path


class MarkersMissing(Exception):
    """The page has no place for this table."""


def write_between(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. Raises MarkersMissing."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise MarkersMissing(f"{page.name} has no lines '{begin.strip()}' and '{end.strip()}'")
    page.write_text(before + begin + text + end + after, "utf-8")
