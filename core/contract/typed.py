"""The quick way from a valid body to columns: msgspec decodes records straight into a type made from the signature.

It may only refuse, never explain, and refuses some valid bodies too (`1.0` where an integer belongs, the MLflow form):
whatever it refuses is decided by `core.contract.thorough`. A property test holds that both agree on what they accept.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from core.contract.cells import FLOAT64_MAX, INT64_MAX, INT64_MIN
from core.contract.forms import ScoreRequest
from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

Method = Literal["predict", "predict_proba"]

TYPES: dict[ColumnKind, Any] = {
    ColumnKind.INTEGER: Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)],
    # Exclusive: a number at the border may have been rounded to it, and only the thorough way can tell.
    ColumnKind.NUMBER: Annotated[float, msgspec.Meta(gt=-FLOAT64_MAX, lt=FLOAT64_MAX)],
    ColumnKind.BOOLEAN: bool,
    ColumnKind.STRING: str,
}


class _Parameters(msgspec.Struct, forbid_unknown_fields=True):
    method: Method = "predict"


class TypedDecoder:
    """Decodes the v1 and v2 forms of one signature, with every type, level and range checked while parsing."""

    def __init__(self, signature: Signature, *, accept_unseen: bool) -> None:
        # The model's columns first: a row's tuple then begins with them.
        columns = (*signature.used, *(c for c in signature.columns if not c.used))
        self._width, self._methods = len(signature.used), signature.methods
        self._decoder = _decoder(columns, accept_unseen=accept_unseen)

    def __call__(self, body: bytes) -> ScoreRequest | None:
        """The request, or None when the body is not plainly valid."""
        if self._decoder is None:
            return None
        try:
            top = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if top.Inputs is top.GlobalParameters is UNSET and top.data is not UNSET:
            return self._request(top.data, "v1", top.method)
        if top.data is top.method is UNSET and top.Inputs is not UNSET:
            parameters = top.GlobalParameters
            return self._request(top.Inputs.data, "v2", UNSET if parameters is UNSET else parameters.method)
        return None

    def _request(self, rows: list[Any], form: str, method: str | UnsetType) -> ScoreRequest | None:
        wanted = self._methods[0] if method is UNSET else str(method)
        if wanted not in self._methods:
            return None
        if rows:
            columns = tuple(map(list, zip(*map(msgspec.structs.astuple, rows), strict=True)))[: self._width]
        else:
            columns = tuple([] for _ in range(self._width))
        return ScoreRequest(wanted, form, len(rows), columns)


def _decoder(columns: tuple[Column, ...], *, accept_unseen: bool) -> msgspec.json.Decoder[Any] | None:
    """A decoder of whole bodies; None when a column's name cannot be a field (quotes, backslashes, controls)."""
    names = {f"c{i}": column.name for i, column in enumerate(columns)}
    fields = [_field(f"c{i}", column, accept_unseen=accept_unseen) for i, column in enumerate(columns)]
    try:
        row = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)
    except ValueError:
        return None
    inputs = msgspec.defstruct("Inputs", [("data", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]
    top = msgspec.defstruct(
        "Body",
        [
            ("data", list[row] | UnsetType, UNSET),  # type: ignore[valid-type]
            ("method", Method | UnsetType, UNSET),
            ("Inputs", inputs | UnsetType, UNSET),
            ("GlobalParameters", _Parameters | UnsetType, UNSET),
        ],
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(top)


def _field(field: str, column: Column, *, accept_unseen: bool) -> Any:
    if not column.used:
        return field, Scalar | None, None
    kind = Literal[column.levels] if column.closed and not accept_unseen else TYPES[column.kind]
    return (field, kind | None, None) if column.nullable else (field, kind)
