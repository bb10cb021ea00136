"""Whether a table has what a model reads."""

from collections.abc import Sequence

from core.domain.errors import TableUnusable
from core.domain.signature import Signature


def check_columns(signature: Signature, columns: Sequence[str], table: str) -> None:
    """Raise TableUnusable that names the columns which the model needs and the table has not."""
    missing = [column.name for column in signature.used if column.name not in columns and not column.nullable]
    if missing:
        what = "a column" if len(missing) == 1 else f"{len(missing)} columns"
        raise TableUnusable(
            f"'{table}' lacks {what} that the model reads: {', '.join(missing[:10])}",
            hint=f"It has: {', '.join(list(columns)[:20])}",
        )
