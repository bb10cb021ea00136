"""Where the service's door listens: loopback unless told otherwise, and then with TLS or by name."""

import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_world import World
from own_tls import certificate, serving_tls
from waiting import wait_until

from core.domain.errors import SpecInvalid
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.local import control
from core.local.machine.asking import answers, leaf
from core.local.service.binding import allowed_hosts, binding
from core.local.service.loop import Service, main
from core.local.workspace import open_local
from core.settings import Settings, read_settings


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls") / "own.pem")


class Well(BaseHTTPRequestHandler):
    """200 for whatever is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def told(tmp_path: Path, **given: str) -> Settings:
    return read_settings({}, home=str(tmp_path / "home"), **{f"service_{name}": value for name, value in given.items()})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(tmp_path: Path, host: str) -> None:
    bound = binding(told(tmp_path, host=host))
    assert (bound.tls, bound.certificate) == (None, "")
    assert bound.url(80).startswith("http://")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "fe80::1"])
def test_another_address_needs_tls_or_leave(tmp_path: Path, pem: Path, host: str) -> None:
    with pytest.raises(SpecInvalid, match="keys would be sent in clear text") as refused:
        binding(told(tmp_path, host=host))
    assert "SLIPWAY_SERVICE_ALLOW_HTTP=1" in refused.value.hint
    assert binding(told(tmp_path, host=host, allow_http="1")).url(80).startswith("http://")
    assert binding(told(tmp_path, host=host, tls_cert=str(pem), tls_key=str(pem))).url(80).startswith("https://")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"host": "example.org"}, "expected an IP address"),
        ({"host": "127.0.0.1/8"}, "expected an IP address"),
        ({"tls_cert": "OWN"}, "needs a certificate and its key"),
        ({"tls_key": "OWN"}, "needs a certificate and its key"),
        ({"tls_cert": "OWN", "tls_key": "nowhere.pem"}, "cannot be used"),
        ({"tls_cert": "nowhere.pem", "tls_key": "OWN"}, "cannot be used"),
        ({"tls_cert": "OWN", "tls_key": "OTHER"}, "cannot be used"),
        ({"tls_cert": "EMPTY", "tls_key": "OWN"}, "cannot be used"),
    ],
)
def test_what_cannot_work_is_refused_before_the_service_listens(
    tmp_path: Path, pem: Path, given: dict[str, str], said: str
) -> None:
    (empty := tmp_path / "empty.pem").write_text("")
    files = {"OWN": str(pem), "EMPTY": str(empty), "OTHER": str(certificate(tmp_path / "other.pem"))}
    with pytest.raises(SpecInvalid, match=said) as refused:
        binding(told(tmp_path, **{name: files.get(value, value) for name, value in given.items()}))
    assert refused.value.hint


def test_clients_are_given_a_name_where_there_is_one_and_this_machine_uses_the_address(tmp_path: Path) -> None:
    bound = binding(told(tmp_path, host="0.0.0.0", allow_http="1", names="Slipway.example, other "))
    assert (bound.url(8443), bound.local_url(8443)) == ("http://slipway.example:8443", "http://127.0.0.1:8443")
    assert set(allowed_hosts(bound)) == {"slipway.example", "other", "0.0.0.0"}
    assert binding(told(tmp_path, host="::", allow_http="1")).local_url(1) == "http://[::1]:1"


def test_the_service_says_why_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SLIPWAY_SERVICE_HOST", "0.0.0.0")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    assert main() == 1
    name, _, sentence = capsys.readouterr().err.strip().splitlines()[-1].partition(": ")
    assert control.CAUSES[name] is SpecInvalid
    assert sentence.startswith("SLIPWAY_SERVICE_HOST is 0.0.0.0, which others can reach")


@pytest.fixture
def secure(tmp_path: Path, pem: Path) -> Iterator[World]:
    """A workspace whose service speaks TLS under a certificate of its own, in a thread of ours."""
    world = World(tmp_path / "home", service_tls_cert=str(pem), service_tls_key=str(pem), service_names="slipway.test")
    service = Service(world.settings)
    thread = threading.Thread(target=service.run)
    thread.start()
    wait_until(lambda: control.status(world.settings).running, 20)
    yield world
    service.stop()
    thread.join(20)
    world.close()


def test_the_service_speaks_tls_under_its_own_certificate(secure: World, pem: Path) -> None:
    now = control.start_detached(secure.settings)
    assert now.url.startswith("https://slipway.test:"), "it runs, and answers at its own address"
    published = open_local(secure.settings).pipelines.publish(
        PipelineSpec("p", (PipelineStep("a", StepKind.PREPARE, settings={"data": "t"}),))
    )
    assert published.trigger_uri == f"{now.url}/pipelines/p/jobs"
    port = int(now.url.rpartition(":")[2])
    key = open_local(secure.settings).pipelines.keys("p").primary
    request = urllib.request.Request(f"https://127.0.0.1:{port}/pipelines/p/jobs", b'{"ExperimentName": "x"}')
    request.add_header("Authorization", f"Bearer {key}")
    for host, status in (("slipway.test", 200), (f"127.0.0.1:{port}", 200), ("evil.example", 400)):
        request.add_unredirected_header("Host", host)
        try:
            reply = urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=str(pem)))
        except urllib.error.HTTPError as e:
            reply = e
        with reply:
            assert reply.status == status
            assert ("Id" in json.loads(reply.read())) == (status == 200)
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200" not in plain.recv(100), "no plain HTTP beside it"


def test_a_server_with_another_certificate_is_not_taken_for_ours(tmp_path: Path, pem: Path) -> None:
    other = certificate(tmp_path / "other.pem")
    with serving_tls(other, Well) as url:
        assert answers(url, "/health", 5, leaf(other.read_text()))
        assert not answers(url, "/health", 5, leaf(pem.read_text()))
        assert not answers(url, "/health", 5, "")


def test_the_servers_own_certificate_is_the_first_of_a_chain(tmp_path: Path, pem: Path) -> None:
    other = certificate(tmp_path / "other.pem").read_text()
    assert leaf(pem.read_text() + other) == leaf(pem.read_text()) != leaf(other)
