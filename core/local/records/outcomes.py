"""Files of outcomes, which `watching.feedback` writes and reads, removed when all that is in them is too old."""

import time
from pathlib import Path

DAY_S = 86_400.0


def forget(folder: Path, max_days: float) -> None:
    """Remove what was written so long ago: the requests in it are older still."""
    for file in folder.glob("[0-9]*.parquet"):
        if file.stat().st_mtime < time.time() - max_days * DAY_S:
            file.unlink(missing_ok=True)
