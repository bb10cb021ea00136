"""Data assets and what is known of their columns."""

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from core.domain.counting import columns_said
from core.domain.errors import SpecInvalid
from core.domain.rules import check_text, check_whole


class DataSource(StrEnum):
    """Where the bytes of a table came from."""

    FILE = "file"
    CACHE = "cache"
    DOWNLOAD = "download"
    TWIN = "twin"
    UPLOAD = "upload"


class ColumnKind(StrEnum):
    """JSON's scalar types; dates and times travel as strings."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"


NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)


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

    def __post_init__(self) -> None:
        check_text("The name of a data asset", self.name)
        check_whole("The version of a data asset", self.version, 0, 1_000_000_000)

    def __str__(self) -> str:
        return f"{self.name}:{self.version or 'latest'}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is to be read where its own signs do not tell, or tell wrongly; everything is found out by default.

    Other ways of reading the same bytes are other versions of a data asset.
    """

    header: bool | None = None
    """Whether the first row holds the names; None: told by the rows."""
    delimiter: str = ""
    """What stands between cells; empty: told by the rows."""
    decimal: str = ""
    """The decimal sign, "." or ","; empty: told by the cells."""
    merge_spellings: bool = False
    """Categories that differ only in the case of their letters become the most frequent spelling of them."""
    target: str = ""
    """The column that will be predicted: a first row that names it is the header."""

    def __post_init__(self) -> None:
        if self.decimal not in ("", ".", ","):
            raise SpecInvalid(f"The decimal sign is '.' or ',', got '{self.decimal}'")
        if len(self.delimiter) > 1 or self.delimiter.isalnum() or self.delimiter in ('"', "\n", "\r"):
            raise SpecInvalid(f"'{self.delimiter}' cannot separate cells", hint="Give one character, for example ';'")


AS_FOUND = Reading()
"""Everything is told by the table itself."""


class NoteKind(StrEnum):
    """What a note on a table is about."""

    ENCODING = "encoding"
    SEPARATOR = "separator"
    SKIPPED = "skipped_lines"
    HEADER = "header"
    RAGGED = "ragged_rows"
    UNNAMED = "unnamed_columns"
    NUMBERS = "numbers"
    STRAYS = "strays"
    MISSING_WORDS = "missing_words"
    MIXED = "mixed"
    TRIMMED = "trimmed"
    SPELLINGS = "spellings"
    MERGED = "merged_spellings"
    HELD_OUT = "held_out"
    """The table is one of two that were made of another, by what stands in its rows."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done to a table when it was read, or that somebody should decide; `text` is a sentence."""

    kind: NoteKind
    text: str
    columns: tuple[str, ...] = ()
    option: str = ""
    """The field of `Reading` that decides otherwise; empty where none does."""


@dataclass(frozen=True, slots=True)
class DataAsset:
    """A registered, immutable table, known by the SHA-256 of its source's bytes; its backend knows where it lies."""

    name: str
    version: int
    source: DataSource
    origin: str
    """The path or address it was read from, the uploaded file's own name, or the twin's; for people."""
    rows: int
    columns: tuple[str, ...]
    sha256: str
    """Of the unpacked source bytes."""
    size_bytes: int
    """Of the Parquet file."""
    created_at: float
    """Seconds since the epoch, as every `_at` in the domain."""
    notes: tuple[Note, ...] = ()
    """What was done to the table when it was read, and what somebody should decide."""
    reading: Reading = AS_FOUND

    @property
    def ref(self) -> DataRef:
        """Its name and version."""
        return DataRef(self.name, self.version)

    @property
    def content_id(self) -> str:
        """Which table this is: its bytes, and what was done to them where anything was."""
        done = [_done(note) for note in self.notes if note.kind is not NoteKind.SPELLINGS]
        chosen = replace(self.reading, target="")  # what a target changes is among the notes
        if not done and chosen == AS_FOUND:
            return self.sha256
        return hashlib.sha256("\n".join([self.sha256, repr(chosen), *done]).encode()).hexdigest()

    @property
    def split(self) -> bool:
        """Whether it is one of the two tables that a hold-out makes of another."""
        return any(note.kind is NoteKind.HELD_OUT for note in self.notes)

    def named(self, text: str) -> str:
        """The column that somebody means: the very name, else the one that is the same but for blanks around it."""
        if text in self.columns:
            return text
        close = [name for name in self.columns if name.strip() == text.strip()]
        return close[0] if len(close) == 1 else text


def _done(note: Note) -> str:
    """What was done to a table, as far as its content depends on it: which half of it, and how large that is."""
    return note.text if note.kind is NoteKind.HELD_OUT else f"{note.kind}:{','.join(note.columns)}"


@dataclass(frozen=True, slots=True)
class AvailableTable:
    """A table that can be registered by its name alone; nothing of it has been read."""

    name: str
    kind: DataSource
    where: str
    """The folder or address it would be read from, or what the twin is; for people."""
    size_bytes: int | None = None
    """Of the file as it lies there; None where there is none yet."""


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
    dates: str = ""
    """How a column of text writes dates: ymd, dmy, mdy, dby or bdy (b: a month by name), "+time" with times."""


@dataclass(frozen=True)
class TableProfile:
    """Every column of one data version, computed once at registration."""

    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column. Raises SpecInvalid that names what exists."""
        if (found := self._by_name.get(name)) is not None:
            return found
        raise SpecInvalid(f"There is no column '{name}'", hint=columns_said([c.name for c in self.columns], name))

    @cached_property
    def _by_name(self) -> dict[str, ColumnProfile]:
        """There can be thousands, and each is asked for several times."""
        return {column.name: column for column in self.columns}


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
