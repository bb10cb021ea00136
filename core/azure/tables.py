"""The tables of data assets: what Azure knows of them, and their rows, fetched once to this machine."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.azure.context import TAG, Context
from core.azure.names import asset_name, mapping
from core.azure.storage import arriving, download, put
from core.azure.translate import data_asset
from core.domain.data import DataAsset, DataRef, DataSource, Reading, TableProfile
from core.domain.errors import DataNotFound, NotFound, SourceUnreadable
from core.domain.plain import plain
from core.ml.data.profile import from_json, profile_table, to_json
from core.sources import Source
from core.sources.asset import ingested

TABLE = "table.parquet"
SOURCE = "source"
"""The bytes of an upload, beside its table."""
PROFILE, ASSET = "profile.json", "asset.json"
NO_TABLES = re.compile(r"azureml_.+_(input|output)_data_.+|slipway-(gate|load)\..*", re.IGNORECASE)
"""Assets that Azure makes itself of what its jobs read and write, and our kept reports."""
REPORT = f"{TAG}.report"
AT_ONCE = 8
"""Requests for lists that have no list of lists."""


@dataclass(frozen=True, slots=True)
class Held:
    """A version, and where its files lie in Azure."""

    asset: DataAsset
    uri: str
    kind: str
    key: str
    """Of its files on this machine."""


class Tables:
    """The data assets of one workspace, for every collection that reads them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def all(self) -> list[Held]:
        """Every version of every asset, newest first."""
        with self._context.asking("data") as client:
            names = [str(each.name) for each in client.data.list()]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(self._versions, (name for name in names if not NO_TABLES.fullmatch(name)))
        return sorted((held for each in found for held in each), key=_newest, reverse=True)

    def versions(self, name: str) -> list[Held]:
        """The versions of one asset, newest first; none where there is no such asset."""
        return sorted(self._versions(asset_name(name)), key=attrgetter("asset.version"), reverse=True)

    def _versions(self, name: str) -> list[Held]:
        try:
            with self._context.asking("data", name) as client:
                return [held for data in client.data.list(name=name) if (held := self.held(data))]
        except NotFound:
            return []

    def find(self, ref: DataRef) -> Held:
        """One version, 0 for the newest. Raises DataNotFound."""
        for held in self.versions(ref.name):
            if ref.version in (0, held.asset.version):
                return held
        with self._context.asking("data") as client:
            known = ", ".join(sorted(str(each.name) for each in client.data.list())) or "none yet"
        raise DataNotFound(f"There is no data asset '{ref}'", hint=f"Registered: {known}")

    def held(self, data: Any) -> Held | None:
        """A version that Azure's SDK gives; None for one that nobody can name."""
        asset = data_asset(data)
        if asset is None or REPORT in mapping(data.tags):
            return None
        key = asset.content_id if asset.sha256 else sha256(str(data.id).lower().encode()).hexdigest()
        held = Held(asset, str(data.path or ""), str(data.type), key)
        kept = self.folder(held) / ASSET
        if not asset.sha256 and kept.exists():  # somebody else's, which was read here before
            known = msgspec.json.decode(kept.read_bytes(), type=DataAsset)
            return replace(held, asset=replace(known, version=asset.version, created_at=asset.created_at))
        return held

    def folder(self, held: Held) -> Path:
        """Where its files are on this machine, once they were fetched."""
        return self._context.folder / "data" / held.key

    def keep(self, held: Held, made: Path) -> None:
        """Its files, made here, need not be fetched."""
        put(made, self.folder(held))

    def table(self, held: Held) -> Path:
        """Its rows as Parquet, on this machine. Raises SourceUnreadable for what is no table."""
        folder = self.folder(held)
        if not (folder / TABLE).exists():
            with arriving(self._context, folder) as made:
                if held.asset.sha256:
                    download(self._context, f"{held.uri.rstrip('/')}/{TABLE}", made)
                else:
                    self._read(held, made)
        if not (folder / TABLE).exists():
            raise SourceUnreadable(
                f"The files of {held.asset.ref} are not in the workspace's storage any more",
                hint="Register the table again",
            )
        return folder / TABLE

    def source(self, held: Held) -> Path:
        """The bytes that were uploaded. Raises SourceUnreadable where they were not kept."""
        path = self._context.folder / "uploads" / held.key / SOURCE
        if not path.exists():
            with arriving(self._context, path.parent) as made:
                download(self._context, f"{held.uri.rstrip('/')}/{SOURCE}", made)
        if not path.exists():
            raise SourceUnreadable(f"The file '{held.asset.origin}' is not kept any more", hint="Upload it again")
        return path

    def profile(self, held: Held) -> TableProfile:
        """Every column summarised; made once."""
        table = self.table(held)
        return profiled(table)

    def read(self, held: Held) -> DataAsset:
        """The asset with its rows and columns, also of one that was made elsewhere."""
        if held.asset.sha256:
            return held.asset
        self.table(held)
        known = msgspec.json.decode((self.folder(held) / ASSET).read_bytes(), type=DataAsset)
        return replace(known, version=held.asset.version, created_at=held.asset.created_at)

    def _read(self, held: Held, made: Path) -> None:
        """Fetch a table that was made elsewhere, and read it as any other."""
        fetched = made / "fetched"
        fetched.mkdir()
        download(self._context, held.uri, fetched)
        path, reading = _only_table(held, fetched, self._context)
        found = Source(DataSource.FILE, held.uri, held.asset.name, path)
        asset = ingested(found, held.asset.name, made / TABLE, reading, held.asset.created_at)
        (made / ASSET).write_bytes(msgspec.json.encode(plain(asset)))


