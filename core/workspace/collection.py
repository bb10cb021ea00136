"""What all collections share: a verb that a backend does not implement says so, and is not among its capabilities."""

from collections.abc import Mapping
from typing import ClassVar, NoReturn

from core.domain.errors import NotSupported


class Collection:
    """The verbs of one noun. A backend inherits it and overrides what it can do, and nothing else.

    A verb that is left as it is raises `NotSupported` and is absent from `Workspace.capabilities`, which are read off
    the classes and so cannot drift from them.
    """

    noun: ClassVar[str]
    """The name of the workspace's attribute that holds it."""
    reasons: ClassVar[Mapping[str, str]] = {}
    """Why a backend cannot do a verb (`noun.verb`), in a sentence, where there is more to say than that it cannot."""

    @classmethod
    def verbs(cls) -> tuple[str, ...]:
        """Every verb of the noun, in the interface's order, whether the backend can do it or not."""
        return tuple(name for name, verb in vars(cls._interface()).items() if callable(verb) and name[0] != "_")

    @classmethod
    def capabilities(cls) -> tuple[str, ...]:
        """The verbs that the backend does, as `noun.verb`."""
        interface = cls._interface()
        return tuple(f"{cls.noun}.{verb}" for verb in cls.verbs() if getattr(cls, verb) is not getattr(interface, verb))

    @classmethod
    def _interface(cls) -> type["Collection"]:
        """The class that names the noun, and with it every verb; a backend's class inherits it."""
        return next(kind for kind in cls.__mro__ if "noun" in vars(kind))

    def _cannot(self, verb: str) -> NoReturn:
        raise NotSupported(
            f"This workspace cannot do '{self.noun}.{verb}'",
            hint=self.reasons.get(f"{self.noun}.{verb}", "Another backend may do more"),
        )
