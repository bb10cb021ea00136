"""Where the answers stand in a reply: as the document tells, and taken out of what came back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.checks.forms import ONE
from core.checks.schema import Json, flat

USUAL = {
    "v1": "result",
    "v2": "Results",
    "mlflow": "",
    "dataframe_records": "predictions",
    "instances": "predictions",
}
"""Form -> the key of the reply that holds its answers; empty where the reply is the list itself."""
MAIN = (
    re.compile(r"(?i)predict|result|output|answer"),
    re.compile(r"(?i)label|score|prob|value|class"),
    re.compile(""),
)
"""What the list of answers is called, the likeliest first."""
BESIDE = re.compile(r"(?i)prob|chance|likelihood|score|confiden")
"""Lists by such a name hold something about each answer."""
MOMENTARY = re.compile(
    r"(?:^|_)(?:id|uuid|guid|timestamp|datetime|time|at|ms|took|latency|duration|elapsed|trace)(?:_|$)"
)
"""Names of what belongs to the request and not to the row: it differs each time, and may."""


def reply_keys(document: Json, form: str, replies: Sequence[Json]) -> tuple[str, ...]:
    """The lists of a reply that hold an answer a row; `("",)` where the reply is that list, none for `ONE`.

    As the form is usually answered, unless the document knows only other replies.
    """
    if form == ONE:
        return ()
    told = [reply for reply in replies if reply.get("type") == "array" or reply.get("properties")]
    usual = USUAL.get(form, "" if any(reply.get("type") == "array" for reply in told) else None)
    encoded_twice = any(reply.get("type") == "string" for reply in replies)  # nothing is told of what is inside
    if not told or encoded_twice or (usual == "" and any(_answers_under(reply, "") for reply in told)):
        return (usual or "",)
    lists = [name for reply in told for name in _lists(document, reply)]
    if usual not in lists and any(reply.get("type") == "array" for reply in told):
        return ("",)
    named = [usual] if usual in lists else [name for words in MAIN for name in lists if words.search(name)][:1]
    if not named:
        return (usual or "",)
    return tuple(dict.fromkeys([*named, *(name for name in lists if BESIDE.search(name))]))


def _lists(document: Json, reply: Json) -> list[str]:
    properties = reply.get("properties", {})
    return [name for name, schema in properties.items() if flat(document, schema).get("type") == "array"]


def answers_in(reply: Any, keys: tuple[str, ...]) -> list[Any] | None:
    """One answer a row; None where the reply has another shape. Several lists become one of objects."""
    if not keys:
        return [steady(reply)]
    if keys == ("",):
        return [steady(answer) for answer in reply] if isinstance(reply, list) else None
    lists = [reply.get(key) for key in keys] if isinstance(reply, Mapping) else [None]
    if not all(isinstance(found, list) for found in lists) or len({len(found or ()) for found in lists}) > 1:
        return None
    if len(keys) == 1:
        return [steady(answer) for answer in lists[0] or ()]
    return [dict(zip(keys, map(steady, cells), strict=True)) for cells in zip(*map(list, lists), strict=True)]  # type: ignore[arg-type]


def steady(answer: Any) -> Any:
    """An answer without what belongs to the request: ids and times. All of it where nothing else is there."""
    if not isinstance(answer, Mapping):
        return answer
    kept = {name: value for name, value in answer.items() if not MOMENTARY.search(_snake(name))}
    return kept or dict(answer)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def _answers_under(reply: Json, key: str) -> bool:
    return key in reply.get("properties", {}) if key else reply.get("type") == "array"
