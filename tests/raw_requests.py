"""Requests that both servers get, as raw bytes: what clients send, what they get wrong, what they should not try."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from serving_fakes import KEY
from signatures import bank_signature

from core.contract import samples

SIGNATURE = bank_signature(exclude=["duration"])
ROWS = samples.rows(SIGNATURE, 3, seed=23)
ONE = samples.body(ROWS[:1])


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; `raw` is all of it but the host."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    version: str = "1.1"

    def raw(self, host: str) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/{self.version}", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + self.body


def requests() -> Iterator[Sent]:
    """Every request of the comparison, each with a name of its own."""
    yield from _scores()
    yield from _refused_bodies()
    yield from _packaging()
    yield from _identified()
    yield from _pages()
    yield from _methods()


def score(name: str, body: bytes, *, target: str = "/score", version: str = "1.1", **changes: str | None) -> Sent:
    """A POST of JSON with the key; `changes` replace headers (`_` for `-`), None takes one away."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json", "content-length": str(len(body))}
    headers |= {header.replace("_", "-"): value for header, value in changes.items()}  # type: ignore[misc]
    return Sent(name, "POST", target, {k: v for k, v in headers.items() if v is not None}, body, version)


def _scores() -> Iterator[Sent]:
    for form in ("v1", "v2", "mlflow"):
        for method in (None, "predict", "predict_proba"):
            yield score(f"{form} {method or 'by default'}", samples.body(ROWS, form, method))
    yield score("v1 without rows", b'{"data":[]}')
    yield score("v2 without rows", b'{"Inputs":{"data":[]}}')
    yield score("mlflow without rows", samples.body(ROWS, "mlflow").partition(b'"data":')[0] + b'"data":[]}}')
    yield score("one row", ONE)
    yield score("HTTP/1.0", ONE, version="1.0")
    yield score("a query", ONE, target="/score?verbose=true")
    yield score("spaces around", b" \r\n" + ONE + b"\n ")
    yield score("keys in another order", json.dumps({"data": [dict(reversed(ROWS[0].items()))]}).encode())
    yield score("a key twice", ONE.replace(b'{"data"', b'{"data":[],"data"'))
    yield score("chunked", _chunked(ONE), content_length=None, transfer_encoding="chunked")


def _refused_bodies() -> Iterator[Sent]:
    row = ROWS[0]
    bad = {
        "nothing": b"",
        "no JSON": b"not json",
        "cut short": ONE[:-5],
        "no UTF-8": ONE.replace(b'"job"', b'"j\xffb"'),
        "a list": b"[]",
        "null": b"null",
        "a number": b"7",
        "no form": b"{}",
        "two forms": b'{"data":[],"Inputs":{"data":[]}}',
        "another key": b'{"data":[],"extra":1}',
        "another method": b'{"data":[],"method":"explain"}',
        "rows that are no list": b'{"data":{}}',
        "rows that are lists": b'{"data":[[1,2]]}',
        "an empty row": b'{"data":[{}]}',
        "a text for a number": samples.body([row | {"age": "old"}]),
        "a fraction for an integer": samples.body([row | {"age": 1.5}]),
        "true for an integer": samples.body([row | {"age": True}]),
        "null for a number": samples.body([row | {"age": None}]),
        "an unknown category": samples.body([row | {"job": "astronaut"}]),
        "an unknown column": samples.body([row | {"shoe_size": 43}]),
        "NaN": ONE.replace(b":", b":NaN,", 1),
        "an endless number": samples.body([row | {"age": 10**400}]),
        "deep": b"[" * 50_000,
    }
    for name, body in bad.items():
        yield score(f"body: {name}", body)
    yield score("body: a missing column", samples.body([{k: v for k, v in row.items() if k != "age"}]))


def _packaging() -> Iterator[Sent]:
    packed = gzip.compress(ONE)
    yield score("a charset", ONE, content_type="application/json; charset=utf-8")
    yield score("another charset", ONE, content_type="application/json; charset=latin-1")
    yield score("plain text", ONE, content_type="text/plain")
    yield score("a form's type", ONE, content_type="application/x-www-form-urlencoded")
    yield score("no type", ONE, content_type=None)
    yield score("packed", packed, content_encoding="gzip")
    yield score("packed in another way", ONE, content_encoding="br")
    yield score("said to be packed", ONE, content_encoding="gzip")


def _identified() -> Iterator[Sent]:
    yield score("an id", ONE, x_request_id="id-1")
    yield score("a client's id", ONE, x_ms_client_request_id="client-1")
    yield score("the deprecated id", ONE, x_ms_request_id="old-1")
    yield score("all ids", ONE, x_request_id="id-2", x_ms_client_request_id="client-2", x_ms_request_id="old-2")
    yield score("a trace id", ONE, TraceId="trace-1")
    yield score("an id of 100", ONE, x_request_id="i" * 100)
    yield score("an id of 101", ONE, x_request_id="i" * 101)
    yield score("a client's id of 101", ONE, x_ms_client_request_id="i" * 101)
    yield score("the deprecated id of 101", ONE, x_ms_request_id="i" * 101)
    yield score("an id beside a bad body", b"no", x_request_id="id-3")
    yield score("an origin", ONE, Origin="http://elsewhere.example")


def _pages() -> Iterator[Sent]:
    for target in ("/", "/?probe=1", "/swagger.json", "/nothing", "/score/", "/favicon.ico"):
        yield Sent(f"GET {target}", "GET", target, {}, b"")
        yield Sent(f"HEAD {target}", "HEAD", target, {}, b"")
    for version in ("2", "3", "3.1", "9", ""):
        yield Sent(f"document {version}", "GET", f"/swagger.json?version={version}", {}, b"")
    yield Sent("health with an id", "GET", "/", {"x-request-id": "id-4"}, b"")


def _methods() -> Iterator[Sent]:
    for target in ("/", "/score", "/swagger.json"):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET"):
            if (method, target) not in (("POST", "/score"), ("GET", "/"), ("GET", "/swagger.json")):
                yield Sent(f"{method} {target}", method, target, {"content-length": "0"}, b"")
    asking = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST"}
    yield Sent("preflight", "OPTIONS", "/score", asking, b"")


def _chunked(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
