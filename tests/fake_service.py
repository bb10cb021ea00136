"""The real service over `fake_worker` and `fake_server`: `python tests/fake_service.py`."""

import sys
from functools import partial
from pathlib import Path

from core.local.service.loop import Service, main

HERE = Path(__file__).parent
WORKER = (sys.executable, str(HERE / "fake_worker.py"))
SERVER = (sys.executable, str(HERE / "fake_server.py"))

if __name__ == "__main__":
    sys.exit(main(partial(Service, worker=WORKER, server=SERVER)))
