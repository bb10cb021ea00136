"""The baseline of the `azure` profile: what Azure's own scoring services are known to do otherwise, each by name.

Seen on `azureml-inference-server-http` 1.5.1 and in the documents of AutoML services from 2020 to 2023. Whatever is not
named here is a violation there too. There is no baseline for ours.

Azure's front door makes 424 of whatever the model's server refuses; what is judged is the server's own status, which
stands in a header (`core.loadtest.way`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.checks.probe.encoding import inside, is_error

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
class Objection:
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
    shown_by: Callable[[Objection], bool]


def known(objection: Objection) -> Deviation | None:
    """The deviation that explains what was seen, if one does."""
    return next((deviation for deviation in DEVIATIONS if deviation.shown_by(objection)), None)


def _double_encoded(objection: Objection) -> bool:
    inner = inside(objection.reply)
    return objection.check in SHAPES and inner is not None and not is_error(inner)


def _error_as_200(objection: Objection) -> bool:
    return objection.check in SHAPES | REFUSALS and objection.status == 200 and is_error(inside(objection.reply))


def _health_as_html(objection: Objection) -> bool:
    healthy = (objection.method, objection.path, objection.reply) == ("GET", "/", b"Healthy")
    return healthy and objection.check in SHAPES and objection.content_type.startswith("text/html")


def _key_in_front(objection: Objection) -> bool:
    return objection.check in KEYS and not objection.keyed and "Authorization" in objection.message


def _front_door(objection: Objection) -> bool:
    plain = objection.status == 401 and objection.reply.startswith(b"key_auth")
    return plain and objection.check in SHAPES | {"errors_have_one_shape"}


def _key_everywhere(objection: Objection) -> bool:
    return objection.check == "open_operations_need_no_key" and objection.status == 401


def _loose_document(objection: Objection) -> bool:
    if "Authorization" in objection.message or objection.status >= 500:
        return False
    if objection.check in METHODS:
        return objection.method in ("GET", "HEAD", "OPTIONS") and objection.status != 405
    if objection.check in SHAPES:
        return (objection.path, objection.status) == ("/swagger.json", 200)
    if objection.check == "one_answer_per_row":
        return objection.status == 400 and b'"data":[]' in objection.body
    refused = 400 <= objection.status < 500
    return objection.check in REFUSALS | BODIES and refused == (objection.check == "positive_data_acceptance")


DEVIATIONS = (
    Deviation("error as 200", "AutoML's score script answers its own errors as results.", _error_as_200),
    Deviation("double-encoded reply", "The result is JSON inside a JSON string.", _double_encoded),
    Deviation("health as text/html", "`Healthy` is sent as HTML, the document says text or JSON.", _health_as_html),
    Deviation("plain front door", "Azure's front door refuses a wrong key in plain text, not in JSON.", _front_door),
    Deviation("key for everything", "Azure's front door asks for the key at every path, open or not.", _key_everywhere),
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
