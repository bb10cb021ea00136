"""The real service over `fake_worker` and `fake_server`: `python tests/fake_service.py`."""

import sys
from functools import partial
from pathlib import Path

from core.local.service.loop import Service, main

HERE = Path(__file__).parent
WORKER = (sys.executable, str(HERE / "fake_worker.py"))
SERVER = (sys.executable, str(HERE / "fake_server.py"))


def serve(_: list[str]) -> int:
    """As the service's own `main`, over the fakes."""
    return main(partial(Service, worker=WORKER, server=SERVER))


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:]))
