"""The client of the checks: whom it trusts is read once, and a server that is busy is asked again, within bounds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from own_tls import certificate, serving_tls
from scripted import OK, scripted

from contract_tests.reference import KEY, Reference, serving
from core.checks.effort import DEPTHS
from core.checks.probe.client import PATIENCE, Client
from core.checks.probe.probe import Probe
from core.checks.probe.source import fetch
from core.domain.errors import NoVerdict
from core.domain.proof import Target

LATER = b"HTTP/1.1 429 Later\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def probe() -> Iterator[Probe]:
    with serving(Reference()) as url:
        target = Target(url, KEY)
        probe = Probe(target, fetch(target), seed=0, depth=DEPTHS["default"])
        yield probe
        probe.close()


def test_whom_to_trust_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving_tls(pem) as url:
        client = Client(Target(url))
        assert client.send("POST", "/score", b"[]", {}, None).status == 200
        pem.unlink()  # who read it again would trust nobody
        client.close()
        assert client.send("POST", "/score", b"[]", {}, None).status == 200
        client.close()


def test_what_a_busy_server_asks_for_is_waited_and_the_request_sent_again(waits: list[float]) -> None:
    with scripted(lambda n: LATER if n < 3 else OK) as (target, requests):
        client = Client(target, sleep=waits.append)
        assert client.send("POST", "/score", b"[1]", {}, None).status == 200
        client.close()
    assert waits == [2.0, 2.0]
    assert len(set(requests)) == 1
    assert len(requests) == 3


def test_a_server_that_stays_busy_is_not_waited_for_for_ever(waits: list[float]) -> None:
    with scripted(lambda n: LATER.replace(b": 2", b": 99999")) as (target, _):
        client = Client(target, sleep=waits.append)
        for _ in range(10):
            assert client.send("POST", "/score", b"[1]", {}, None).status == 429
        client.close()
    assert set(waits) == {PATIENCE.pause_max_s}
    assert sum(waits) == pytest.approx(PATIENCE.all_s, abs=PATIENCE.tries * PATIENCE.pause_max_s)


def test_what_failed_once_is_not_tried_again_for_each_check(probe: Probe) -> None:
    tried: list[int] = []

    def compute(_: Probe) -> int:
        tried.append(1)
        raise NoVerdict("It cannot run")

    for _ in range(3):
        with pytest.raises(NoVerdict, match="It cannot run"):
            probe.once(compute)
    assert len(tried) == 1


def test_a_server_that_is_not_there_yet_and_says_when_is_asked_again_and_one_that_does_not_say_is_not(
    waits: list[float],
) -> None:
    loading = LATER.replace(b"429 Later", b"503 Loading")
    silent = loading.replace(b"Retry-After: 2\r\n", b"")
    with scripted(lambda n: loading if n < 3 else OK if n == 3 else silent) as (target, _):
        client = Client(target, sleep=waits.append)
        assert [client.send("POST", "/score", b"[1]", {}, None).status for _ in range(2)] == [200, 503]
        client.close()
    assert waits == [2.0, 2.0]
