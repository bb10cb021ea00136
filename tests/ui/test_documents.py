"""Documents for the Swagger tab: from an address or a file, and never a request to another address."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.ui.deploy import documents

DOCUMENT = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}}


class Publisher(BaseHTTPRequestHandler):
    """Has a document for who has the key, and sends everybody else elsewhere."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/swagger.json")
            self.end_headers()
            return
        allowed = self.path == "/open.json" or self.headers.get("Authorization") == "Bearer k"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(DOCUMENT).encode())

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def publisher() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    asked: list[tuple[str, str]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Told", (Publisher,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_document_is_fetched_from_its_address(publisher):
    assert documents.fetch(f"{publisher[0]}/open.json") == DOCUMENT


def test_one_that_asks_for_a_key_gets_it(publisher):
    assert documents.fetch(f"{publisher[0]}/swagger.json", "k") == DOCUMENT


def test_a_missing_key_is_said(publisher):
    with pytest.raises(ServiceUnavailable, match="answered 401") as caught:
        documents.fetch(f"{publisher[0]}/swagger.json")
    assert "keys" in caught.value.hint


def test_a_key_follows_no_redirect(publisher):
    url, asked = publisher

    with pytest.raises(ServiceUnavailable, match="answered 302"):
        documents.fetch(f"{url}/moved", "k")

    assert [path for path, _ in asked] == ["/moved"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "host/swagger.json", "ftp://host/x", "http://"])
def test_only_web_addresses_are_fetched(url):
    with pytest.raises(SpecInvalid, match="is no address"):
        documents.fetch(url)


def test_a_host_that_does_not_answer_is_said():
    with pytest.raises(ServiceUnavailable, match="does not answer"):
        documents.fetch("http://127.0.0.1:9/swagger.json")


def test_yaml_is_read_too():
    assert documents.parse(b"openapi: 3.1.0\ninfo: {}\n")["openapi"] == "3.1.0"


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"\xff\xfe\xfd", b"[1]", b"{}", b"a: [", b" " * 5_000_001])
def test_what_is_no_document_is_refused_in_a_sentence(raw):
    with pytest.raises(SpecInvalid):
        documents.parse(raw)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(raw):
    """Random bytes are never a document, and never more than a sentence."""
    with pytest.raises(SpecInvalid):
        documents.parse(raw)
