"""Two revisions of `core` in one process: each has modules of its own, put in place while it is set up or runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from perf.workloads.moved import names_of

CHECKOUT = Path(__file__).resolve().parents[2]
OF_EVERY_SIDE = ("perf.models",)
"""Modules of ours that import `core` at their top: each side needs its own."""


class Stage:
    """Where the modules of one side at a time are in place, as one process has one `sys.modules`."""

    def __init__(self) -> None:
        self._side: Side | None = None
        self._others = 0
        """How many modules are there beside the side's: more than that, and a call has imported one."""

    def enter(self, side: "Side | None") -> None:
        """Take the modules out of place that are there, as that side's own, and put this one's there."""
        if side is self._side:
            return
        if self._side is not None:
            self._take_out(self._side)
        self._side = side
        if side is not None:
            self._others = len(sys.modules)
            sys.modules.update(side.modules)

    def _take_out(self, side: "Side") -> None:
        for name in side.modules:
            sys.modules.pop(name, None)
        if len(sys.modules) != self._others:
            side.modules |= leave()


STAGE = Stage()


class Side:
    """One revision's modules, from the checkout at `root`; made anew, they lie elsewhere in memory."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.modules: dict[str, ModuleType] = names_of(self.root)

    def enter(self) -> None:
        """Put its modules in place, for calls whose functions import while they run."""
        STAGE.enter(self)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """While it lasts, `import core` gives this revision."""
        paths = [str(self.root), str(self.root / "tests")]
        self.enter()
        sys.path[:0] = paths
        try:
            yield
        finally:
            del sys.path[: len(paths)]


@contextmanager
def restored() -> Iterator[None]:
    """Sides may come and go meanwhile; afterwards those modules are in place that were there before."""
    before = leave()
    try:
        yield
    finally:
        STAGE.enter(None)
        sys.modules.update(before)


def leave() -> dict[str, ModuleType]:
    """Take every module of any revision out of place and give them."""
    return {name: sys.modules.pop(name) for name, module in list(sys.modules.items()) if _of_a_side(name, module)}


def _of_a_side(name: str, module: ModuleType) -> bool:
    """Whether a module belongs to a checkout: `core`, and what tests and pages bring, but not the gate itself."""
    if name.partition(".")[0] == "core" or name in OF_EVERY_SIDE:
        return True
    if name.partition(".")[0] in ("perf", "__main__"):
        return False
    file = getattr(module, "__file__", None) or ""
    return file.endswith(".py") and Path(file).parent.name == "tests" and (Path(file).parents[1] / "core").is_dir()
