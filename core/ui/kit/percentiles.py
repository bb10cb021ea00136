"""Percentiles with what they stand on: of a few requests, the 99th percentile is only the longest of them."""

from core.ui.kit import words

P99_MIN, P95_MIN = 100, 20
"""With fewer requests, less than one of them is beyond the percentile."""


def p99(value: float | None, requests: int) -> str:
    """`3.9 ms`; a dash below 100 requests."""
    return words.milliseconds(value if requests >= P99_MIN else None)


def p95(value: float | None, requests: int) -> str:
    """`2.4 ms`; a dash below 20 requests."""
    return words.milliseconds(value if requests >= P95_MIN else None)


def why_none(requests: int, least: int = P99_MIN) -> str:
    """Why there is a dash; empty where there is none."""
    return f" Shown from {least} requests; there were {requests}." if requests < least else ""
