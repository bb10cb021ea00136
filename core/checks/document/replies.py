"""Where the answers stand in a reply: as the document tells, else where they are found; and taken out of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.checks.document.forms import ONE
from core.checks.document.schema import Json, flat

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
    r"(?:^|_)(?:ids?|uuids?|guids?|timestamps?|datetime|time|at|ms|took|latency|duration|elapsed|trace)(?:_|$)"
)
"""Names of what belongs to the request and not to the row: it differs each time, and may."""
DEPTH_MAX = 4
"""Answers are not sought deeper in a reply."""
Keys = tuple[str, ...]
"""The lists that hold an answer a row, each by its path in the reply, with dots between; `("",)` for the reply itself,
none where the reply is the answer to a single row."""


def reply_keys(document: Json, form: str, replies: Sequence[Json]) -> Keys | None:
    """The lists of a reply that hold an answer a row, as the document tells; None where it does not.

    As the form is usually answered, unless the document knows only other replies.
    """
    if form == ONE:
        return ()
    told = [reply for reply in replies if reply.get("type") == "array" or reply.get("properties")]
    usual = USUAL.get(form, "" if any(reply.get("type") == "array" for reply in told) else None)
    encoded_twice = any(reply.get("type") == "string" for reply in replies)  # nothing is told of what is inside
    if not told or encoded_twice:
        return None
    if usual == "" and any(_answers_under(reply, "") for reply in told):
        return ("",)
    lists = [name for reply in told for name in _lists(document, reply, usual or "")]
    if usual not in lists and any(reply.get("type") == "array" for reply in told):
        return ("",)
    opened = any(not reply.get("type") and not reply.get("properties") for reply in replies)
    return None if opened and usual is not None and usual not in lists else _main(lists, usual)


def _main(lists: Sequence[str], usual: str | None = None, words: Sequence[re.Pattern[str]] = MAIN) -> Keys | None:
    """The list of answers among others, and those that hold something about each of them."""
    named = [usual] if usual in lists else [name for word in words for name in lists if word.search(_last(name))][:1]
    if not named:
        return None
    return tuple(dict.fromkeys([*(name for name in named if name is not None), *filter(_is_beside, lists)]))


def _is_beside(name: str) -> bool:
    return BESIDE.search(_last(name)) is not None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _lists(document: Json, reply: Json, usual: str) -> list[str]:
    """The lists in a reply, and what bears the usual name without a type."""
    kinds = {name: flat(document, schema).get("type") for name, schema in reply.get("properties", {}).items()}
    return [name for name, kind in kinds.items() if kind == "array" or (kind is None and name == usual)]


def candidates(reply: Any, rows: int) -> tuple[str, ...]:
    """The paths of all lists in a reply that have one element a row; of all lists for -1 rows."""
    return tuple(path for path, found in _within(reply, "", DEPTH_MAX) if rows in (-1, len(found)))


def _within(node: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if (found := _listed(node)) is not None:
        yield path, found
    elif isinstance(node, Mapping) and depth:
        for name, inner in node.items():
            if not MOMENTARY.search(_snake(name)):
                yield from _within(inner, f"{path}.{name}" if path else name, depth - 1)


def _listed(node: Any) -> list[Any] | None:
    """A list, or what pandas writes for one: an object with 0, 1, 2, ... for keys."""
    if isinstance(node, Mapping) and node and list(node) == [str(at) for at in range(len(node))]:
        return list(node.values())
    return list(node) if isinstance(node, list) else None


def chosen(found: Sequence[str], form: str) -> Keys | None:
    """The lists that hold the answers, among those that are as long as the rows; None where their names do not tell."""
    if len(found) == 1:
        return (found[0],)
    return _main(found, USUAL.get(form), MAIN[:-1])


def answers_in(reply: Any, keys: Keys) -> list[Any] | None:
    """One answer a row; None where the reply has another shape. Several lists become one of objects."""
    if not keys:
        return [steady(reply)]
    lists = [_at(reply, key) for key in keys]
    if any(found is None for found in lists) or len({len(found or ()) for found in lists}) > 1:
        return None
    if len(keys) == 1:
        return [steady(answer) for answer in lists[0] or ()]
    cells = zip(*(found or () for found in lists), strict=True)
    return [dict(zip(map(_last, keys), map(steady, each), strict=True)) for each in cells]


def _at(reply: Any, key: str) -> list[Any] | None:
    if isinstance(reply, Mapping) and key in reply:  # a name may have dots of its own
        return [] if reply[key] == {} else _listed(reply[key])
    for step in key.split(".") if key else ():
        reply = reply.get(step) if isinstance(reply, Mapping) else None
    return [] if reply == {} else _listed(reply)


def steady(answer: Any) -> Any:
    """An answer without what belongs to the request: ids and times. All of it where nothing else is there."""
    if not isinstance(answer, Mapping):
        return answer
    kept = {name: value for name, value in answer.items() if not MOMENTARY.search(_snake(name))}
    return kept or dict(answer)


def lasting(reply: Any) -> Any:
    """A whole reply without what belongs to the request, at any depth."""
    if isinstance(reply, list):
        return [lasting(each) for each in reply]
    if isinstance(reply, Mapping):
        return {name: lasting(value) for name, value in steady(reply).items()}
    return reply


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def _answers_under(reply: Json, key: str) -> bool:
    return key in reply.get("properties", {}) if key else reply.get("type") == "array"
