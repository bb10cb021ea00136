"""What a command is: words, help, arguments, and a function that gives a value to print."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.settings import Settings

if TYPE_CHECKING:
    from core.workspace import Workspace

DONE, FAILED, WRONG_USE, NO_VERDICT = 0, 1, 2, 3
"""The exit codes, everywhere."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command, as `argparse` takes it."""

    flags: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value to print together with an exit code other than 0, and the words for people where a table will not do."""

    value: Any
    exit_code: int
    text: str = ""


class Context:
    """What a command works with: the settings, the workspace (opened when first asked for), and a voice."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings, self.environ, self.sleep = settings, environ, sleep

    @cached_property
    def workspace(self) -> "Workspace":
        from core.workspace import open_workspace  # the whole domain, which `--help` does not need

        return open_workspace(self.settings)

    def say(self, text: str) -> None:
        """Tell a person how it goes; standard output is for the result alone."""
        print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Command:
    """`words` are what is typed. `run` gives a value (or an Outcome); None prints nothing."""

    words: str
    help: str
    run: Callable[[Context, argparse.Namespace], Any]
    arguments: tuple[Argument, ...] = ()
    starts_service: bool = False
    """Whether it asks for something that only the service does; the service is then started when it is absent."""
    columns: tuple[str, ...] = field(default=())
    """The fields that a list shows to people; empty: all short ones."""
    formerly: tuple[str, ...] = ()
    """What the verb was called before, for scripts that were written then."""


def arg(*flags: str, **options: Any) -> Argument:
    """One argument: `arg("--rows", type=int, default=20, help="...")`."""
    return Argument(flags, options)
