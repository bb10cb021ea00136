"""Arguments that are more than text."""

from argparse import ArgumentTypeError

from core.domain.data import DataRef
from core.domain.monitoring import Origin
from core.domain.names import reference


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
