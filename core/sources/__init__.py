"""Where a table comes from, and how any supported file becomes Parquet with the SHA-256 of its bytes."""

from core.sources.find import BANK_MARKETING, Source, again, asset_name, available, check_source, resolve
from core.sources.ingest import Ingested, ingest, sha256

__all__ = [
    "BANK_MARKETING",
    "Ingested",
    "Source",
    "again",
    "asset_name",
    "available",
    "check_source",
    "ingest",
    "resolve",
    "sha256",
]
