"""Findings in one line each."""

from core.domain.monitoring import Finding, FindingState


def fine(name: str, detail: str) -> Finding:
    """Nothing to do."""
    return Finding(name, FindingState.OK, detail)


def beware(name: str, detail: str, hint: str = "") -> Finding:
    """It works, but not as one may think."""
    return Finding(name, FindingState.WARNING, detail, hint)


def failed(name: str, detail: str, hint: str = "") -> Finding:
    """It cannot work like this."""
    return Finding(name, FindingState.FAILED, detail, hint)
