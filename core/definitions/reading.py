"""A definition's document read by what is expected at each place; everything that is wrong is noted with its line."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.definitions.checks import Fault, Path, meant
from core.definitions.document import Fields, Items, Node, Scalar
from core.domain.errors import DefinitionProblem
from core.domain.parameters import TEXTS
from core.domain.pipeline import ParameterType
from core.domain.rules import shown


class Reader:
    """Notes what it cannot read, and where everything stands."""

    def __init__(self, problems: list[DefinitionProblem]) -> None:
        self.problems = problems
        self._places: dict[Path, Node] = {}

    def fields(self, node: Node, path: Path, what: str, known: Iterable[str] | None) -> dict[str, Node]:
        """A mapping's values by key; one without a value counts as absent. `known` None: any key."""
        self._places.setdefault(path, node)
        if not isinstance(node, Fields):
            expected = f" with {', '.join(known)}" if known is not None else ""
            self.problem(node, f"{what} is {_said(node)}, expected a mapping{expected}")
            return {}
        found = {}
        for key, value in node.fields:
            self._places[(*path, key.text)] = key
            if known is not None and key.text not in known:
                self.problem(key, f"{what} has an unknown key '{key.text}'", meant(key.text, known, "The keys are"))
            elif not _absent(value):
                found[key.text] = value
        return found

    def items(self, node: Node | None, path: Path, what: str) -> tuple[Node, ...]:
        """A list's entries."""
        if node is None:
            return ()
        if not isinstance(node, Items):
            self.problem(node, f"{what} is {_said(node)}, expected a list")
            return ()
        for i, item in enumerate(node.items):
            self._places[(*path, i)] = item
        return node.items

    def text(self, node: Node | None, what: str, default: str = "") -> str:
        """A text."""
        return str(self._as(node, ParameterType.STRING, what, default))

    def flag(self, node: Node | None, what: str, default: bool) -> bool:
        """True or false."""
        return bool(self._as(node, ParameterType.BOOLEAN, what, default))

    def number(self, node: Node | None, what: str, default: Any) -> Any:
        """A number."""
        return self._as(node, ParameterType.NUMBER, what, default)

    def whole(self, node: Node | None, what: str, default: Any) -> Any:
        """A whole number."""
        return self._as(node, ParameterType.INTEGER, what, default)

    def value(self, node: Node, what: str, wanted: ParameterType | None = None) -> Any:
        """Anything, in JSON's types; `wanted` decides words that readers of YAML do not agree on."""
        if isinstance(node, Items):
            inner = ParameterType.STRING if wanted is ParameterType.LIST else wanted
            return [self.value(item, what, inner) for item in node.items]
        if isinstance(node, Fields):
            return {key.text: self.value(item, what) for key, item in node.fields}
        assert isinstance(node, Scalar)
        if node.doubt and wanted not in TEXTS:
            hint = (
                f"Write {_clear(node)}" if wanted is not None else f'Write {_clear(node)}, or "{node.text}" for a text'
            )
            self.problem(node, f"{what} is {node.text}, which some readers of YAML take for {node.doubt}", hint)
        return node.value

    def problem(self, node: Node, message: str, hint: str = "") -> None:
        """Note something that is wrong at its place."""
        self.problems.append(DefinitionProblem(message, hint, node.line, node.column))

    def note(self, fault: Fault) -> None:
        """Note something that is wrong at a path: the nearest place to it that the document has."""
        path = fault.path
        while path and path not in self._places:
            path = path[:-1]
        node = self._places.get(path, Node(1, 1))
        self.problem(node, fault.message, fault.hint)

    def _as(self, node: Node | None, wanted: ParameterType, what: str, default: Any) -> Any:
        if node is None:
            return default
        if not isinstance(node, Scalar):
            self.problem(node, f"{what} is {_said(node)}, expected {_EXPECTED[wanted]}")
            return default
        before = len(self.problems)
        value = self.value(node, what, wanted)
        if len(self.problems) > before:
            return default
        if type(value) in _TYPES[wanted]:
            return value
        hint = f'Write it in quotes: "{node.text}"' if wanted in TEXTS else ""
        self.problem(node, f"{what} is {shown(value)}, expected {_EXPECTED[wanted]}", hint)
        return default


_TYPES: Mapping[ParameterType, tuple[type, ...]] = {
    ParameterType.STRING: (str,),
    ParameterType.BOOLEAN: (bool,),
    ParameterType.NUMBER: (int, float),
    ParameterType.INTEGER: (int,),
}
_EXPECTED = {
    ParameterType.STRING: "text",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.NUMBER: "a number",
    ParameterType.INTEGER: "a whole number",
}


def _absent(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _said(node: Node) -> str:
    if isinstance(node, Scalar):
        return shown(node.value) if node.value is not None else "empty"
    return "a list" if isinstance(node, Items) else "a mapping"


def _clear(node: Scalar) -> str:
    if node.doubt == "true or false":
        return "true" if node.text.lower() in ("yes", "on") else "false"
    plain = node.text.replace("_", "").lstrip("+0")
    return plain if plain.isdecimal() else "it as a decimal number"
