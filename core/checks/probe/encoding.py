"""Replies that are JSON inside a JSON string, as old AutoML services sent them: what they mean."""

import json
from typing import Any


def meant(status: int, reply: bytes) -> tuple[int, bytes]:
    """Status and reply as they were meant: encoded once, and an error as the refusal that it is."""
    inner = inside(reply)
    if inner is None:
        return status, reply
    if status == 200 and is_error(inner):
        return 400, json.dumps({"message": inner["error"]}).encode()
    return status, json.dumps(inner).encode()


def inside(reply: bytes) -> Any:
    """What a JSON string holds that holds JSON itself; None for anything else."""
    try:
        text = json.loads(reply)
        inner = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return inner if isinstance(inner, dict | list) else None


def is_error(inner: Any) -> bool:
    """Whether it is an error that AutoML's score script gave for a result."""
    return isinstance(inner, dict) and set(inner) == {"error"}
