"""From what a user typed to the table it means: a path, the cache, a data folder, a download, or the synthetic twin."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from os.path import isfile  # unlike Path.is_file, False also where a folder may not be entered
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from core.domain.data import AvailableTable, DataSource
from core.domain.errors import SourceUnreadable
from core.domain.rules import shown
from core.settings import BANK_MARKETING_SHA256, Settings
from core.sources.allowed import allowed, cache, check_allowed
from core.sources.download import download

BANK_MARKETING = "bank-marketing"
"""The data asset's name, whether it is the real table or its twin; also an alias for the table's file name."""
BANK_MARKETING_FILE = "bankmarketing_train"
TWIN_SEED = 7
TWIN = f"synthetic twin of Bank Marketing, seed {TWIN_SEED}"

ENDINGS = (".csv", ".csv.gz", ".csv.xz", ".parquet")
"""What a bare name is tried with, in this order."""
FILE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".data", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".xz", ".bz2"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """A table that can be read: `path` is its file, or None for the twin, which is made from `seed`."""

    kind: DataSource
    origin: str
    """Path, address, an uploaded file's own name, or what the twin is; for people."""
    name: str
    """The data asset's name unless somebody chooses another."""
    path: Path | None
    seed: int = TWIN_SEED
    unpacked_max_bytes: int | None = None
    """Of what somebody has sent: a few bytes of it may unpack to more than the disk takes."""


def resolve(
    name_or_path: str,
    settings: Settings,
    announce: Callable[[str], None],
    *,
    confined: bool = False,
    bank_sha256: str = BANK_MARKETING_SHA256,
) -> Source:
    """The first that works: a path, the cache, the data folders; for the Bank Marketing table its address, its twin.

    `announce` is told, in a sentence, before anything is fetched and when the twin takes the table's place.
    `confined`: only what lies in the folders that the settings allow (`core.sources.allowed`).
    Raises SourceUnreadable that says where it looked and which names are close; StorageFull.
    """
    if not _nameable(name_or_path):
        raise SourceUnreadable(
            f"{shown(name_or_path)} is no path and no table's name", hint="Give the path of one file"
        )
    if _is_path(name_or_path, confined=confined):
        path = _absolute(name_or_path)
        return _from_path(path, check_allowed(path, settings) if confined else path)
    name = BANK_MARKETING_FILE if name_or_path == BANK_MARKETING else name_or_path
    for path in _candidates(name, settings):
        if isfile(path):
            kind = DataSource.CACHE if path.parent == cache(settings) else DataSource.FILE
            return Source(kind, str(path), asset_name(path), check_allowed(path, settings) if confined else path)
    if name != BANK_MARKETING_FILE:
        raise _unknown(name, settings)
    return _fetched(settings, announce, bank_sha256) or _twin(announce)


def asset_name(path: Path) -> str:
    """The file's name without its endings: `adult.csv.xz` -> `adult`; Bank Marketing has a name of its own."""
    while path.suffix.lower() in FILE_SUFFIXES and path.stem:
        path = path.with_suffix("")
    return BANK_MARKETING if path.name == BANK_MARKETING_FILE else path.name


def check_source(name_or_path: str, settings: Settings) -> None:
    """Raise SourceUnreadable for a path that may not be read by who is confined; a name may be looked up."""
    if not _nameable(name_or_path):
        raise SourceUnreadable(f"{shown(name_or_path)} is no path and no name", hint="Give the path of one file")
    if _is_path(name_or_path):
        check_allowed(_absolute(name_or_path), settings)
        return
    for path in _candidates(name_or_path, settings):
        if isfile(path):
            check_allowed(path, settings)


def available(settings: Settings) -> tuple[AvailableTable, ...]:
    """The tables that a name alone means, by name, each once; Bank Marketing, or its twin, is always among them.

    Only names are looked at: none is read, nothing is fetched.
    """
    found: dict[str, AvailableTable] = {}
    for folder in _folders(settings):
        kind = DataSource.CACHE if folder == cache(settings) else DataSource.FILE
        files = [path for path in _listing(folder) if _bare(path) and allowed(path, settings)]
        for path in sorted(files, key=lambda path: ENDINGS.index(_ending(path))):
            name = asset_name(path)
            found.setdefault(name, AvailableTable(name, kind, str(folder), path.stat().st_size))
    fetched = AvailableTable(BANK_MARKETING, DataSource.DOWNLOAD, settings.data_url)
    twin = AvailableTable(BANK_MARKETING, DataSource.TWIN, TWIN)
    found.setdefault(BANK_MARKETING, twin if settings.offline else fetched)
    return tuple(sorted(found.values(), key=lambda table: table.name))


