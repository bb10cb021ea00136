"""What only an endpoint of ours promises: docs/scoring-contract.md, judged in the `slipway` profile alone."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from core.checks.asking.altering import unlike
from core.checks.document.security import Credential
from core.checks.effort import OURS
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe
from core.checks.probe.source import DOCUMENT
from core.checks.registry import check
from core.contract.cells import cut
from core.domain.endpoint import DEPLOYMENT_HEADER

OPERATIONS = {
    ("/", "get"): "ServiceHealthCheck",
    ("/score", "post"): "RunMLService",
    (DOCUMENT, "get"): "GetSwaggerSpec",
}
VERSIONS = {"2": "2.0", "3": "3.0.3", "3.1": "3.1.0"}
EXEC_MS = re.compile(r"\d+\.\d{3}")
DETAILS_MAX, ECHO_MAX_CHARS = 20, 40
ID, CLIENT_ID, TRACE_ID = "x-request-id", "x-ms-client-request-id", "traceid"


@check("contract", "The operations have the names that Azure gives them.", profiles=OURS)
def operations_have_azures_names(probe: Probe) -> str:
    paths = probe.described.document["paths"]
    for (path, method), expected in OPERATIONS.items():
        found = paths.get(path, {}).get(method, {}).get("operationId")
        if found != expected:
            raise Violation(f"{method.upper()} {path} is called {found!r}, expected {expected!r}")
    return ", ".join(OPERATIONS.values())


@check(
    "contract",
    "The document is published as Swagger 2.0, OpenAPI 3.0.3 and 3.1.0; other versions get 404.",
    profiles=OURS,
)
def every_version_is_published(probe: Probe) -> str:
    for asked, expected in VERSIONS.items():
        exchange = probe.send("GET", f"{DOCUMENT}?version={asked}", None, probe.credential)
        document = exchange.json() if exchange.status == 200 else {}
        if expected not in (document.get("swagger"), document.get("openapi")):
            raise Violation(f"?version={asked} got {exchange.shown}, expected {expected}", exchange)
    exchange = probe.send("GET", f"{DOCUMENT}?version=4", None, probe.credential)
    if exchange.status != 404 or not all(f"{version}" in exchange.reply.decode() for version in VERSIONS):
        raise Violation(f"?version=4 got {exchange.shown}, expected 404 that names 2, 3 and 3.1", exchange)
    return f"{', '.join(VERSIONS.values())}; another one: 404"


@check(
    "wire", "GET / answers `Healthy` as text without a key, and HEAD answers the same without a body.", profiles=OURS
)
def health_is_plain_text(probe: Probe) -> str:
    for method, body in (("GET", b"Healthy"), ("HEAD", b"")):
        exchange = probe.send(method, "/")
        kind = exchange.reply_headers.get("content-type", "")
        if (exchange.status, exchange.reply) != (200, body) or not kind.startswith("text/plain"):
            raise Violation(f"{method} / got {exchange.shown} as {kind!r}, expected Healthy as text/plain", exchange)
    exchange = probe.send("OPTIONS", probe.described.score_path)
    if (exchange.status, exchange.reply) != (200, b""):
        raise Violation(f"OPTIONS {exchange.path} got {exchange.shown}, expected 200 and nothing", exchange)
    return "GET and HEAD /: 200 text/plain; OPTIONS /score: 200 and nothing"


@check(
    "wire",
    "Every reply, including errors, says whether the model failed, how long it ran, and which server answered.",
    profiles=OURS,
)
def replies_carry_our_headers(probe: Probe) -> str:
    seen = set()
    for exchange in _one_of_each(probe):
        headers = exchange.reply_headers
        if headers.get("x-ms-run-function-failed") != "False":
            raise Violation(f"x-ms-run-function-failed is not False: {exchange.shown}", exchange)
        if not EXEC_MS.fullmatch(headers.get("x-ms-run-fn-exec-ms", "")):
            told = headers.get("x-ms-run-fn-exec-ms")
            raise Violation(f"x-ms-run-fn-exec-ms is {told!r}, expected three decimals: {exchange.shown}", exchange)
        if not headers.get("x-ms-server-version", "").startswith("slipway/"):
            raise Violation(f"x-ms-server-version is {headers.get('x-ms-server-version')!r}", exchange)
        seen.add(exchange.status)
    return f"{', '.join(map(str, sorted(seen)))}: all three headers"


@check("wire", "Request IDs are returned, and a request without one gets a new UUID.", profiles=OURS)
def ids_come_back(probe: Probe) -> str:
    good, bad = probe.body(probe.sample(1)), b"{"
    for body in (good, bad):
        for name in (ID, CLIENT_ID, TRACE_ID):
            exchange = probe.post(body, {name: f"an-{name}"})
            if exchange.reply_headers.get(name) != f"an-{name}":
                raise Violation(f"{name} came back as {exchange.reply_headers.get(name)!r}", exchange)
        given = {_uuid(probe.post(body)) for _ in range(2)}
        if len(given) < 2:
            raise Violation("Two requests got the same ID", probe.post(body))
    return f"{ID}, {CLIENT_ID} and {TRACE_ID} on 200 and 400; without one: a new UUID"


@check(
    "wire",
    "A reply names the deployment that answered; the same name selects it, and an unknown name gets 404.",
    profiles=OURS,
)
def replies_name_their_deployment(probe: Probe) -> str:
    body = probe.body(probe.sample(1))
    exchange = probe.post(body)
    name = exchange.reply_headers.get(DEPLOYMENT_HEADER, "")
    if not name:
        raise Violation(f"No {DEPLOYMENT_HEADER} in the reply: {exchange.shown}", exchange)
    again = probe.post(body, {DEPLOYMENT_HEADER: name})
    if (again.status, again.reply_headers.get(DEPLOYMENT_HEADER)) != (200, name):
        raise Violation(f"Deployment '{name}' asked for by its name got {again.shown}", again)
    unknown = probe.post(body, {DEPLOYMENT_HEADER: "no-such-deployment"})
    if unknown.status != 404:
        raise Violation(f"An unknown deployment got {unknown.shown}, expected 404", unknown)
    return f"'{name}' answered, by its name too; an unknown one: 404"


@check(
    "wire",
    "An invalid body gets 400 with the number of problems, and the row, column and problem of the first 20.",
    profiles=OURS,
)
def errors_name_every_problem(probe: Probe) -> str:
    used = [column.name for column in probe.described.signature.used]
    if not used:
        raise NotApplicable("the document does not describe any columns")
    long = unlike("x" * (ECHO_MAX_CHARS + 20), (column.name for column in probe.described.signature.columns))
    for count in (1, DETAILS_MAX + 5):
        rows = [{**row, used[0]: {long: 1}, long: 1} for row in probe.sample(count)]
        exchange = probe.post(probe.body(rows))
        _judge_details(exchange, len(rows) * 2, set(map(cut, used)), long)
    return f"2 and {2 * (DETAILS_MAX + 5)} problems: counted, at most {DETAILS_MAX} detailed, echoes cut"


def _judge_details(exchange: Exchange, problems: int, used: set[str], long: str) -> None:
    reply = exchange.json()
    message, details = (reply.get(name) if isinstance(reply, dict) else None for name in ("message", "details"))
    if exchange.status != 400 or not isinstance(message, str) or not message.startswith(f"{problems} "):
        raise Violation(f"{problems} problems got {exchange.shown}, expected 400 that counts them", exchange)
    if not isinstance(details, list) or len(details) != min(problems, DETAILS_MAX):
        raise Violation(f"{problems} problems got {exchange.shown}, expected {DETAILS_MAX} details at most", exchange)
    if not all(_is_detail(detail) for detail in details) or not (problems > DETAILS_MAX or _named(details) & used):
        raise Violation(f"A detail lacks row, column or problem: {exchange.shown}", exchange)
    if long.encode() in exchange.reply:
        raise Violation(f"More than {ECHO_MAX_CHARS} characters of what the client sent are echoed", exchange)


def _named(details: list[Any]) -> set[str]:
    return {detail["column"] for detail in details}


def _is_detail(detail: Any) -> bool:
    kinds = {"row": int, "column": str, "problem": str}
    return isinstance(detail, dict) and all(isinstance(detail.get(name), kind) for name, kind in kinds.items())


def _one_of_each(probe: Probe) -> Iterator[Exchange]:
    """Replies of every kind that a client can bring about."""
    body, path = probe.body(probe.sample(1)), probe.described.score_path
    yield probe.post(body)
    yield probe.post(b"{")
    if probe.described.secured and probe.target.key:
        yield probe.send("POST", path, body, Credential("Bearer wrong", "Bearer wrong"))
    yield probe.send("GET", "/nowhere")
    yield probe.send("PUT", path)
    yield probe.post(body, {"Content-Type": "text/plain"})


def _uuid(exchange: Exchange) -> str:
    given = exchange.reply_headers.get(ID, "")
    try:
        return str(UUID(given))
    except ValueError as e:
        raise Violation(f"A request without an ID got {given!r}, expected a UUID", exchange) from e
