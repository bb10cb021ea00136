"""A file of outcomes, as it was sent or uploaded: CSV with the columns `request_id`, `row` and `outcome`."""

import csv
import io
from collections.abc import Iterator, Sequence

from core.domain.errors import SpecInvalid
from core.domain.outcomes import Outcome

NAMES = {
    "request_id": ("request_id", "request id", "x-request-id"),
    "row": ("row",),
    "actual": ("outcome", "actual", "truth"),
}
"""What each column may be called, in any case."""
HINT = "Columns: request_id, row (from 0, within the request; may be left out: 0), outcome"
FAULTS_MAX = 5


def read_feedback(content: bytes) -> tuple[Outcome, ...]:
    """Every outcome of a file, separated by commas, semicolons or tabs. Raises SpecInvalid, which names the lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecInvalid("The file is not UTF-8", hint="Save it as CSV UTF-8") from error
    lines = text.splitlines()
    if not lines:
        raise SpecInvalid("The file is empty", hint=HINT)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(lines[0]), strict=True)
    faults: list[str] = []
    try:
        places = _places(next(rows))
        found = tuple(_outcomes(rows, places, faults))
    except csv.Error as error:
        raise SpecInvalid(f"The file is no CSV: line {rows.line_num}: {error}", hint=HINT) from error
    if faults:
        more = f"; and {len(faults) - FAULTS_MAX} more" if len(faults) > FAULTS_MAX else ""
        raise SpecInvalid("; ".join(faults[:FAULTS_MAX]) + more, hint=HINT)
    if not found:
        raise SpecInvalid("The file holds no outcome", hint=HINT)
    return found


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _places(header: Sequence[str]) -> dict[str, int]:
    """Where each column stands."""
    said = [name.strip().lower() for name in header]
    places = {name: said.index(alias) for name, aliases in NAMES.items() for alias in aliases if alias in said}
    if missing := [NAMES[name][0] for name in ("request_id", "actual") if name not in places]:
        raise SpecInvalid(f"The file has no column {' and no column '.join(missing)}", hint=HINT)
    return places


def _outcomes(rows: "Iterator[list[str]]", places: dict[str, int], faults: list[str]) -> Iterator[Outcome]:
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            yield _outcome(row, places)
        except (SpecInvalid, ValueError, IndexError) as error:
            faults.append(f"Line {number}: {_why(error)}")


def _outcome(row: Sequence[str], places: dict[str, int]) -> Outcome:
    at = int(row[places["row"]]) if "row" in places else 0
    return Outcome(row[places["request_id"]].strip(), at, row[places["actual"]].strip())


def _why(error: Exception) -> str:
    if isinstance(error, SpecInvalid):
        return error.message
    return "too few cells" if isinstance(error, IndexError) else "row is no whole number"
