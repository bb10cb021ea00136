"""Whether a process has come to its end."""

import psutil

from core.local.machine import processes


def gone(process: int | psutil.Process) -> bool:
    """It runs no more; one that nobody has reaped has, too: the first process of a busy machine does that late."""
    try:
        found = psutil.Process(process) if isinstance(process, int) else process
        return not found.is_running() or processes.ended(found)
    except psutil.NoSuchProcess:
        return True