def profiled(table: Path) -> TableProfile:
    """The profile of a table, kept beside it."""
    kept = table.parent / PROFILE
    if not kept.exists():
        made = table.parent / f".{PROFILE}.{sha256(str(id(kept)).encode()).hexdigest()[:8]}"
        made.write_bytes(msgspec.json.encode(to_json(profile_table(table))))
        made.replace(kept)
    return from_json(msgspec.json.decode(kept.read_bytes()))


def _newest(held: Held) -> tuple[float, int]:
    return held.asset.created_at, held.asset.version


def _only_table(held: Held, folder: Path, context: Context) -> tuple[Path, Reading]:
    """The one file of somebody else's asset that is a table, and how it says that it is to be read."""
    delimiter, files = "", [path for path in folder.rglob("*") if path.is_file()]
    if held.kind == "mltable":
        described = next((path for path in files if path.name == "MLTable"), None)
        if described is None:
            raise SourceUnreadable(f"{held.asset.ref} is no MLTable: it has no file of that name", hint=HINT)
        delimiter, files = _described(described, context)
    tables = [path for path in files if not path.name.startswith((".", "_"))]
    if len(tables) != 1:
        raise SourceUnreadable(
            f"{held.asset.ref} consists of {len(tables)} files, only a single one can be read here", hint=HINT
        )
    return tables[0], Reading(delimiter=delimiter if len(delimiter) == 1 else "")


HINT = "Register one file, CSV or Parquet"


def _described(mltable: Path, context: Context) -> tuple[str, list[Path]]:
    """What an MLTable says of its table: the sign between its cells, and its files."""
    try:
        document = yaml.safe_load(mltable.read_text("utf-8"))
        paths = [str(value) for each in document["paths"] for value in each.values()]
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as e:
        raise SourceUnreadable(f"The MLTable file cannot be read: {e}", hint=HINT) from e
    steps = {key: value for each in document.get("transformations") or () if isinstance(each, dict)
             for key, value in each.items()}  # fmt: skip
    delimited = steps.get("read_delimited")
    delimiter = str(delimited.get("delimiter") or "") if isinstance(delimited, dict) else ""
    return delimiter, sorted({file for path in paths for file in _files(path, mltable.parent, context)})


def _files(path: str, folder: Path, context: Context) -> Iterable[Path]:
    """The files that one path of an MLTable means: beside it, by a pattern, or at an address."""
    if "://" in path:
        there = folder / "fetched"
        download(context, path, there)
        return [each for each in there.rglob("*") if each.is_file()]
    name = path.removeprefix("./")
    if not name or name.startswith("/") or ".." in Path(name).parts:
        return []
    found = list(folder.glob(name))
    return [file for each in found for file in (each.rglob("*") if each.is_dir() else [each]) if file.is_file()]