def _ending(path: Path) -> str:
    return next((ending for ending in ENDINGS if path.name.endswith(ending)), "")


def _bare(path: Path) -> bool:
    """Whether the file is found by its name without the ending, which has no other dot that would hide it."""
    ending = _ending(path)
    bare = path.name.removesuffix(ending)
    return bool(ending and bare) and not _is_path(bare, confined=True) and asset_name(path) in (bare, BANK_MARKETING)


def again(kind: DataSource, origin: str, settings: Settings, *, confined: bool) -> Source:
    """What an asset was made of, to be read once more; not for an upload, whose bytes the workspace keeps.

    Raises SourceUnreadable where it is there no more.
    """
    if kind is DataSource.TWIN:
        return Source(kind, origin, BANK_MARKETING, None)
    path = cache(settings) / f"{BANK_MARKETING_FILE}.csv" if kind is DataSource.DOWNLOAD else Path(origin)
    return replace(_from_path(path, check_allowed(path, settings) if confined else path), kind=kind, origin=origin)


def _nameable(text: str) -> bool:
    """Whether the system could have a file of this name."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, OSError) as e:  # `~nobody`, a folder that is gone
        raise SourceUnreadable(f"{shown(text)} cannot be read: {e}", hint="Give the path of one file") from e


def _is_path(text: str, *, confined: bool = False) -> bool:
    """Whether a text means a path; to its owner also a bare name of a file where this program runs."""
    path = Path(text)
    return (
        "/" in text or text.startswith("~") or path.suffix.lower() in FILE_SUFFIXES or (not confined and isfile(path))
    )


def _from_path(path: Path, real: Path) -> Source:
    """The table at `path`, read at `real`, where its links lead."""
    try:
        mode = real.stat().st_mode
    except FileNotFoundError as e:
        neighbours = [p.name for p in _listing(path.parent)]
        raise SourceUnreadable(f"There is no file '{path}'", hint=_did_you_mean(path.name, neighbours)) from e
    except OSError as e:
        raise SourceUnreadable(
            f"'{path}' cannot be read: {e.strerror}", hint="Check the path and its permissions"
        ) from e
    if not S_ISREG(mode):  # a pipe would be waited for, for ever
        what = "a folder" if S_ISDIR(mode) else "not a file"
        raise SourceUnreadable(f"'{path}' is {what}, not a table", hint="Give the path of one file")
    return Source(DataSource.FILE, str(path), asset_name(path), real)


def _folders(settings: Settings) -> tuple[Path, ...]:
    return (cache(settings), *settings.data_dir)


def _candidates(name: str, settings: Settings) -> Iterator[Path]:
    return (folder / f"{name}{ending}" for folder in _folders(settings) for ending in ENDINGS)


def _listing(folder: Path) -> list[Path]:
    """The files of a folder; none where there is no folder or it may not be listed."""
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError:
        return []


def _unknown(name: str, settings: Settings) -> SourceUnreadable:
    there = {asset_name(p) for folder in _folders(settings) for p in _listing(folder) if p.name.endswith(ENDINGS)}
    folders = ", ".join(str(folder) for folder in _folders(settings))
    looked = f"Looked for {name} with {', '.join(ENDINGS)} in {folders}"
    return SourceUnreadable(
        f"There is no table '{name}'", hint=f"{looked}. {_did_you_mean(name, sorted(there | {BANK_MARKETING}))}"
    )


def _did_you_mean(name: str, there: Sequence[str]) -> str:
    close = get_close_matches(name, there, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else "Give a path, or name more folders in SLIPWAY_DATA_DIR"


def _fetched(settings: Settings, announce: Callable[[str], None], sha256: str) -> Source | None:
    if settings.offline:
        announce("No folder has the Bank Marketing table, and SLIPWAY_OFFLINE forbids fetching it.")
        return None
    url, seconds = settings.data_url, settings.download_timeout_s
    announce(f"Fetching the Bank Marketing table from {url} (at most {seconds:g} s; SLIPWAY_OFFLINE=1 forbids it).")
    path = cache(settings) / f"{BANK_MARKETING_FILE}.csv"
    try:
        download(url, path, sha256=sha256, timeout_s=seconds)
    except SourceUnreadable as e:
        announce(f"{e.message}.")
        return None
    return Source(DataSource.DOWNLOAD, url, BANK_MARKETING, path)


def _twin(announce: Callable[[str], None]) -> Source:
    announce(f"Using the {TWIN}: no row of it is real, and its figures are not the real table's.")
    return Source(DataSource.TWIN, TWIN, BANK_MARKETING, None, TWIN_SEED)
