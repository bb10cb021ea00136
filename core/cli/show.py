"""Domain values as JSON for programs and as text for people."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from core.domain.plain import plain_fields

WIDTH_MAX = 60
"""Longer cells of a list are cut, save the last of a line: `show` and `--json` have them whole."""

MOMENTS = ("at", "since", "until", "last", "began", "recorded_since")
"""Fields that hold seconds since the epoch, besides all that end in `_at`."""


def plain(value: Any) -> Any:
    """Any domain value as JSON's own types. What is hidden from `repr` (keys) is left out; NaN becomes null."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(held) for f, held in plain_fields(value) if f.repr or not held}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def as_text(value: Any, columns: tuple[str, ...] = ()) -> str:
    """A table for a list of records, `field  value` lines for one record, the text itself for text."""
    value = plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(_record(value))
    if isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        return _table(value, columns or _short(value))
    return "\n".join(_cell("", item) for item in value) if isinstance(value, list) else _cell("", value)


def _record(value: Mapping[str, Any]) -> list[str]:
    """A line for each field; what has parts of its own stands below its name, without those that are empty.

    What makes figures doubtful stands before the figures.
    """
    value = {key: value[key] for key in sorted(value, key=lambda key: key != "notes")}
    wide = max((len(key) for key, item in value.items() if not _below(item)), default=0)
    lines = []
    for key, item in value.items():
        parts = _below(item)
        lines += [key, *(f"  {line}" for line in parts)] if parts else [f"{key:<{wide}}  {_cell(key, item) or '-'}"]
    return lines


def _below(item: Any) -> list[str]:
    """The lines of a value that one line cannot hold; none where it can."""
    if isinstance(item, dict):
        return _record({key: part for key, part in item.items() if part not in (None, "", [], {})})
    if isinstance(item, list) and item and all(isinstance(part, dict) and part for part in item):
        return _table(item, _short(item)).splitlines()
    if isinstance(item, list) and any(isinstance(part, str) and len(part) > WIDTH_MAX for part in item):
        return [_cell("", part) for part in item]
    return []


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    lines = [list(columns), *([_cell(c, row.get(c)) for c in columns] for row in rows)]
    lines = [[*(_cut(cell) for cell in line[:-1]), " ".join(line[-1].split())] for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _short(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that hold single values in every row; all of them where none does."""
    return [key for key in rows[0] if not any(isinstance(row.get(key), dict | list) for row in rows)] or list(rows[0])


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "-"
    if (key.endswith("_at") or key in MOMENTS) and isinstance(value, int | float):
        return datetime.fromtimestamp(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and value and not any(isinstance(part, dict) for part in value):
        return ", ".join(_cell(key, part).replace(", ", " ") for part in value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else "-"
    return str(value)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= WIDTH_MAX else f"{text[: WIDTH_MAX - 1]}…"
