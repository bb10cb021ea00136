"""Objects of Azure's SDK as values of the domain. What somebody else has made may lack anything that we would keep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.azure.context import TAG
from core.azure.kept import found, kept
from core.azure.names import own_name, version_number
from core.domain.data import AS_FOUND, DataAsset, DataSource, Note, Reading

ABOUT = f"{TAG}.about"
"""The properties of an asset that hold what Slipway knows of it."""


@dataclass(frozen=True, slots=True)
class TableAbout:
    """What a data asset's properties keep of it, beyond what Azure knows itself."""

    source: DataSource
    origin: str
    rows: int
    columns: tuple[str, ...]
    sha256: str
    size_bytes: int
    notes: tuple[Note, ...] = ()
    reading: Reading = AS_FOUND


def about_table(asset: DataAsset) -> dict[str, str]:
    """The properties from which `data_asset` knows an asset again."""
    names = TableAbout.__dataclass_fields__
    return kept(ABOUT, TableAbout(**{name: getattr(asset, name) for name in names}))


def data_asset(data: Any) -> DataAsset | None:
    """A version of a data asset; None for one whose version is no number.

    Of one that was made elsewhere, rows and columns are not known until its table is read: there are none of them.
    """
    number = version_number(data.version)
    if number is None:
        return None
    about = found(ABOUT, data.properties, TableAbout) or TableAbout(DataSource.FILE, str(data.path), 0, (), "", 0)
    return DataAsset(
        name=own_name(str(data.name), data.tags),
        version=number,
        source=about.source,
        origin=about.origin,
        rows=about.rows,
        columns=about.columns,
        sha256=about.sha256,
        size_bytes=about.size_bytes,
        created_at=created_at(data),
        notes=about.notes,
        reading=about.reading,
    )


def created_at(thing: Any) -> float:
    """When something was created; 0 where Azure does not say."""
    return seconds(getattr(getattr(thing, "creation_context", None), "created_at", None))


def seconds(time: Any) -> float:
    """A time of Azure's, as a value of the SDK or in the text of its answer, in seconds since the epoch; 0 for none."""
    if isinstance(time, str):
        time = read_time(time)
    return time.timestamp() if isinstance(time, datetime) else 0.0


def read_time(text: str) -> datetime | None:
    """`2022-09-16T02:37:35.7504422+00:00`: with more digits than Python reads, and perhaps a Z."""
    head, dot, rest = text.strip().replace("Z", "+00:00").partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :]
    try:
        time = datetime.fromisoformat(f"{head}.{digits[:6]:0<6}{zone}" if dot else head)
    except ValueError:
        return None
    return time if time.tzinfo else datetime.fromisoformat(f"{time.isoformat()}+00:00")
