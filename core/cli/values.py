"""Arguments that are more than text."""

from argparse import ArgumentTypeError

from core.domain.data import DataRef
from core.domain.monitoring import Origin


def data_ref(text: str) -> DataRef:
    """`name` or `name:version`."""
    return DataRef(*name_version(text))


def name_version(text: str) -> tuple[str, int]:
    """`name` or `name:version` (also `name:latest`); version 0 is the newest."""
    name, _, version = text.partition(":")
    if not name or (version not in ("", "latest") and not version.isdecimal()):
        raise ArgumentTypeError(f"'{text}' is not NAME or NAME:VERSION")
    return name, int(version) if version.isdecimal() else 0


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
