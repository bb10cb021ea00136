"""The thorough way through a body: accepts all that the contract allows, and says everything that is wrong."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.contract.cells import MISSING, REFUSED, CellCheck, cut
from core.contract.envelope import Envelope, array, open_envelope, parse, rows_of
from core.contract.findings import DETAILS_MAX, Findings
from core.contract.forms import ScoreRequest
from core.domain.signature import Signature


class Table(NamedTuple):
    """The rows that could be read, by column: `numbers[k]` is the row of the body in which cell `k` stands."""

    numbers: Sequence[int]
    cells: Sequence[tuple[CellCheck, list[Any]]]


class ThoroughDecoder:
    """Decodes any of the three forms of one signature."""

    def __init__(self, signature: Signature, *, max_rows: int, accept_unseen: bool) -> None:
        self._max_rows = max_rows
        self._methods = signature.methods
        self._checks = tuple(CellCheck(c, accept_unseen=accept_unseen) for c in signature.columns)
        self._names = frozenset(c.name for c in signature.columns)
        self._target = signature.target
        self._close = {_plain(name): name for name in self._names}

    def __call__(self, body: bytes) -> ScoreRequest:
        """The request. Raises PayloadInvalid with all problems, PayloadTooLarge for too many rows."""
        findings = Findings()
        envelope = open_envelope(parse(body), self._methods, findings)
        rows = rows_of(envelope, self._max_rows, findings)
        read = self._split if envelope.form == "mlflow" else self._records
        table = read(envelope, rows, findings)
        checked = [check.values(values) for check, values in table.cells]
        _find_refused(table, checked, findings)
        if findings.count:
            findings.refuse()
        used = tuple(v for (check, _), v in zip(table.cells, checked, strict=True) if check.column.used)
        return ScoreRequest(envelope.method, envelope.form, len(rows), used)

    def _records(self, _: Envelope, rows: Sequence[Any], findings: Findings) -> Table:
        """Rows as objects, key order free."""
        numbered = [(i, row) for i, row in enumerate(rows) if isinstance(row, dict)]
        if len(numbered) < len(rows):
            for i, row in enumerate(rows):
                if not isinstance(row, dict):
                    findings.expected("an object", row, row=i)
        for i, row in numbered:
            if not row.keys() <= self._names:
                for name in row.keys() - self._names:
                    findings.say(self._unknown(name), row=i, column=name, code="unknown_column", value=name)
        cells = [(c, [row.get(c.column.name, MISSING) for _, row in numbered]) for c in self._checks]
        return Table([i for i, _ in numbered], cells)

    def _split(self, envelope: Envelope, rows: Sequence[Any], findings: Findings) -> Table:
        """Rows as arrays, with the columns named once, in any order."""
        names = array(envelope.holder, "columns", envelope.where, findings)
        if "index" in envelope.holder:
            array(envelope.holder, "index", envelope.where, findings)
        before = findings.count
        self._check_names(names, findings)
        _check_widths(rows, len(names), findings)
        if findings.count > before:
            return Table((), ())  # positions mean nothing until names and widths are right
        place = {name: i for i, name in enumerate(names)}
        cells = [
            (c, [MISSING] * len(rows) if (i := place.get(c.column.name)) is None else [row[i] for row in rows])
            for c in self._checks
        ]
        return Table(range(len(rows)), cells)

    def _unknown(self, name: str) -> str:
        """Why a name is refused, and what was probably meant."""
        if name == self._target:
            return "the target of this model, not an input: leave it out"
        near = self._close.get(_plain(name))
        return f"not a column of this model; did you mean '{cut(near)}'?" if near else "not a column of this model"

    def _check_names(self, names: Sequence[Any], findings: Findings) -> None:
        for name in names:
            if not isinstance(name, str):
                findings.expected("a string", name, at="input_data.columns")
        texts = Counter(name for name in names if isinstance(name, str))
        for name, count in texts.items():
            if name not in self._names:
                findings.say(self._unknown(name), column=name, code="unknown_column", value=name)
            if count > 1:
                findings.say("named twice", column=name, code="named_twice")
        for check in self._checks:
            if check.required and check.column.name not in texts:
                findings.say("required, but missing", column=check.column.name, code="required")


def _plain(name: str) -> str:
    """A name without its case and blanks."""
    return "".join(name.casefold().split())


def _check_widths(rows: Sequence[Any], width: int, findings: Findings) -> None:
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            findings.expected("an array", row, row=i)
        elif len(row) != width:
            findings.say(f"expected {width} values, one per column, got {len(row)}", row=i)


def _find_refused(table: Table, checked: Sequence[Sequence[Any]], findings: Findings) -> None:
    """Add the refused cells, row by row."""
    refused = [
        (k, column)
        for column, values in enumerate(checked)
        if REFUSED in values
        for k, value in enumerate(values)
        if value is REFUSED
    ]
    refused.sort()
    for k, column in refused[:DETAILS_MAX]:
        check, values = table.cells[column]
        code, unseen = check.code(values[k])
        said, row = check.problem(values[k]), table.numbers[k]
        findings.say(said, row=row, column=check.column.name, code=code, value=unseen)
    findings.count += max(0, len(refused) - DETAILS_MAX)
