"""What a server costs, over all its processes: servers fork workers, some in sessions of their own. Linux, /proc."""

import os
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat, counted from the state on.
PARENT, SESSION, USER, SYSTEM, START = 1, 3, 11, 12, 19


def cpu_s(root: int) -> float:
    """Seconds of processor time that the family's processes have used so far, by themselves and for the system."""
    return sum(int(stat[USER]) + int(stat[SYSTEM]) for stat in family(root).values()) / TICKS_PER_S


def pss_mb(root: int) -> float:
    """Proportional set size: a page that several processes share counts once."""
    kb = 0
    for process in family(root):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kb / 1024


def family(root: int) -> dict[int, list[str]]:
    """The process that leads session `root`, all of the session, and all their descendants, with their `stat`."""
    alive = _alive()
    found = {process for process, stat in alive.items() if process == root or int(stat[SESSION]) == root}
    while more := {p for p, stat in alive.items() if int(stat[PARENT]) in found} - found:
        found |= more
    return {process: alive[process] for process in sorted(found)}


def _alive() -> dict[int, list[str]]:
    alive = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name, in parentheses, may hold anything, spaces too.
            alive[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return {process: stat for process, stat in alive.items() if stat[0] != "Z"}
