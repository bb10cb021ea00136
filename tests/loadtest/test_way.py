"""Which requests go through a proxy: those over HTTPS to elsewhere, where the environment says so."""

import pytest

from core.loadtest.way import proxy_to

AWAY = "https://people.westeurope.inference.ml.azure.com/score"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_proxy_one_goes_straight():
    assert proxy_to(AWAY) is None


def test_a_proxy_makes_a_tunnel_and_is_told_who_asks(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s%20t@proxy.example:3128")
    proxy = proxy_to(AWAY)
    assert (proxy.host, proxy.port) == ("proxy.example", 3128)
    assert proxy.headers == {"Proxy-Authorization": "Basic bWU6cyB0"}
    assert proxy.asking("people.example", 443).startswith(b"CONNECT people.example:443 HTTP/1.1\r\n")
    assert "s t" not in repr(proxy)
    assert "s%20t" not in repr(proxy)


@pytest.mark.parametrize("url", ["http://people.example/score", "https://127.0.0.1:8443", "https://localhost/score"])
def test_plain_http_and_this_machine_go_straight(monkeypatch, url):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_to(url) is None


def test_a_host_that_no_proxy_names_goes_straight(monkeypatch):
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert proxy_to(AWAY).host == "proxy.example"
    monkeypatch.setenv("no_proxy", ".azure.com")
    assert proxy_to(AWAY) is None
