"""Bytes to columns and probabilities to bytes: the pure edge of a scoring request."""

import json
from typing import Any

import msgspec
import numpy as np

from core.contract import size
from core.contract.decision import decide
from core.contract.envelope import too_many_rows
from core.contract.findings import DETAILS_MAX, refuse_one
from core.contract.forms import ScoreRequest
from core.contract.thorough import ThoroughDecoder
from core.contract.typed import TypedDecoder
from core.domain.errors import PayloadInvalid, SlipwayError
from core.domain.signature import Signature

__all__ = ["Decoder", "ScoreRequest", "encode_error", "encode_reply"]

ROW_BYTES_MIN = 3
"""A row takes so many bytes at the least, with its comma."""
OUTER_OBJECTS_MAX, OUTER_ARRAYS_MAX = 3, 3
"""So many objects, and arrays, a request has around its rows."""
SPARE_VALUES = 100_000
"""A few MB, whatever they are."""


class Decoder:
    """Turns request bodies of one signature into columns. Built once per deployment; safe to share between threads.

    `accept_unseen` opens every closed column: an unknown level is then scored as unseen.
    """

    def __init__(self, signature: Signature, *, max_rows: int = 10_000, accept_unseen: bool = False) -> None:
        self._max_rows = max_rows
        self._few_bytes = ROW_BYTES_MIN * max_rows
        """A body that is no longer has no more rows than are accepted."""
        self._max_values = SPARE_VALUES + 2 * max_rows * (len(signature.columns) + 1)
        """More than a request has whose rows are that many: then it is none, and need not be built to be refused."""
        self._typed = TypedDecoder(signature, accept_unseen=accept_unseen)
        self._thorough = ThoroughDecoder(signature, max_rows=max_rows, accept_unseen=accept_unseen)

    def __call__(self, body: bytes) -> ScoreRequest:
        """The request in `body`.

        Raises PayloadInvalid that lists every problem at once, PayloadTooLarge for more rows than `max_rows`.
        """
        if len(body) > self._few_bytes:
            return self._perhaps_many(body)
        request = self._typed(body)
        return self._thorough(body) if request is None else request

    def _perhaps_many(self, body: bytes) -> ScoreRequest:
        request = self._typed(body) if self._may_be_typed(body) else None
        if request is None or request.rows > self._max_rows:
            self._check_size(body)
            return self._thorough(body)
        return request

    def _may_be_typed(self, body: bytes) -> bool:
        """Whether the rows, where they are objects, are few enough; told by the bytes, before they are built."""
        if body.count(b"{") <= self._max_rows + OUTER_OBJECTS_MAX:
            return True
        found = size.rows(body)
        if found is not None and found > self._max_rows:
            raise too_many_rows(found, self._max_rows)
        return found is not None

    def _check_size(self, body: bytes) -> None:
        """Raise what is too large to be built, PayloadTooLarge or PayloadInvalid."""
        if body.count(b"[") > self._max_rows + OUTER_ARRAYS_MAX:
            found = size.rows(body)
            if found is not None and found > self._max_rows:
                raise too_many_rows(found, self._max_rows)
        if sum(map(body.count, (b",", b"[", b"{"))) > self._max_values and size.values(body) > self._max_values:
            refuse_one(f"more values than {self._max_rows} rows of this model have", code="too_many_values")


def encode_reply(
    request: ScoreRequest, signature: Signature, probabilities: np.ndarray, *, legacy_reply: bool = False
) -> bytes:
    """The reply to a request, in its form. `probabilities` is rows x classes, in the order of the classes; of a
    model that gives numbers, rows x 1.

    `legacy_reply` encodes the reply to the v1 form twice, as early AutoML services did.
    """
    wants_classes = request.method == "predict"
    results: list[Any] = decide(signature, probabilities) if wants_classes else probabilities.tolist()
    if request.form == "mlflow":
        return msgspec.json.encode(results)
    if request.form == "v2":
        return msgspec.json.encode({"Results": results})
    if legacy_reply:
        return json.dumps(json.dumps({"result": results})).encode()
    return msgspec.json.encode({"result": results})


def encode_error(error: SlipwayError) -> bytes:
    """The one shape of every refusal: a message, and the problems of a body where there are any."""
    problems = error.details[:DETAILS_MAX] if isinstance(error, PayloadInvalid) else ()
    details = [{"row": each.row, "column": each.column, "problem": each.problem} for each in problems]
    message = f"{error.message}. {error.hint}" if error.hint else error.message
    return msgspec.json.encode({"message": message, "details": details})
