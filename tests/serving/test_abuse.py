"""What only a broken or a hostile client sends: the right refusal, bounded memory, and others still answered."""

import gzip
import http.client
import json
import resource
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving_fakes import BANK_BODY, KEY, ServerProcess
from turns import in_turn
from waiting import wait_until

from core.serving.worker import SPARE_DESCRIPTORS

LIMITS = {
    "header_timeout_s": 0.6,
    "body_timeout_s": 0.8,
    "idle_timeout_s": 1.0,
    "max_header_kb": 16,
    "max_body_mb": 2,
    "max_connections": 50_000,
    "max_concurrent": 20,
}
GROWTH_MAX_MB = 60
"""What a worker may grow by under one attack; the largest body that is kept is 2 MB."""
HOST = b"Host: here\r\n"
HEAD = (
    b"POST /score HTTP/1.1\r\n" + HOST + f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\n".encode()
)
SCORED = HEAD + b"Content-Length: %d\r\n\r\n" % len(BANK_BODY) + BANK_BODY


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path_factory.mktemp("abused"), limits=LIMITS).start()
    yield made
    made.end()


@pytest.fixture(autouse=True)
def _others_are_answered_and_memory_is_bounded(server: ServerProcess) -> Iterator[None]:
    """Behind every attack: an honest client is served at once, and the worker has not grown without bounds."""
    worker = server.workers()[0]
    before_mb = worker.memory_info().rss / 1e6
    yield
    began = time.monotonic()
    assert server.score().status_code == 200
    assert time.monotonic() - began < 5
    assert server.workers()[0].pid == worker.pid, "the worker died"
    assert psutil.Process(worker.pid).memory_info().rss / 1e6 - before_mb < GROWTH_MAX_MB


