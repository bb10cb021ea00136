"""`doctor` on this machine."""

import http.server
import socket
import threading
from dataclasses import replace

from backends import settings

from core.domain.monitoring import FindingState, ServiceStatus
from core.forwarding import standing
from core.forwarding.standing import Standing
from core.local.context import Context
from core.local.doctor import findings
from core.local.workspace import open_local

DOWN = ServiceStatus(False, None, "", None, "", "")


def looked(settings):
    return {finding.name: finding for finding in findings(Context(settings), lambda: DOWN)}


def test_a_new_folder_has_nothing_that_failed_and_nothing_is_made(tmp_path):
    home = tmp_path / "workspace"
    found = list(open_local(settings(home)).service.doctor())
    assert [finding for finding in found if finding.state is FindingState.FAILED] == []
    assert not home.exists()


def test_a_folder_that_others_may_read_is_said_with_the_command(tmp_path):
    home = tmp_path / "workspace"
    home.mkdir()
    home.chmod(0o755)
    found = looked(settings(home))["Folder"]
    assert (found.state, found.hint) == (FindingState.WARNING, f"chmod 700 {home}")


def test_what_is_too_much_for_the_machine_is_said(tmp_path):
    found = looked(replace(settings(tmp_path), threads=5000, memory_mb=90_000_000))
    assert (found["Threads"].state, found["Memory"].state) == (FindingState.WARNING, FindingState.WARNING)


def test_a_port_that_is_taken_is_found_before_the_service_wants_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = looked(replace(settings(tmp_path), service_port=port))["Port"]
    assert found.state is FindingState.FAILED
    assert str(port) in found.detail


UP = ServiceStatus(True, 1, "http://127.0.0.1:1", 0.0, "", "")


def test_how_the_forwarding_of_records_stands_is_said(tmp_path):
    queue = tmp_path / "endpoints" / "bank" / "forward"
    queue.mkdir(parents=True)
    (queue / "seg-1-9-1.jsonl").write_text("{}\n")
    told = replace(settings(tmp_path), otlp_url="http://127.0.0.1:9")

    def said(service, **standings):
        standing.write(tmp_path, standings)
        return [(f.state, f.detail) for f in findings(Context(told), lambda: service) if f.name == "Forwarding"]

    ((state, text),) = said(DOWN)
    assert (state, "while the service runs. Waiting: 1 file" in text) == (FindingState.OK, True)
    ((state, text),) = said(UP)
    assert (state, "was started without it" in text) == (FindingState.WARNING, True)
    ((state, text),) = said(UP, otlp=Standing())
    assert (state, text.startswith("the OTLP collector takes what is recorded")) == (FindingState.OK, True)
    ((state, text),) = said(UP, otlp=Standing(failing_since=0.0, why="it answered 401"))
    assert (state, "1970-01-01" in text, "it answered 401. Waiting" in text) == (FindingState.WARNING, True, True)
    ((state, text),) = said(UP, otlp=Standing(refused=3, refused_why="it answered 400"))
    assert (state, "refused 3 records for good" in text) == (FindingState.WARNING, True)


def test_an_endpoint_that_has_lost_records_is_named(world):
    class Counting(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(
                b'# TYPE x counter\nx{a="1"} 9\nslipway_rows_total 7\nslipway_telemetry_dropped_total 12\n'
            )

        def log_message(self, *said):
            """Say nothing."""

    def records():
        return [f for f in findings(Context(world.settings), lambda: DOWN) if f.name == "Records"]

    world.add_endpoint("bank")
    assert records() == []
    port = int(world.endpoint("bank").metrics_uri.rpartition(":")[2].partition("/")[0])
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Counting) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        (found,) = records()
        server.shutdown()
    assert (found.state, found.detail) == (
        FindingState.WARNING,
        "'bank' has lost 12 records since its server started",
    )
