"""What the modules below a root import, by statement and by name: read from their source, nothing is run.

A module is also imported by a dotted name in a string (`import_module`, `"core.local.worker.automl:run"` in a table, a
command `python -m`), so every such string counts as an import wherever it stands.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

DOTTED = re.compile(r"(core(?:\.\w+)+)(?::[\w.]+)?")
"""A module by its name, and perhaps what is meant inside it."""
BEGUN = re.compile(r"(core(?:\.\w+)*)\.(?:[{%].*)?")
"""A name whose end is put in later: whatever lies below it may be meant."""
BY_NAME = {"import_module", "__import__", "python_module", "find_spec", "run_module"}
"""Functions that take a module's name, whatever it is."""
DOOR = "__main__"
"""What `python -m` runs of a package."""
BELOW = "*"
"""The last part of a name that stands for every module below what is before it."""

MATTERS = (ast.Import, ast.ImportFrom, ast.Attribute, ast.Name, ast.Call, ast.Constant, ast.Expr)
"""What imports, names or says something: a third of all nodes. To keep the others would be most of the time."""
WITHOUT_NAMES = {"ctx", "op", "ops"}

Seen = tuple[ast.AST, bool, bool]
"""A node; whether it runs when the module is imported; whether the type checker alone reads it."""


@dataclass(frozen=True, slots=True)
class Import:
    """One place where a module names another, in full: `core.a.b.c` for `from core.a.b import c`."""

    name: str
    line: int
    at_once: bool
    """Whether it is imported with the module, not by a function when that is called."""
    string: bool = False
    """Whether the name is no statement but a text."""
    typing: bool = False
    """Whether it is read by the type checker alone."""


class House:
    """The package `core` below a root. Names are dotted, a package's `__init__` has the package's."""

    def __init__(self, root: Path, package: str = "core") -> None:
        self.root = root
        self.modules: Mapping[str, Path] = {
            _name(path.relative_to(root)): path for path in sorted((root / package).rglob("*.py"))
        }
        self._trees: dict[str, ast.Module] = {}
        self._nodes: dict[str, tuple[Seen, ...]] = {}
        self._imports: dict[str, tuple[Import, ...]] = {}

    def tree(self, module: str) -> ast.Module:
        """The module's source, parsed once."""
        if module not in self._trees:
            self._trees[module] = ast.parse(self.modules[module].read_text("utf-8"))
        return self._trees[module]

    def nodes(self, module: str) -> tuple[Seen, ...]:
        """What matters of its tree, walked once: that is most of what reading a house costs."""
        if module not in self._nodes:
            self._nodes[module] = tuple(walk(self.tree(module)))
        return self._nodes[module]

    def imports(self, module: str) -> tuple[Import, ...]:
        """Everything that the module imports, in whatever way, at whatever time."""
        if module not in self._imports:
            self._imports[module] = tuple(self._found(module))
        return self._imports[module]

    def module_of(self, name: str) -> str:
        """The module that an imported name lies in; empty for one that is none of ours."""
        while name and name not in self.modules:
            name = name.rpartition(".")[0]
        return name

    def _found(self, module: str) -> Iterator[Import]:
        path = self.modules[module]
        for each in read(self.nodes(module), str(path.relative_to(self.root))):
            if each.string and f"{module}.".startswith(f"{each.name}."):
                continue  # its own package, named for a logger or for the files beside it
            begun, _, end = each.name.rpartition(".")
            if each.string and end == BELOW:
                meant = [name for name in self.modules if name.startswith(f"{begun}.") and name != module]
            else:
                door = f"{each.name}.{DOOR}"
                meant = [each.name, *([door] if each.string and door in self.modules else [])]
            yield from (replace(each, name=name) for name in meant)


def read(nodes: Sequence[Seen], where: str = "") -> Iterator[Import]:
    """The imports of one module."""
    texts = {id(node.value) for node, _, _ in nodes if isinstance(node, ast.Expr)}  # docstrings say, they do not do
    core_is_bound = any(
        isinstance(node, ast.Import) and any(a.name.startswith("core") and not a.asname for a in node.names)
        for node, _, _ in nodes
    )
    for node, at_once, typing in nodes:
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, line, at_once, typing=typing) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where}:{line}: relative import"
            yield from (Import(f"{node.module}.{alias.name}", line, at_once, typing=typing) for alias in node.names)
        elif isinstance(node, ast.Attribute) and core_is_bound and (name := dotted(node)).startswith("core."):
            yield Import(name, line, at_once, typing=typing)
        elif isinstance(node, ast.Call) and _last(node.func) in BY_NAME and node.args:
            yield from _by_name(node.args[0], line, at_once, where)
        elif isinstance(node, ast.Constant) and id(node) not in texts and (name := _module_in(node.value)):
            yield Import(name, line, at_once=False, string=True, typing=typing)


def walk(tree: ast.AST) -> Iterator[Seen]:
    """Every node of a module that may matter to a law, in the order of its text."""
    left: list[Seen] = [(tree, True, False)]
    while left:
        node, at_once, typing = seen = left.pop()
        if isinstance(node, MATTERS):
            yield seen
        if isinstance(node, ast.Name | ast.Constant):
            continue
        later: object = None
        checked: object = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            later = node.body
        elif isinstance(node, ast.If) and _last(node.test) == "TYPE_CHECKING":
            checked = node.body
        for field in reversed(node._fields):
            value = getattr(node, field, None)
            if field in WITHOUT_NAMES or not value:
                continue
            children = value if isinstance(value, list) else (value,)
            now, types = at_once and value is not later, typing or value is checked
            left += [(child, now, types) for child in reversed(children) if isinstance(child, ast.AST)]


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is such a name, else nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(parts))) if isinstance(node, ast.Name) else ""


def within(name: str, names: set[str]) -> bool:
    """Whether a module is one of these or lies in one of them."""
    return any(name == other or name.startswith(f"{other}.") for other in names)


def _by_name(first: ast.expr, line: int, at_once: bool, where: str) -> Iterator[Import]:
    """What a call that takes a module's name imports; names of ours at a later time are found as texts."""
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        assert not first.value.startswith("."), f"{where}:{line}: relative import"
        yield Import(first.value.partition(":")[0], line, at_once, string=True)


def _module_in(text: object) -> str:
    """The module of ours that a text names; `core.cli.*` where its end is put in later; else nothing."""
    if not isinstance(text, str):
        return ""
    if whole := DOTTED.fullmatch(text):
        return whole[1]
    if begun := BEGUN.fullmatch(text):
        return f"{begun[1]}.{BELOW}"
    return ""


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