@contextmanager
def connected(server: ServerProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        yield connection


def read_to_end(connection: socket.socket) -> bytes:
    """All that the server says until it closes; a reset is an error."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def said(server: ServerProcess, *parts: bytes) -> bytes:
    with connected(server) as connection:
        for part in parts:
            connection.sendall(part)
        return read_to_end(connection)


def status_of(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


def assert_refused_in_json(raw: bytes, status: int) -> None:
    """One reply, of the contract's one shape and with its headers, and then the end."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert status_of(raw) == status, raw
    told = json.loads(body)
    assert told.keys() == {"message", "details"}
    assert told["message"]
    names = {line.split(":")[0] for line in lines[1:]}
    assert {"x-request-id", "x-ms-run-function-failed", "x-ms-run-fn-exec-ms", "x-ms-server-version"} <= names
    assert "connection: close" in lines


@pytest.mark.contract("E4")
def test_a_silent_connection_is_closed_without_a_word(server):
    assert said(server) == b""


@pytest.mark.contract("E4")
@pytest.mark.parametrize("begun", [b"POST", b"POST /score HTTP/1.1\r\nHo", HEAD], ids=["method", "header", "no end"])
def test_a_head_that_does_not_end_is_408(server, begun):
    assert_refused_in_json(said(server, begun), 408)


@pytest.mark.contract("E4")
def test_a_head_that_drips_is_not_given_more_time(server):
    began = time.monotonic()
    with connected(server) as connection:
        for byte in HEAD:
            try:
                connection.send(bytes([byte]))
            except OSError:
                break
            time.sleep(0.03)  # the attack itself: bytes that keep a naive deadline alive
            if time.monotonic() - began > 3:
                break
        raw = read_to_end(connection)
    assert_refused_in_json(raw, 408)
    assert time.monotonic() - began < 10


@pytest.mark.contract("E4")
def test_a_body_that_stops_is_408(server):
    assert_refused_in_json(said(server, HEAD + b"Content-Length: 100\r\n\r\n", b"{"), 408)


@pytest.mark.contract("E4")
def test_a_connection_without_a_next_request_is_closed(server):
    with connected(server) as connection:
        connection.sendall(SCORED)
        raw = read_to_end(connection)
    assert status_of(raw) == 200
    assert b"connection: close" not in raw.lower()


SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
SHAPES = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: 34\r\n\r\n" + SMUGGLED,
    "the same length twice": b"Content-Length: 34\r\nContent-Length: 34\r\n\r\n" + SMUGGLED,
    "a list of lengths": b"Content-Length: 34, 34\r\n\r\n" + SMUGGLED,
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "not quite chunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "another coding before": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "another coding behind": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a length with a sign": b"Content-Length: +4\r\n\r\nabcd",
    "a negative length": b"Content-Length: -4\r\n\r\nabcd",
    "a length beyond 64 bits": b"Content-Length: 99999999999999999999\r\n\r\nabcd",
    "a folded header": b"X-A: 1\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed": b"X-A: 1\nContent-Length: 0\r\n\r\n",
    "a bare carriage return": b"X-A: 1\rContent-Length: 0\r\n\r\n",
    "a NUL": b"X-A: \0\r\nContent-Length: 0\r\n\r\n",
    "a chunk size that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nab\r\n0\r\n\r\n",
    "chunks without carriage returns": b"Transfer-Encoding: chunked\r\n\r\n2\nab\n0\n\n",
    "two hosts": b"Host: there\r\nContent-Length: 0\r\n\r\n",
    "two keys": b"Authorization: Bearer x\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.contract("W2")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_request_that_two_readers_could_read_in_two_ways_is_refused_once(server, shape):
    raw = said(server, HEAD + shape)
    assert_refused_in_json(raw, 400)
    assert raw.count(b"HTTP/1.1 4") == 1 == raw.count(b"\r\n\r\n")


BAD_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "a method that is none": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bytes in the path": b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a proxy's request": b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an empty header name": b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /score HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.contract("W1")
@pytest.mark.parametrize("bad", BAD_HTTP.values(), ids=BAD_HTTP)
def test_what_is_no_http_is_400_in_json(server, bad):
    assert_refused_in_json(said(server, bad), 400)


@pytest.mark.contract("E4")
@pytest.mark.parametrize(
    "flood",
    [
        b"".join(b"X-%d: y\r\n" % i for i in range(2000)) + b"\r\n",
        b"X-Long: " + b"y" * 40_000 + b"\r\n\r\n",
        b"X-Endless: " + b"y" * 2_000_000,
    ],
    ids=["many", "long", "endless"],
)
def test_a_flood_of_headers_is_431(server, flood):
    with connected(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST)
        for at in range(0, len(flood), 8192):
            try:
                connection.sendall(flood[at : at + 8192])
            except OSError:
                break  # the server no longer reads; what it said is already here
        connection.shutdown(socket.SHUT_WR)
        assert_refused_in_json(read_to_end(connection), 431)


@pytest.mark.contract("E4")
def test_a_path_without_end_is_431(server):
    assert_refused_in_json(said(server, b"GET /" + b"a" * 30_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"), 431)


@pytest.mark.contract("W3")
def test_pipelined_requests_are_answered_in_order(server):
    ids = [b"n%d" % n for n in range(15)]  # fewer than max_concurrent: a pipelined request is one of them
    with connected(server) as connection:
        for name in ids:
            connection.sendall(SCORED.replace(b"Host: here\r\n", b"Host: here\r\nx-request-id: " + name + b"\r\n"))
        connection.shutdown(socket.SHUT_WR)
        raw = read_to_end(connection)
    assert [line.split(b": ")[1] for line in raw.split(b"\r\n") if line.startswith(b"x-request-id")] == ids
    assert raw.count(b"HTTP/1.1 200 OK") == len(ids)


@pytest.mark.contract("W3")
def test_a_client_that_has_closed_its_side_still_gets_its_answer(server):
    with connected(server) as connection:
        connection.sendall(SCORED)
        connection.shutdown(socket.SHUT_WR)
        assert status_of(read_to_end(connection)) == 200


@pytest.mark.contract("W3")
def test_a_client_that_does_not_read_holds_nobody_up(server):
    """Thousands of answers that nobody reads: the server stops reading from that client, and serves the others."""
    with connected(server) as greedy:
        greedy.settimeout(1.0)
        with pytest.raises(TimeoutError):
            greedy.sendall(SCORED * 50_000)
        assert server.score().status_code == 200


@pytest.mark.contract("W4")
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD, 100),
        (HEAD.replace(KEY.encode(), b"wrong"), 401),
        (HEAD.replace(b"application/json", b"text/plain"), 415),
    ],
)
def test_a_client_that_waits_for_our_word_hears_it_before_it_sends(server, head, status):
    with connected(server) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BANK_BODY))
        assert status_of(connection.recv(65_536)) == status
        if status == 100:
            connection.sendall(BANK_BODY)
            assert status_of(connection.recv(65_536)) == 200


@pytest.mark.contract("W4")
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize(("asked", "stays"), [(b"keep-alive", True), (b"close", False), (b"", None)])
def test_a_connection_stays_as_its_version_and_header_say(server, version, asked, stays):
    stays = version == b"1.1" if stays is None else stays
    header = b"Connection: " + asked + b"\r\n" if asked else b""
    one = SCORED.replace(b"HTTP/1.1", b"HTTP/" + version).replace(HOST, HOST + header)
    with connected(server) as connection:
        for _ in range(2 if stays else 1):
            connection.sendall(one)
            reply = connection.recv(65_536)
            assert status_of(reply) == 200
        if not stays:
            assert b"connection: close" in reply
            assert connection.recv(1) == b""


