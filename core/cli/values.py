"""Arguments that are more than text."""

from argparse import Action, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import Any

from core.domain.data import DataRef
from core.domain.monitoring import Origin
from core.domain.names import reference


class OnOff(Action):
    """A switch: `--flag on`, `--flag off`; `--flag` alone is on, and `--no-flag` is off."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        off = [f"--no-{flag.removeprefix('--')}" for flag in option_strings]
        super().__init__([*option_strings, *off], dest, nargs="?", choices=("on", "off"), **options)

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        no = str(option_string).startswith("--no-")
        if no and values is not None:
            parser.error(f"argument {option_string}: takes no value")
        setattr(namespace, self.dest, not no and values != "off")


def data_ref(text: str) -> DataRef:
    """`name` or `name:version`."""
    return DataRef(*name_version(text))


def name_version(text: str) -> tuple[str, int]:
    """`name` or `name:version`; version 0 is the newest. A name with a colon needs its version, or `:latest`."""
    name, version = reference(text)
    if not name or (name == text and ":" in name):
        raise ArgumentTypeError(f"'{text}' is not NAME or NAME:VERSION")
    return name, version


def origin(text: str) -> Origin | None:
    """Who sent a request; None for `all`."""
    if text == "all":
        return None
    if text not in tuple(Origin):
        raise ArgumentTypeError(f"'{text}' is none of {', '.join(Origin)}, all")
    return Origin(text)


def assignment(text: str) -> tuple[str, str]:
    """`key=value`."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ArgumentTypeError(f"'{text}' is not KEY=VALUE")
    return key, value


def percent(text: str) -> tuple[str, int]:
    """`deployment=percent`."""
    key, value = assignment(text)
    if not value.isdecimal():
        raise ArgumentTypeError(f"'{text}' is not DEPLOYMENT=PERCENT")
    return key, int(value)
