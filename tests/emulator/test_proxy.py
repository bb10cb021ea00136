"""The way in: a secret is needed, other hosts are refused by name, and slow or broken callers hold up nobody."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.emulator import proxy
from core.emulator.names import HOSTS, host_kind
from core.emulator.server import Running

ARM = "management.azure.com:443"


@contextmanager
def caller(running: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as opened:
        yield opened


def head(running: Running, target: str, *, secret: str | None = None, method: str = "CONNECT") -> bytes:
    password = running.emulation.secret if secret is None else secret
    word = base64.b64encode(f"slipway:{password}".encode()).decode()
    return f"{method} {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic {word}\r\n\r\n".encode()


def asked(running: Running, sent: bytes) -> str:
    with caller(running) as opened:
        opened.sendall(sent)
        return opened.recv(4096).decode("latin-1")


def test_whoever_knows_the_secret_is_let_in(running: Running) -> None:
    assert asked(running, head(running, ARM)).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("secret", ["", "wrong", "slipway"])
def test_whoever_does_not_know_it_is_asked_for_it(running: Running, secret: str) -> None:
    assert asked(running, head(running, ARM, secret=secret)).startswith("HTTP/1.1 407")


def test_whoever_says_nothing_of_a_secret_is_asked_for_it(running: Running) -> None:
    answer = asked(running, f"CONNECT {ARM} HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 407")
    assert "Proxy-Authenticate: Basic" in answer


@pytest.mark.parametrize(
    "target",
    ["example.org:443", "127.0.0.1:443", "management.azure.com.example.org:443", "management.azure.com:22",
     "dc.services.visualstudio.com:443", "xmanagement.azure.com:443", "[::1]:443"],
)  # fmt: skip
def test_another_host_is_refused_by_its_name(running: Running, target: str) -> None:
    answer = asked(running, head(running, target))
    assert answer.startswith("HTTP/1.1 403")
    assert target in answer


def test_nothing_is_sent_on_without_tls(running: Running) -> None:
    answer = asked(running, head(running, "http://example.org/secret", method="GET"))
    assert answer.startswith("HTTP/1.1 403")
    assert "HTTPS only" in answer


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"\x16\x03\x01\x00\x00\r\n\r\n", b"CONNECT\r\n\r\n", b"A" * 70_000])
def test_what_is_no_request_gets_no_way_in(running: Running, sent: bytes) -> None:
    with caller(running) as opened:
        opened.sendall(sent)
        opened.shutdown(socket.SHUT_WR)
        try:
            answer = opened.recv(4096)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 200")


def test_callers_that_say_half_a_request_hold_up_nobody(running: Running) -> None:
    slow = [socket.create_connection(("127.0.0.1", running.port), timeout=5) for _ in range(50)]
    try:
        for each in slow:
            each.sendall(b"CONNECT management.az")
        assert asked(running, head(running, ARM)).startswith("HTTP/1.1 200")
    finally:
        for each in slow:
            each.close()


def test_a_caller_that_says_half_a_request_is_let_go(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "HEAD_TIMEOUT_S", 0.2)
    with caller(running) as opened:
        opened.sendall(b"CONNECT management.az")
        assert opened.recv(10) == b""


def test_many_callers_at_once_are_all_answered(running: Running) -> None:
    names = running.emulation.names

    def ask(number: int) -> int:
        return httpx.get(
            f"https://management.azure.com{names.workspace_path}?api-version=2023-10-01&n={number}", timeout=20
        ).status_code

    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(ask, range(80))) == {401}


def test_what_speaks_tls_badly_inside_harms_nobody(running: Running) -> None:
    with caller(running) as opened:
        opened.sendall(head(running, ARM))
        assert opened.recv(4096).startswith(b"HTTP/1.1 200")
        opened.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((ConnectionError, AssertionError, ssl.SSLError)):
            assert b"HTTP" in opened.recv(4096)
    assert asked(running, head(running, ARM)).startswith("HTTP/1.1 200")


@settings(max_examples=60)
@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=60))
def test_only_whole_names_of_azure_are_known(host: str) -> None:
    assert bool(host_kind(host)) is any(pattern.fullmatch(host.lower()) for pattern in HOSTS.values())
