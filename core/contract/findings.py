"""What is wrong with one request body: everything is counted, the first twenty are said."""

from typing import Any, NoReturn

from core.contract.cells import cut, echo
from core.domain.errors import PayloadInvalid, Problem

DETAILS_MAX = 20

NO_ROW = -1


class Findings:
    """The problems of one body. Sentences are made only for those that are kept: a body may hold a million."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Problem] = []

    def say(
        self, problem: str, *, row: int = NO_ROW, column: str = "", code: str = "wrong_shape", value: str = ""
    ) -> None:
        """Add a problem of the whole body, of a row, or of a column in it (whose name may be the client's)."""
        self.count += 1
        if len(self._kept) < DETAILS_MAX:
            self._kept.append(Problem(row, cut(column), problem, code, cut(value)))

    def expected(self, what: str, value: Any, *, row: int = NO_ROW, at: str = "") -> None:
        """Add a problem that shows the value which came instead."""
        self.count += 1
        if len(self._kept) < DETAILS_MAX:
            self._kept.append(Problem(row, "", f"{at}{': ' if at else ''}expected {what}, got {echo(value)}"))

    def refuse(self, *, cause: BaseException | None = None) -> NoReturn:
        """Raise PayloadInvalid with what was found."""
        kept = sorted(self._kept, key=lambda p: p.row)
        first = kept[0]
        where = [f"row {first.row}"] * (first.row != NO_ROW) + [f"column '{first.column}'"] * bool(first.column)
        said = ": ".join(filter(None, [", ".join(where), first.problem]))
        plural = "problem" if self.count == 1 else "problems"
        message = f"{self.count} {plural} in the request body; the first: {said}"
        raise PayloadInvalid(message, details=tuple(kept)) from cause


def refuse_one(problem: str, *, cause: BaseException | None = None, code: str = "wrong_shape") -> NoReturn:
    """Raise PayloadInvalid for the one problem that hides all others."""
    findings = Findings()
    findings.say(problem, code=code)
    findings.refuse(cause=cause)
