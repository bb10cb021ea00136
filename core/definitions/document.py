"""YAML as a tree in which everything has its line, and nothing means two things.

PyYAML keeps the last of two equal keys, follows aliases, and reads `on`, `010` and `1:30` as YAML 1.1 did. So its
events are read here: equal keys, aliases and tags are problems, and a word that readers of YAML disagree on is told
apart by what is expected at its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from core.domain.errors import DefinitionInvalid, DefinitionProblem

BYTES_MAX = 1_000_000
DEPTH_MAX = 12
PROBLEMS_MAX = 200

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULL = re.compile(r"~|null|Null|NULL|")
_FLAG = re.compile(r"true|True|TRUE|false|False|FALSE")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_FLAG_OR_TEXT = re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_NUMBER_OR_TEXT = re.compile(
    r"[-+]?(?:0[0-9_.]+|0x[0-9a-fA-F_]+|0o[0-7]+|0b[01_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[0-9]*_[0-9_.]*|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Node:
    """Where something stands; lines and columns count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """A word, a number, a text."""

    text: str
    quoted: bool

    @property
    def value(self) -> Any:
        """What all readers of YAML take it for; a text where they do not agree."""
        if self.quoted:
            return self.text
        if _NULL.fullmatch(self.text):
            return None
        if _FLAG.fullmatch(self.text):
            return self.text.lower() == "true"
        if _WHOLE.fullmatch(self.text) and len(self.text) < 40:
            return int(self.text)
        return float(self.text) if _NUMBER.fullmatch(self.text) else self.text

    @property
    def doubt(self) -> str:
        """What some readers take the word for; empty where all agree."""
        if not isinstance(self.value, str) or self.quoted:
            return ""
        if _FLAG_OR_TEXT.fullmatch(self.text):
            return "true or false"
        return "a number" if _NUMBER_OR_TEXT.fullmatch(self.text) else ""


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fields(Node):
    """A mapping, each key once."""

    fields: tuple[tuple[Scalar, Node], ...]


def read(text: str, where: str, problems: list[DefinitionProblem]) -> Node:
    """The document's tree; what else is wrong with it goes to `problems`. Raises DefinitionInvalid for what is no YAML
    document at all."""
    text = text.removeprefix("\ufeff")
    if len(text) > BYTES_MAX:
        raise _refused(where, f"It has {len(text):,} characters, expected at most {BYTES_MAX:,}", 1, 1)
    if strange := _UNPRINTABLE.search(text):
        line, column = _place(text, strange.start())
        raise _refused(where, f"The character {strange[0]!r} cannot stand in YAML", line, column)
    try:
        return _Building(where, problems).document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as e:
        raise _not_yaml(text, where, e) from e
    except yaml.YAMLError as e:
        raise _refused(where, f"It is not YAML: {' '.join(str(e).split())}", 1, 1) from e


class _Building:
    """A tree made of events; no deeper than a definition can be, so that no document can take the stack."""

    def __init__(self, where: str, problems: list[DefinitionProblem]) -> None:
        self._where, self._problems = where, problems

    def document(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._problem(event, "A second document begins here", "Keep one definition to a file")
                    return root
                root = self._node(next(events), events, 1)
        if root is None:
            raise _refused(self._where, "The file is empty", 1, 1, "A definition has at least a name and steps")
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if depth > DEPTH_MAX:
            raise _refused(self._where, f"It is nested more than {DEPTH_MAX} deep", line, column)
        if isinstance(event, yaml.AliasEvent):
            self._problem(event, f"The alias *{event.anchor} stands for something else", "Write it out")
            return Scalar(line, column, "", quoted=False)
        if getattr(event, "tag", None):
            self._problem(event, f"The tag {event.tag} is not read", "Leave it out; quotes make a text")
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(line, column, tuple(self._items(events, depth)))
        if isinstance(event, yaml.MappingStartEvent):
            return Fields(line, column, tuple(self._fields(events, depth)))
        return Scalar(line, column, event.value, quoted=bool(event.style))

    def _items(self, events: Iterator[Any], depth: int) -> Iterator[Node]:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield self._node(event, events, depth + 1)

    def _fields(self, events: Iterator[Any], depth: int) -> Iterator[tuple[Scalar, Node]]:
        seen: dict[str, int] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Scalar):
                self._problem(event, "A key is a list or a mapping", "Keys are words; a reference stands in quotes")
            elif key.text in seen:
                self._problem(event, f"'{key.text}' stands here again", f"It stands in line {seen[key.text]} already")
            else:
                seen[key.text] = key.line
                yield key, value

    def _problem(self, event: Any, message: str, hint: str) -> None:
        mark = event.start_mark
        self._problems.append(DefinitionProblem(message, hint, mark.line + 1, mark.column + 1))
        if len(self._problems) > PROBLEMS_MAX:
            raise DefinitionInvalid(self._where, tuple(self._problems))


def _refused(where: str, message: str, line: int, column: int, hint: str = "") -> DefinitionInvalid:
    return DefinitionInvalid(where, (DefinitionProblem(message, hint, line, column),))


def _not_yaml(text: str, where: str, error: yaml.MarkedYAMLError) -> DefinitionInvalid:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    hint = ""
    if line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        hint = "A tab indents this line; YAML takes blanks"
    elif error.context_mark and error.context_mark.line + 1 != line:
        hint = f"What is not closed begins in line {error.context_mark.line + 1}"
    return _refused(where, f"It is not YAML: {error.problem or error.context}", line, column, hint)


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
