"""A scoring server that scores nothing, but lives as a real one does: `python tests/fake_server.py --endpoint-file F`.

It listens, follows the endpoint file and says in the status file what it has taken up. A deployment whose model folder
is called `broken` does not load; one called `deadly` ends the process.
"""

import http.server
import json
import os
import signal
import sys
import threading
from pathlib import Path

FOLLOW_EVERY_S = 0.02


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Healthy")

    def log_message(self, format: str, *arguments: object) -> None:
        """No line a request."""


def take_up(file: Path) -> int:
    wanted = json.loads(file.read_bytes())
    states = {}
    for name, deployment in wanted["deployments"].items():
        folder = Path(deployment["folder"]).name
        if folder == "deadly":
            sys.exit("ValueError: a deadly model")
        states[name] = (
            {"state": "failed", "error": "ModelUnreadable: broken"} if folder == "broken" else {"state": "ready"}
        )
    status = Path(wanted["status_file"])
    temporary = status.with_suffix(".tmp")
    temporary.write_text(json.dumps({"pid": os.getpid(), "version": wanted["version"], "deployments": states}))
    os.replace(temporary, status)
    return wanted["version"]


def main(file: Path) -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", json.loads(file.read_bytes())["port"]), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    version = 0
    while not stopping.wait(FOLLOW_EVERY_S):
        if json.loads(file.read_bytes())["version"] != version:
            version = take_up(file)


if __name__ == "__main__":
    main(Path(sys.argv[sys.argv.index("--endpoint-file") + 1]))
