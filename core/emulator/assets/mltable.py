"""The file `MLTable`: which files a table is made of, and how they are read.

Known are the paths (`file`, `folder`, `pattern`), `read_delimited`, `read_parquet`, and what chooses rows and columns
(`keep_columns`, `drop_columns`, `take`, `skip`); every other step is refused by its name
(https://learn.microsoft.com/azure/machine-learning/reference-yaml-mltable).
"""

import codecs
from dataclasses import dataclass, field
from typing import Any

import yaml

from core.emulator.messages import AzureError

CODECS = {
    "utf8": "utf-8-sig", "utf8bom": "utf-8-sig", "ascii": "ascii", "iso88591": "latin-1", "latin1": "latin-1",
    "utf16": "utf-16", "utf32": "utf-32", "windows1252": "cp1252",
}  # fmt: skip
HEADERS = ("all_files_same_headers", "all_files_different_headers", "from_first_file", "no_header")
READERS = ("read_delimited", "read_parquet")
CHOICES = ("keep_columns", "drop_columns", "take", "skip")


@dataclass(frozen=True, slots=True)
class MLTable:
    """What a file `MLTable` says."""

    paths: tuple[tuple[str, str], ...]
    """(file, folder or pattern; where) of each."""
    reader: str
    delimiter: str = ","
    codec: str = "utf-8-sig"
    header: str = HEADERS[0]
    choices: tuple[tuple[str, Any], ...] = field(default=())
    """What is to be kept of rows and columns, in its order."""

    @property
    def plain(self) -> bool:
        """Whether the files say by themselves what the table is."""
        usual = self.delimiter == "," and self.codec in ("utf-8-sig", "ascii") and self.header == HEADERS[0]
        return not self.choices and (self.reader == "read_parquet" or usual)


def parsed(content: bytes) -> MLTable:
    """Raises AzureError 400 that names what cannot be understood."""
    try:
        said = yaml.safe_load(content.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise _bad(f"it is no YAML: {str(e).splitlines()[0]}") from e
    if not isinstance(said, dict):
        raise _bad("it is no mapping")
    reader, options, choices = "", {}, []
    for name, value in (_step(step) for step in said.get("transformations") or []):
        if name in READERS and not reader:
            reader, options = name, value if isinstance(value, dict) else {}
        elif name in CHOICES:
            choices.append((name, value))
        else:
            raise _bad(f"the emulation cannot do '{name}' (it knows {', '.join((*READERS, *CHOICES))})")
    if not reader:
        raise _bad(f"it has none of {', '.join(READERS)}, so that it is no table")
    if options.get("include_path_column"):
        raise _bad("the emulation cannot do 'include_path_column'")
    return MLTable(
        _paths(said.get("paths")), reader, _delimiter(options), _codec(options), _header(options), tuple(choices)
    )


def _step(step: Any) -> tuple[str, Any]:
    if isinstance(step, str):
        return step, None
    if isinstance(step, dict) and len(step) == 1:
        return next((str(name), value) for name, value in step.items())
    raise _bad(f"a transformation is no name with its options: {step!r}")


def _paths(said: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for entry in said if isinstance(said, list) else []:
        kind, where = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else ("", "")
        if kind not in ("file", "folder", "pattern"):
            raise _bad(f"a path is none of file, folder, pattern: {entry!r}")
        found.append((kind, str(where)))
    if not found:
        raise _bad("it has no paths")
    return tuple(found)


def _delimiter(options: dict[str, Any]) -> str:
    said = str(options.get("delimiter") or ",").replace("\\t", "\t")
    if len(said) != 1:
        raise _bad(f"the emulation reads delimiters of one letter, and no {said!r}")
    return said


def _codec(options: dict[str, Any]) -> str:
    said = str(options.get("encoding") or "utf8").lower().replace("-", "").replace("_", "")
    if said not in CODECS:
        raise _bad(f"the encoding '{said}' is none of {', '.join(CODECS)}")
    return codecs.lookup(CODECS[said]).name


def _header(options: dict[str, Any]) -> str:
    said = options.get("header", HEADERS[0])
    said = {True: HEADERS[0], False: "no_header"}.get(said, said) if isinstance(said, bool) else str(said).lower()
    if said not in HEADERS:
        raise _bad(f"the header '{said}' is none of {', '.join(HEADERS)}")
    return str(said)


def _bad(why: str) -> AzureError:
    return AzureError(400, "UserError", f"The MLTable file cannot be used: {why}")
