"""Where jobs run, and how much each may take."""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.domain.errors import SpecInvalid
from core.domain.names import check_name
from core.domain.rules import check_text, check_whole, shown

RAY_ADDRESS = re.compile(r"auto|([^\s:/\[\]]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")


class ExecutorKind(StrEnum):
    """What runs the trials of a training."""

    PROCESSES = "processes"
    """A process for each: killable, and limited in memory."""
    IN_PROCESS = "in-process"
    """One after the other in the job's own process: for tiny tables; a canceled trial ends after its fold."""
    RAY = "ray"
    """Tasks of a Ray cluster: one that is started here, or one at an address."""


@dataclass(frozen=True, slots=True)
class Compute:
    """A named limit: how many jobs at once, with how many threads and how much memory each; or a cluster."""

    name: str
    max_concurrent: int = 1
    threads: int = 2
    memory_mb: int = 4096
    size: str = ""
    """Of a cluster's machines; empty where there is no cluster, and for the size that the settings name."""
    max_nodes: int = 0
    """So many machines a cluster has at most; 0 where there is none, and for the number in the settings."""
    executor: ExecutorKind = ExecutorKind.PROCESSES
    """What runs the trials of the trainings that run here."""
    ray_address: str = ""
    """Of the Ray cluster, HOST:PORT or `auto` for the one on this machine; empty: each training starts one here."""

    def __post_init__(self) -> None:
        check_name("a compute", self.name)
        where = f" of compute '{self.name}'"
        check_whole(f"max_concurrent{where}", self.max_concurrent, 1, 10_000)
        check_whole(f"threads{where}", self.threads, 1, 10_000)
        check_whole(f"memory_mb{where}", self.memory_mb, 256, 1_000_000_000)
        check_text(f"size{where}", self.size, empty=True)
        check_whole(f"max_nodes{where}", self.max_nodes, 0, 10_000)
        check_text(f"ray_address{where}", self.ray_address, empty=True)
        if self.executor not in tuple(ExecutorKind):
            raise SpecInvalid(
                f"The executor{where} is '{self.executor}'", hint=f"Choose one of: {', '.join(ExecutorKind)}"
            )
        if self.ray_address and not RAY_ADDRESS.fullmatch(self.ray_address):
            raise SpecInvalid(
                f"The ray_address{where} is {shown(self.ray_address)}, expected HOST:PORT or 'auto'",
                hint="The port is the one of `ray start --head`, 6379 unless it says another",
            )
        if self.ray_address and self.executor != ExecutorKind.RAY:
            raise SpecInvalid(
                f"The ray_address{where} is '{self.ray_address}', and its executor is '{self.executor}'",
                hint="Choose the executor 'ray', or leave the address out",
            )
