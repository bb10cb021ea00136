"""A scoring server that scores nothing, but lives as a real one does: `python tests/fake_server.py --endpoint-file F`.

It listens, follows the endpoint file and says in the status file what it has taken up. A deployment whose model
is called `broken` does not load; one called `deadly` ends the process. `--format N` says that it is of that format
until SIGHUP gives it new workers, which are of the next; 0 is of a time when servers did not say, nor could do that.
"""

import contextlib
import http.server
import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path

FOLLOW_EVERY_S = 0.02


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Healthy")

    def log_message(self, format: str, *arguments: object) -> None:
        """No line a request."""


def take_up(file: Path, format: int) -> int:
    wanted = json.loads(file.read_bytes())
    states = {}
    for name, deployment in wanted["deployments"].items():
        folder = Path(deployment["folder"]).parent.name
        if folder == "deadly":
            sys.exit("ValueError: a deadly model")
        states[name] = (
            {"state": "failed", "error": "ModelUnreadable: broken"} if folder == "broken" else {"state": "ready"}
        )
    status = Path(wanted["status_file"])
    temporary = status.with_suffix(".tmp")
    said = {"pid": os.getpid(), "version": wanted["version"], "deployments": states}
    temporary.write_text(json.dumps(said | ({"format": format} if format else {})))
    os.replace(temporary, status)
    return wanted["version"]


def main(file: Path, format: int) -> None:
    stopping, rolled = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGHUP, lambda *_: rolled.set())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", json.loads(file.read_bytes())["port"]), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    version = 0
    while not stopping.wait(FOLLOW_EVERY_S):
        if rolled.is_set():
            format, version = format + 1, 0
            rolled.clear()
        with contextlib.suppress(FileNotFoundError):  # a real one serves on, too
            if json.loads(file.read_bytes())["version"] != version:
                version = take_up(file, format)


if __name__ == "__main__":
    given = ArgumentParser()
    given.add_argument("--endpoint-file", type=Path, required=True)
    given.add_argument("--format", type=int, default=1)
    options = given.parse_args()
    main(options.endpoint_file, options.format)
