"""What processes hold in memory."""

import psutil


def held_mb(pid: int) -> float:
    """Of a process and its children together, 10^6 bytes; a page that several share is divided by their number."""
    process = psutil.Process(pid)
    infos = [one.memory_full_info() for one in (process, *process.children(recursive=True))]
    return sum(getattr(info, "pss", info.uss) for info in infos) / 1e6  # only Linux knows shares