@pytest.mark.contract("W4")
def test_an_offer_of_another_protocol_is_passed_over(server):
    """Java's client offers HTTP/2 on its first request, and goes on in HTTP/1.1 where it is not taken up."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    with connected(server) as connection:
        for _ in range(2):
            connection.sendall(SCORED.replace(HOST, HOST + offer))
            assert status_of(connection.recv(65_536)) == 200
        connection.sendall(HEAD + offer + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n" % len(BANK_BODY) + BANK_BODY + b"\r\n0\r\n\r\n")
        assert status_of(connection.recv(65_536)) == 200


@pytest.mark.contract("B1", "E4")
def test_a_body_without_end_is_413_while_it_is_read(server):
    chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    sent = 0
    with connected(server) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.settimeout(0.001)
        raw = b""
        for _ in range(64):
            connection.settimeout(20)
            try:
                connection.sendall(chunk)
                sent += 1
            except OSError:
                break
            connection.settimeout(0.001)
            try:
                raw += connection.recv(65_536)
            except TimeoutError:
                continue
            if raw:
                break
    assert status_of(raw) == 413
    assert sent < 60, "the refusal came long before the end"


@pytest.mark.contract("B1", "E4")
@pytest.mark.parametrize("key", in_turn([KEY, "wrong"], 2))
def test_hundreds_of_megabytes_in_chunks_from_one_who_does_not_listen_cost_no_memory(tmp_path, key):
    made = ServerProcess(tmp_path).start()
    chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    try:
        worker, largest_mb, answer = made.workers()[0], 0.0, b""
        before_mb = worker.memory_info().rss / 1e6
        # On a busy machine the server's patience may end before all is sent.
        with connected(made) as connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(HEAD.replace(KEY.encode(), key.encode()) + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(300):
                connection.sendall(chunk)
                largest_mb = max(largest_mb, worker.memory_info().rss / 1e6)
            connection.sendall(b"0\r\n\r\n")
            answer = connection.recv(65_536)
    finally:
        made.end()
    assert not answer or status_of(answer) == (413 if key == KEY else 401)
    assert largest_mb - before_mb < GROWTH_MAX_MB


@pytest.mark.contract("E4")
@pytest.mark.parametrize(
    ("start", "row", "end"),
    [
        (b'{"data":[', b"{},", b"{}]}"),
        (b'{"Inputs":{"data":[', b"{},", b"{}]}}"),
        (b'{"input_data":{"columns":["age"],"data":[', b"[1],", b"[1]]}}"),
    ],
    ids=["v1", "v2", "mlflow"],
)
def test_millions_of_tiny_rows_are_413_and_cost_little_more_than_their_bytes(roomy, start, row, end):
    worker = roomy.workers()[0]
    before_mb = worker.memory_info().rss / 1e6
    rows = (16 * 1024 * 1024 - 100) // len(row)
    reply = roomy.score(content=start + row * (rows - 1) + end)
    assert reply.status_code == 413
    assert reply.json()["message"].startswith(f"{rows} rows in one request, at most 10000 are accepted")
    assert largest_mb(worker) - before_mb < 100


def largest_mb(process: psutil.Process) -> float:
    """The most memory that it ever had."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3


@pytest.fixture(scope="module")
def roomy(tmp_path_factory) -> Iterator[ServerProcess]:
    """With the limits that are usual."""
    made = ServerProcess(tmp_path_factory.mktemp("roomy")).start()
    yield made
    made.end()


@pytest.mark.contract("E4", "T1")
def test_expensive_requests_of_clients_that_leave_at_once_take_no_more_places_than_there_are(server):
    row = BANK_BODY.partition(b"[")[2].rpartition(b"]")[0]
    body = b'{"data":[' + b",".join([row] * 4000) + b"]}"
    most = 0
    for _ in range(12):
        with connected(server) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            most = max(most, *(in_flight(server) for _ in range(2)))  # by then it has read the body
    assert most <= LIMITS["max_concurrent"]
    wait_until(lambda: in_flight(server) == 0, 20)


def in_flight(server: ServerProcess) -> int:
    lines = server.get("/metrics").text.splitlines()
    return int(next(line for line in lines if line.startswith("slipway_requests_in_flight ")).split()[1])


