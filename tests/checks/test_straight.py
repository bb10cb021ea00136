"""The checks send nothing to a proxy of the environment, no password of `~/.netrc`, and trust whom our client does."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from own_tls import certificate, serving_tls
from turns import on_day

from contract_tests.reference import KEY, Handler, Reference, serving
from core.checks.effort import Depth
from core.checks.generated.drive import Findings, drive
from core.checks.probe.probe import Probe
from core.checks.probe.source import fetch
from core.domain.proof import Target

LITTLE = Depth(rows=4, examples=3, generated_s=4.0)
NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class Listening(Reference):
    """Keeps every Authorization that came."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def authorized(self, header: str) -> bool:
        self.heard.add(header)
        return super().authorized(header)


class Proxy(BaseHTTPRequestHandler):
    """Keeps what it was asked for, and answers nothing."""

    asked: list[str]

    def handle(self) -> None:
        self.asked.append(self.rfile.readline().decode("latin-1"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was asked of a proxy that the environment names for every address."""
    lines: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Recording", (Proxy,), {"asked": lines})) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        for name in NAMES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield lines
        proxy.shutdown()


def generated(url: str) -> Findings:
    target = Target(url, KEY)
    probe = Probe(target, fetch(target), seed=0, depth=LITTLE)
    try:
        return drive(probe)
    finally:
        probe.close()


@on_day(0, 3)
def test_no_proxy_of_the_environment_sees_a_request(asked: list[str]) -> None:
    with serving(Reference()) as url:
        findings = generated(url)
    assert asked == []
    assert findings.passed["not_a_server_error"] > 0
    assert findings.unanswered == {}


@on_day(1, 3)
def test_no_password_of_a_netrc_stands_in_the_place_of_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = Listening()
    with serving(server) as url:
        generated(url)
    assert f"Bearer {KEY}" in server.heard
    assert f"Basic {base64.b64encode(b'ada:secret').decode()}" not in server.heard


@on_day(2, 3)
def test_whom_our_client_trusts_is_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pem = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving_tls(pem, type("Handler", (Handler,), {"reference": Reference()})) as url:
        findings = generated(url)
    assert findings.unanswered == {}
    assert findings.passed["not_a_server_error"] > 0
