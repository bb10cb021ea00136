"""Data versions as people choose them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from core.domain.data import (
    DataAsset,
)
from core.ui.kit import words
from core.ui.shell import choices

BY_ROW: tuple[Literal["single-row"], Literal["single-cell"]] = ("single-row", "single-cell")
"""A row is opened by its box or by a click on any of its cells."""


def clicked(selection: Mapping[str, Any]) -> int | None:
    """The row of a table `BY_ROW` that was clicked."""
    rows = [row for row, _ in selection.get("cells", [])] or [*selection.get("rows", [])]
    return rows[0] if rows else None


def key_of(asset: DataAsset) -> str:
    """How an address names a data version: `bankmarketing-train:1`."""
    return f"{asset.name}:{asset.version}"


def choose(assets: Sequence[DataAsset], *, key: str = "data", label: str = "Table") -> DataAsset:
    """The data version that the visitor (or the address, under `key`) chooses."""
    by_key = {key_of(asset): asset for asset in assets}
    return by_key[choices.choose(label, {k: words.asset(a.ref) for k, a in by_key.items()}, key=key)]
