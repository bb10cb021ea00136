"""The outer shape of a request body: which form it is, its method, and where its rows are."""

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from core.contract.cells import cut, echo
from core.contract.findings import Findings, refuse_one
from core.domain.errors import PayloadTooLarge


class Form(NamedTuple):
    """The keys of one form. `parameters` is the key beside the rows, `fields` what the object with the rows holds."""

    parameters: str
    fields: tuple[str, ...]


# The first key of each form is the one that names it.
FORM_OF = {"data": "v1", "Inputs": "v2", "input_data": "mlflow"}
FORMS = {
    "data": Form("method", ()),
    "Inputs": Form("GlobalParameters", ("data",)),
    "input_data": Form("params", ("columns", "index", "data")),
}


FOREIGN = {
    **dict.fromkeys(("nan", "inf", "infinity"), "send null for a missing number"),
    **dict.fromkeys(("none", "null", "nil", "na", "undefined"), "send null"),
    "true": "send true",
    "false": "send false",
    "'": "names and strings need double quotes",
}
"""What other languages write where JSON has its own word."""
FOREIGN_CHARS_MAX = 12
WORD = re.compile(rb"(?<=[:,\[{\s])([-+]?[A-Za-z]+|')")


class Envelope(NamedTuple):
    """A body opened: `holder` has the rows under "data" (and the columns beside them in the MLflow form)."""

    form: str
    method: str
    holder: Mapping[str, Any]
    where: str
    """The holder's path in the body with its dot, for sentences about it; empty at the top."""


def parse(body: bytes) -> Any:
    """The body as JSON, a byte order mark before it ignored (RFC 8259, 8.1).

    Raises PayloadInvalid when it is not UTF-8 or not JSON.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        if not body.isascii():
            body.decode()
        return msgspec.json.decode(body)
    except UnicodeDecodeError as e:
        refuse_one(f"not UTF-8: byte {e.start} is {body[e.start]:#04x}", cause=e, code="not_json")
    except RecursionError as e:
        refuse_one("not a request: nested too deeply", cause=e)
    except msgspec.ValidationError as e:  # well-formed, so what is left are numbers that no 64-bit type holds
        refuse_one(f"expected 64-bit numbers: {e}", cause=e, code="out_of_range")
    except msgspec.DecodeError as e:
        refuse_one(_malformed(body, str(e)) if body else "the body is empty", cause=e, code="not_json")


def _malformed(body: bytes, said: str) -> str:
    """What is wrong with a body that is no JSON: in plain words for what other languages write, else the parser's."""
    found = re.search(r"\(byte (\d+)\)", said)
    at = int(found[1]) if found else len(body)
    start = max(0, at - FOREIGN_CHARS_MAX)  # the parser reads some letters of a word before it gives up
    for word in reversed(list(WORD.finditer(body, start, at + FOREIGN_CHARS_MAX))):
        text = word[0].decode()
        advice = FOREIGN.get(text.lstrip("-+").lower(), "")
        if advice and word.start() <= at:
            return f"{text} is not JSON (byte {word.start()}): {advice}"
    return f"not JSON: {said.removeprefix('JSON is malformed: ')}"


def open_envelope(top: Any, methods: Sequence[str], findings: Findings) -> Envelope:
    """The form, method and rows of a parsed body; what is wrong around the rows is added to `findings`.

    Raises PayloadInvalid when the form cannot be told.
    """
    if not isinstance(top, dict):
        refuse_one(f"expected an object with 'data', 'Inputs' or 'input_data', got {echo(top)}")
    keys = [key for key in FORMS if key in top]
    if len(keys) != 1:
        found = " and ".join(keys) if keys else f"the keys {cut(', '.join(top)) or 'of an empty object'}"
        refuse_one(f"expected exactly one of 'data', 'Inputs' and 'input_data', got {found}")
    key = keys[0]
    parameters, fields = FORMS[key]
    _unknown_keys(top, (key, parameters), "", findings)
    if not fields:
        return Envelope(FORM_OF[key], _method(top, methods, "", findings), top, "")
    holder = _object(top, key, findings)
    _unknown_keys(holder, fields, f"{key}.", findings)
    method = _method(_object(top, parameters, findings, only="method"), methods, f"{parameters}.", findings)
    return Envelope(FORM_OF[key], method, holder, f"{key}.")


def array(holder: Mapping[str, Any], key: str, where: str, findings: Findings) -> Sequence[Any]:
    """The array under `key`; empty, with a problem, when there is none."""
    value = holder.get(key)
    if isinstance(value, list):
        return value
    if key in holder:
        findings.expected("an array", value, at=f"{where}{key}")
    else:
        findings.say(f"{where}{key}: required, but missing")
    return ()


def rows_of(envelope: Envelope, max_rows: int, findings: Findings) -> Sequence[Any]:
    """The rows as they stand in the body. Raises PayloadTooLarge for more than `max_rows`."""
    rows = array(envelope.holder, "data", envelope.where, findings)
    if len(rows) > max_rows:
        raise too_many_rows(len(rows), max_rows)
    return rows


def too_many_rows(rows: int, max_rows: int) -> PayloadTooLarge:
    """What is said to a request of more rows than are taken."""
    return PayloadTooLarge(
        f"{rows} rows in one request, at most {max_rows} are accepted", hint="Send them in several requests"
    )


def _object(top: Mapping[str, Any], key: str, findings: Findings, *, only: str = "") -> Mapping[str, Any]:
    """The object under `key`. With `only` the key is optional, and that is all the object may hold.

    Raises PayloadInvalid when it is no object: nothing can be said of what is inside then.
    """
    value = top.get(key, {})
    if not isinstance(value, dict):
        findings.expected("an object", value, at=key)
        findings.refuse()
    if only:
        _unknown_keys(value, (only,), f"{key}.", findings)
    return value


def _method(holder: Mapping[str, Any], methods: Sequence[str], where: str, findings: Findings) -> str:
    method = holder.get("method", methods[0])
    if method not in methods:
        findings.expected(" or ".join(f'"{name}"' for name in methods), method, at=f"{where}method")
        return methods[0]
    return str(method)


def _unknown_keys(found: Mapping[str, Any], known: Sequence[str], where: str, findings: Findings) -> None:
    for key in found:
        if key not in known:
            findings.say(f"{where}{cut(key)}: unknown key, expected {' or '.join(known)}")