@pytest.mark.contract("E4")
@pytest.mark.parametrize("head", [HEAD, b"POST /score HTTP/1.1\r\n" + HOST], ids=["key", "no key"])
@pytest.mark.parametrize("endless", [b"5;", b"0\r\nx: ", b"0\r\n"], ids=["chunk", "value of a trailer", "trailer"])
def test_what_belongs_to_a_chunked_body_and_does_not_end_is_refused_and_nothing_of_it_is_kept(server, head, endless):
    """It has no length and counts as no body; the parser keeps a trailer until it is whole."""
    filler, sent = b"a" * 1_000_000, 0
    with connected(server) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + endless)
        with suppress(ConnectionError):
            while sent < 20 * len(filler):
                connection.sendall(filler)
                sent += len(filler)
            connection.shutdown(socket.SHUT_WR)
            assert status_of(connection.recv(65_536)) == (431 if head == HEAD else 401)


@pytest.mark.contract("E4")
def test_many_offers_of_another_protocol_in_one_piece_are_all_answered(server):
    offer = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    last = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert said(server, offer * 2000 + last).count(b"HTTP/1.1 200 OK") == 2001


@pytest.mark.contract("E4")
@pytest.mark.parametrize("target", [b"http://[::1/", b"http://[x]/", b"http://]/"])
def test_an_address_that_is_none_is_400(server, target):
    assert_refused_in_json(said(server, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n"), 400)


@pytest.mark.contract("E4")
@pytest.mark.parametrize("opening", [b"[", b'{"data":', b'{"data":[{"age":['])
def test_a_hundred_thousand_nested_lists_are_400(server, opening):
    body = opening + b"[" * 100_000
    reply = server.score(content=body + b"]" * 100_000)
    assert reply.status_code == 400
    assert reply.json().keys() == {"message", "details"}
    assert server.score(content=body).status_code == 400


@pytest.mark.contract("B1", "E4")
def test_a_gzip_bomb_is_413(server):
    bomb = gzip.compress(b" " * 200_000_000, 9)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    connection.request("POST", "/score", bomb, headers)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.contract("E4")
def test_bodies_that_are_still_read_count_among_the_requests(server):
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(LIMITS["max_concurrent"])]
        for connection in slow:
            connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        wait_until(lambda: f"in_flight {len(slow)}" in server.get("/metrics").text, 10)
        reply = server.score()
        assert reply.status_code == 429
        assert int(reply.headers["retry-after"]) >= 1
        assert server.get("/").status_code == 200
    wait_until(lambda: "in_flight 0" in server.get("/metrics").text, 10)


def hold(server: ServerProcess, count: int) -> None:
    """Open `count` idle connections; an honest client is served beside them, and they are closed in the end."""
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(count)]
        assert server.score().status_code == 200
        held[-1].sendall(SCORED)
        assert status_of(held[-1].recv(65_536)) == 200


@pytest.mark.contract("W5")
def test_a_thousand_connections_are_held(server):
    hold(server, 1000)


@pytest.mark.contract("W5")
@pytest.mark.full
def test_ten_thousand_connections_are_held(server):
    """Or as many as the descriptors of this machine allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        hold(server, min(10_000, hard - SPARE_DESCRIPTORS))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.contract("W5")
def test_a_connection_too_many_is_503_and_the_others_go_on(tmp_path):
    server = ServerProcess(tmp_path, limits={"max_connections": 3}).start()
    try:
        with ExitStack() as stack:
            held = [stack.enter_context(connected(server)) for _ in range(3)]
            for connection in held:
                connection.sendall(SCORED)
                assert status_of(connection.recv(65_536)) == 200
            raw = said(server, SCORED)
            assert_refused_in_json(raw, 503)
            assert b"retry-after: 1" in raw
            held[0].sendall(SCORED)
            assert status_of(held[0].recv(65_536)) == 200
    finally:
        server.end()


mutations = st.tuples(st.integers(0, len(SCORED) - 1), st.binary(min_size=0, max_size=3))


@pytest.mark.contract("W1", "W2")
@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.one_of(st.binary(max_size=300).map(lambda raw: [raw]), st.lists(mutations, min_size=1, max_size=4)))
def test_no_bytes_whatever_get_anything_but_http_in_return(server, changes):
    """Random bytes, and a good request with some of its bytes changed."""
    raw = bytearray(SCORED)
    for change in changes:
        if isinstance(change, bytes):
            raw = bytearray(change)
        else:
            at, new = change
            raw[at : at + 1] = new
    with connected(server) as connection:
        connection.sendall(bytes(raw))
        connection.shutdown(socket.SHUT_WR)
        reply = read_to_end(connection)
    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in reply.split(b"\r\n")[0]
