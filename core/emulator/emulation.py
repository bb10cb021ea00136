"""What every handler works with."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.emulator.clock import Clock
from core.emulator.names import Names
from core.emulator.state import State
from core.workspace import Workspace


@dataclass(frozen=True)
class Options:
    """What whoever starts the emulation may choose."""

    allow_code: bool = False
    """Whether code that a client sends (score.py, command jobs, pickled models) may run on this machine."""
    scale: float = 30.0
    """Emulated seconds of a job's budget in a real one: 15 minutes are 30 s."""
    retry_after_ms: int = 200
    """How soon a client is asked to look again at a long-running operation."""
    poll_s: float = 0.2
    """How often schedules, pipelines and operations are looked at."""
    starts_service: bool = True
    """Whether the workspace's service is started once something is to be served."""


@dataclass(frozen=True)
class Emulation:
    """One emulated workspace of Azure ML over a workspace of ours."""

    workspace: Workspace
    folder: Path
    """Where its own state lies: `emulation` in the workspace's folder."""
    state: State
    clock: Clock
    secret: str
    """Made for the run: the client's secret, the proxy's password, and the key that signs tokens."""
    names: Names = field(default_factory=Names)
    options: Options = field(default_factory=Options)
    client: dict[str, str] = field(default_factory=dict)
    """The variables that a client needs, once the emulation listens; commands that run here get them too."""
    stopping: threading.Event = field(default_factory=threading.Event)


Tick = Callable[[Emulation], None]
"""Looks after what goes on by itself; called every `poll_s` seconds, one after the other."""
