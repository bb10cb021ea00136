"""Counts in sentences: a number with its noun in the right form."""


def counted(number: int, one: str, many: str = "") -> str:
    """(1, "row") -> `1 row`; (2000, "row") -> `2,000 rows`; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
