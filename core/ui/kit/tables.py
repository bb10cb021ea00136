"""Data versions as people choose them."""

from collections.abc import Sequence

from core.domain.data import (
    DataAsset,
)
from core.ui.kit import words
from core.ui.shell import choices


def key_of(asset: DataAsset) -> str:
    """How an address names a data version: `bankmarketing-train:1`."""
    return f"{asset.name}:{asset.version}"


def choose(assets: Sequence[DataAsset], *, key: str = "data", label: str = "Table") -> DataAsset:
    """The data version that the visitor (or the address, under `key`) chooses."""
    by_key = {key_of(asset): asset for asset in assets}
    return by_key[choices.choose(label, {k: words.asset(a.ref) for k, a in by_key.items()}, key=key)]
