"""Forward what the endpoints of the workspace in this folder record, while the process that started this one lives."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from core.forwarding.destinations import destinations
from core.forwarding.run import LOCK, alone, forward
from core.settings import read_settings


def main(folder: Path) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings, parent, ending = read_settings(os.environ), os.getppid(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())

    def stopping() -> bool:
        return ending.is_set() or os.getppid() != parent

    with alone(folder / LOCK, stopping):
        forward(folder, destinations(settings), stopping, wait=ending.wait)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
