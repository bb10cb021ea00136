"""The baseline of the `azure` profile: what Azure's own scoring services are known to do otherwise, each by name.

Seen on `azureml-inference-server-http` 1.5.1 and in the documents of AutoML services from 2020 to 2023. Whatever is not
named here is a violation there too. There is no baseline for ours.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REFUSALS = frozenset({"positive_data_acceptance", "negative_data_rejection"})
SHAPES = frozenset({"response_schema_conformance", "content_type_conformance", "replies_are_encoded_once"})
BODIES = frozenset(
    {
        "wrong_types_are_refused",
        "missing_columns_are_refused",
        "unknown_columns_are_refused",
        "other_shapes_are_refused",
    }
)
METHODS = frozenset({"unsupported_method", "other_methods_are_refused", "rare_methods_are_refused"})
KEYS = frozenset({"missing_required_header", "negative_data_rejection"})


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer that some check objects to."""

    check: str
    method: str
    path: str
    status: int
    content_type: str
    body: bytes
    reply: bytes
    message: str
    """What the check objects to."""
    keyed: bool
    """Whether the endpoint is examined with a key."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One known deviation."""

    name: str
    about: str
    shown_by: Callable[[Seen], bool]


def known(seen: Seen) -> Deviation | None:
    """The deviation that explains what was seen, if one does."""
    return next((deviation for deviation in DEVIATIONS if deviation.shown_by(seen)), None)


def meant(status: int, reply: bytes) -> tuple[int, bytes]:
    """Status and reply as they were meant: encoded once, and an error as the refusal that it is."""
    inner = _inside(reply)
    if inner is None:
        return status, reply
    if status == 200 and _is_error(inner):
        return 400, json.dumps({"message": inner["error"]}).encode()
    return status, json.dumps(inner).encode()


def _inside(reply: bytes) -> Any:
    """What a JSON string holds that holds JSON itself; None for anything else."""
    try:
        text = json.loads(reply)
        inner = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return inner if isinstance(inner, dict | list) else None


def _is_error(inner: Any) -> bool:
    return isinstance(inner, dict) and set(inner) == {"error"}


def _double_encoded(seen: Seen) -> bool:
    inner = _inside(seen.reply)
    return seen.check in SHAPES and inner is not None and not _is_error(inner)


def _error_as_200(seen: Seen) -> bool:
    return seen.check in SHAPES | REFUSALS and seen.status == 200 and _is_error(_inside(seen.reply))


def _health_as_html(seen: Seen) -> bool:
    healthy = (seen.method, seen.path, seen.reply) == ("GET", "/", b"Healthy")
    return healthy and seen.check in SHAPES and seen.content_type.startswith("text/html")


def _key_in_front(seen: Seen) -> bool:
    return seen.check in KEYS and not seen.keyed and "Authorization" in seen.message


def _loose_document(seen: Seen) -> bool:
    if "Authorization" in seen.message or seen.status >= 500:
        return False
    if seen.check in METHODS:
        return seen.method in ("GET", "HEAD", "OPTIONS") and seen.status != 405
    if seen.check in SHAPES:
        return (seen.path, seen.status) == ("/swagger.json", 200)
    if seen.check == "one_answer_per_row":
        return seen.status == 400 and b'"data":[]' in seen.body
    refused = 400 <= seen.status < 500
    return seen.check in REFUSALS | BODIES and refused == (seen.check == "positive_data_acceptance")


DEVIATIONS = (
    Deviation("error as 200", "AutoML's score script answers its own errors as results.", _error_as_200),
    Deviation("double-encoded reply", "The result is JSON inside a JSON string.", _double_encoded),
    Deviation("health as text/html", "`Healthy` is sent as HTML, the document says text or JSON.", _health_as_html),
    Deviation(
        "key checked in front",
        "The document asks for a key that only a managed endpoint checks, not the inference server behind it.",
        _key_in_front,
    ),
    Deviation(
        "loose document",
        "The document has no categories, ranges or limits, calls keys optional that are needed, allows empty data, "
        "says that it is itself text, and leaves out that values are converted and GET is answered.",
        _loose_document,
    ),
)
