"""The JSON type of labels: as the document's examples of answers show it, and as they come."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from core.checks.document.description import Described
from core.checks.document.replies import answers_in, candidates, chosen
from core.checks.document.together import told

WORDS = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
Kinds = frozenset[str]


def label_of(answer: Any) -> Any:
    """The label that an answer is or holds; None where it holds none, or several things."""
    if isinstance(answer, Mapping):
        found = told(answer)
        return None if found is None else found.label
    return None if isinstance(answer, list) else answer


def kinds_shown(described: Described) -> Kinds:
    """The types that labels have in the document's examples of replies."""
    labels = (label_of(answer) for answer in _shown(described))
    return frozenset(WORDS[type(label)] for label in labels if type(label) in WORDS and label is not None)


def _shown(described: Described) -> Iterator[Any]:
    form = described.primary_form
    keys = described.reply_keys[form]
    for reply in described.shown_replies:
        found = keys if keys is not None else chosen(candidates(reply, -1), form)
        yield from (answers_in(reply, found) or ()) if found is not None else ()


def classifies(described: Described, answers: Sequence[Any]) -> bool:
    """Whether the answers are classes and no measurements."""
    texts = any(isinstance(label_of(answer), str | bool) for answer in answers)
    return texts or "predict_proba" in described.methods or any(map(told, answers))


def wrong_kind(label: Any, shown: Collection[str], strict: bool) -> str:
    """What a label is, where the examples show something else; empty where it is of their kind.

    A whole number is a number; a number is no class where the examples show whole ones, but may be a measurement.
    """
    kind = WORDS.get(type(label), "no label")
    measured = kind == "number" and "integer" in shown and not strict
    if kind in shown or measured or (kind == "integer" and "number" in shown):
        return ""
    return f"of type {kind}, the document's example shows {' or '.join(sorted(shown))}"
