"""Data assets and what is known of their columns."""

from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.errors import SpecInvalid


class DataSource(StrEnum):
    """Where the bytes of a table came from."""

    FILE = "file"
    CACHE = "cache"
    DOWNLOAD = "download"
    TWIN = "twin"


class ColumnKind(StrEnum):
    """JSON's scalar types; dates and times travel as strings."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"


class ColumnRole(StrEnum):
    """What a column is good for, as the profile sees it."""

    FEATURE = "feature"
    ID = "id"
    CONSTANT = "constant"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class DataRef:
    """A data asset by name and version; version 0 means the newest."""

    name: str
    version: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.version or 'latest'}"


@dataclass(frozen=True, slots=True)
class DataAsset:
    """A registered, immutable table: Parquet on disk, addressed by the SHA-256 of its source's bytes."""

    name: str
    version: int
    source: DataSource
    origin: str
    """The path or address it was read from, or the twin's name; for people."""
    rows: int
    columns: tuple[str, ...]
    sha256: str
    """Of the unpacked source bytes."""
    size_bytes: int
    """Of the Parquet file."""
    path: str
    """The Parquet file, absolute."""
    created_at: float
    """Seconds since the epoch, as every `_at` in the domain."""

    @property
    def ref(self) -> DataRef:
        return DataRef(self.name, self.version)


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: values in [low, high), the last bin closed."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Level:
    """One category as text; `target_rate` is the positives' share in [0, 1] where a binary target is known."""

    value: str
    count: int
    target_rate: float | None = None


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column, summarised; never holds a row of the table."""

    name: str
    kind: ColumnKind
    role: ColumnRole
    rows: int
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 5, 25, 50, 75 and 95 % (numeric columns)."""
    histogram: tuple[Bin, ...] = ()
    levels: tuple[Level, ...] = ()
    """Most frequent first; all of them up to 100, else the first 100."""
    typical: str | int | float | bool | None = None
    """The median or the most frequent value: what examples are made of."""


@dataclass(frozen=True, slots=True)
class TableProfile:
    """Every column of one data version, computed once at registration."""

    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column. Raises SpecInvalid that names what exists."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SpecInvalid(
            f"There is no column '{name}'", hint=f"The columns are: {', '.join(c.name for c in self.columns)}"
        )


@dataclass(frozen=True, slots=True)
class TableSample:
    """The first rows of a table, for a preview: `rows` holds one tuple of JSON scalars per row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | bool | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What came of a data version: job ids, models as `name:version`, deployments as `endpoint/deployment`."""

    data: DataRef
    jobs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    deployments: tuple[str, ...] = field(default=())
