"""What is proven about a deployment before it may take traffic: over HTTP alone, and nothing is started."""

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core import loadtest
from core.checks import Profile, bodies_for, run_checks
from core.checks.document.replies import USUAL
from core.checks.document.security import BEARER
from core.checks.document.sizes import CAUTIOUS_BYTES
from core.checks.outcome import Violation
from core.checks.probe import encoding
from core.checks.probe.client import Client
from core.checks.probe.exchange import Exchange
from core.checks.registry import PARTS as CHECKED
from core.contract import samples
from core.domain.endpoint import GateBudget
from core.domain.errors import NoVerdict, ServiceUnavailable
from core.domain.proof import CheckResult, LoadReport, LoadSpec, Target
from core.domain.signature import METHODS, parity_limit

Rows = list[dict[str, Any]]
Probabilities = np.ndarray[Any, np.dtype[np.float64]]
SHADOW_BODIES_MAX = 500
SHADOW_COMPARED_MIN = 10
"""Fewer comparisons, where more requests were there to replay, say nothing of what the others would have shown."""

ABOUT = {
    "parity": "The server gives the same answers as the trained model gave in training.",
    "contract": "The endpoint conforms to its own document.",
    "performance": "The endpoint is as fast as its budget requires.",
    "shadow": "The candidate answers every request that the live deployment answers; differences are reported.",
}


@dataclass(frozen=True, slots=True)
class Shadow:
    """What to replay against the live deployment and the candidate, in the request form that they are sent.

    `origin` says where the bodies come from.
    """

    live: Target
    bodies: Sequence[bytes]
    origin: str


def run(
    target: Target,
    *,
    parity: Path | None,
    budget: GateBudget,
    depth: str = "default",
    seed: int = 0,
    on_check: Callable[[CheckResult], None] = lambda result: None,
    on_over: Callable[[Sequence[str]], None] = lambda parts: None,
    shadow: Shadow | None = None,
    profile: Profile = Profile.STRICT,
    away_ms: float = 0.0,
) -> tuple[CheckResult, ...]:
    """All checks of a deployment at `target`: parity, contract, semantic, wire, performance, shadow.

    `parity` is the model folder's `parity.npz`, `on_check` hears each result as it lands, `on_over` the
    parts of which no more will come; `away_ms` is what a request and its answer take on the way, which is not the
    server's fault and no part of its budget. An endpoint that cannot be
    reached gives results without a verdict, never an exception. Raises SpecInvalid for an unknown depth.
    """
    results: list[CheckResult] = []

    def tell(result: CheckResult) -> None:
        results.append(result)
        on_check(result)

    tell(_judged("parity", lambda: _parity(target, parity)))
    on_over(["parity"])
    proven = results[0].passed is True
    try:
        run_checks(target, depth=depth, seed=seed, on_check=tell, profile=profile, proven=proven)
    except NoVerdict as e:
        tell(_undecided("contract", e.message))
    on_over(CHECKED)  # together: a check whose cause others may meet is told after all of them
    tell(_judged("performance", lambda: _performance(target, budget, seed, away_ms)))
    on_over(["performance"])
    tell(_judged("shadow", lambda: _shadow(target, shadow)))
    on_over(["shadow"])
    return tuple(results)


def _judged(part: str, judge: Callable[[], CheckResult]) -> CheckResult:
    try:
        return judge()
    except (NoVerdict, ServiceUnavailable) as e:
        return _undecided(part, e.message)


def _undecided(part: str, why: str) -> CheckResult:
    return CheckResult(part, part, None, f"no verdict: {why}", no_verdict=True, about=ABOUT[part])


def _result(part: str, passed: bool | None, evidence: str, curl: str = "") -> CheckResult:
    return CheckResult(part, part, passed, evidence, curl, about=ABOUT[part])


def _parity(target: Target, path: Path | None) -> CheckResult:
    """The largest difference between the endpoint's probabilities and those of the training process."""
    if path is None:
        return _result("parity", None, "not applicable: the model has no parity file")
    rows, trained = _read_parity(path)
    method = _method(trained)
    client, parts = Client(target), list(_parts(rows, target, method))
    try:
        exchanges = [_score(client, target, _asking(target, part, method)) for part in parts]
    except Violation as e:
        return _result("parity", False, e.evidence)
    finally:
        client.close()
    served = _joined([_probabilities(exchange, target.form) for exchange in exchanges])
    if served is None or served.shape != trained.shape:
        at = next((at for at, exchange in enumerate(exchanges) if exchange.status != 200), 0)
        evidence = f"Expected answers of shape {trained.shape}, got {exchanges[at].shown}"
        return _result("parity", False, evidence, _one_row(exchanges[at], target, parts[at][:1], method))
    differences = np.abs(served - trained)
    worst = int(np.argmax(differences.max(axis=1)))
    limit = parity_limit(float(np.abs(trained).max(initial=0.0)))
    evidence = f"{len(trained)} rows: the largest difference is {differences.max():.2g} (limit {limit:g})"
    again = _one_row(exchanges[0], target, rows[worst : worst + 1], method)
    if differences.max() <= limit:
        return _result("parity", True, evidence, again)
    evidence += f"; row {worst} got {served[worst].tolist()}, trained {trained[worst].tolist()}"
    return _result("parity", False, evidence, again)


def _method(trained: Probabilities) -> str:
    """How to ask for what the trained model gave: one column has the numbers of a regression."""
    return METHODS[trained.shape[1] > 1]


def _parts(rows: Rows, target: Target, method: str) -> Iterator[Rows]:
    """The rows in several requests, as many in each as any endpoint takes at once."""
    size = max(1, len(rows) * CAUTIOUS_BYTES // len(_asking(target, rows, method)))
    for start in range(0, max(1, len(rows)), size):
        yield rows[start : start + size]


def _asking(target: Target, rows: Rows, method: str) -> bytes:
    """A request for these rows, as people would write it."""
    return json.dumps(json.loads(samples.body(rows, target.form, method))).encode()


def _joined(parts: Sequence[Probabilities | None]) -> Probabilities | None:
    """The rows of all parts, where each of them has some, and as many classes as the others."""
    found = [part for part in parts if part is not None]
    alike = len({part.shape[1:] for part in found}) == 1 and all(part.ndim == 2 for part in found)
    return np.concatenate(found) if alike and len(found) == len(parts) else None


def _one_row(exchange: Exchange, target: Target, row: Rows, method: str) -> str:
    """The command of a parity request cut to one row, short enough to be read and sent by hand."""
    return replace(exchange, body=_asking(target, row, method)).curl(target)


def _read_parity(path: Path) -> tuple[Rows, Probabilities]:
    """The rows, and what the trained model gave for them."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            request = json.loads(arrays["body"].tobytes())
            return request["data"], np.asarray(arrays["probabilities"], dtype=np.float64)
    except (OSError, ValueError, KeyError, BadZipFile) as e:
        raise NoVerdict(f"{path.name} cannot be read: {e}", hint="Package the model again") from e


def _probabilities(exchange: Exchange, form: str) -> Probabilities | None:
    """The answers in a reply to this form, double-encoded or not, numbers as one column; None where there are none."""
    try:
        reply = json.loads(exchange.reply)
        reply = json.loads(reply) if isinstance(reply, str) else reply
        found = np.asarray(reply[key] if (key := USUAL[form]) else reply, dtype=np.float64)
        return found[:, None] if found.ndim == 1 else found
    except (ValueError, TypeError, KeyError):
        return None


def _performance(target: Target, budget: GateBudget, seed: int, away_ms: float = 0.0) -> CheckResult:
    given, budget = budget, _from_here(budget, away_ms)
    bodies = bodies_for(target, budget.rows, seed=seed)
    spec = LoadSpec(target, duration_s=budget.window_s, concurrency=budget.concurrency, rows=budget.rows)
    windows: list[LoadReport] = []
    # The best window counts, so one that holds is the verdict: the next could not change it.
    while len(windows) < budget.windows and not (windows and _within(windows[-1], budget)):
        windows.append(loadtest.run(spec, bodies))
    best = min(windows, key=lambda window: (not _within(window, budget), window.failed, window.p99_ms))
    evidence = (
        f"best of {len(windows)} windows (at most {budget.windows}, until one holds) of {budget.window_s:g} s, "
        f"{budget.rows} rows a request, "
        f"{budget.concurrency} clients: p99 {best.p99_ms:.2f} ms (budget {budget.p99_ms:g}), "
        f"{best.requests_per_s:,.0f} requests/s (budget {budget.requests_per_s:g}), {_failures(best)}; all windows: "
        + ", ".join(f"{window.p99_ms:.2f} ms at {window.requests_per_s:,.0f}/s" for window in windows)
    )
    if away_ms:
        evidence += (
            f"; {away_ms:.1f} ms of each request are the network's: the server's own p99 is"
            f" {max(0.0, best.p99_ms - away_ms):.2f} ms (its budget: {given.p99_ms:g} ms, {given.requests_per_s:g}/s)"
        )
    again = (
        f"printf %s {shlex.quote(bodies[0].decode())} > body.json\n"
        f"ab -k -t {budget.window_s:g} -n 1000000 -c {budget.concurrency} -p body.json -T application/json "
        f'{_headers(target)}-H "Authorization: Bearer $SLIPWAY_KEY" {target.url}{target.path}'
    )
    return _result("performance", _within(best, budget), evidence, again)


def _from_here(budget: GateBudget, away_ms: float) -> GateBudget:
    """What a server within its budget looks like from here: each answer comes later by the way to it and back."""
    if not away_ms:
        return budget
    paced = budget.requests_per_s and budget.concurrency / (budget.concurrency / budget.requests_per_s + away_ms / 1000)
    return replace(budget, p99_ms=budget.p99_ms + away_ms, requests_per_s=paced)


def _headers(target: Target) -> str:
    """The target's headers as words for `ab`: without them a request goes where traffic says, not to the candidate."""
    return "".join(f"-H {shlex.quote(f'{name}: {value}')} " for name, value in target.headers.items())


def _within(window: LoadReport, budget: GateBudget) -> bool:
    fast = window.p99_ms <= budget.p99_ms and window.requests_per_s >= budget.requests_per_s
    return fast and not window.failed and window.requests > 0


def _failures(window: LoadReport) -> str:
    put_off = f", {window.put_off} times rejected with 429 or 503 and sent again" if window.put_off else ""
    if not window.failed:
        return f"none failed{put_off}"
    statuses = {status or "broken": count for status, count in window.by_status.items() if status != 200}
    return f"{window.failed} of {window.requests} failed {statuses}{put_off}"


def _shadow(target: Target, shadow: Shadow | None) -> CheckResult:
    """Replay: a body that the live deployment answers must be answered; other answers are told, not judged.

    Raises NoVerdict where the live deployment answers too few of them to compare anything.
    """
    if shadow is None:
        return _result("shadow", None, "not applicable: first deployment")
    live, candidate = Client(shadow.live), Client(target)
    bodies = shadow.bodies[:SHADOW_BODIES_MAX]
    refused: list[Exchange] = []
    differing = 0
    try:
        for body in bodies:
            before = _of_live(live, shadow.live, body)
            if before.status != 200:
                refused.append(before)
                continue
            after = _score(candidate, target, body)
            if after.status != 200:
                evidence = f"The live deployment answers this; the candidate says {after.shown}"
                return _result("shadow", False, evidence, after.curl(target))
            differing += _meaning(before) != _meaning(after)
    except Violation as e:
        return _result("shadow", False, e.evidence)
    finally:
        live.close()
        candidate.close()
    compared = len(bodies) - len(refused)
    if compared < min(len(bodies), SHADOW_COMPARED_MIN) or not compared:
        raise NoVerdict(f"{compared} of {len(bodies)} requests ({shadow.origin}) could be compared: {_why(refused)}")
    evidence = (
        f"{compared} requests ({shadow.origin}) replayed: {differing} answered differently from the live deployment"
    )
    if refused:
        evidence += f"; {len(refused)} more left out, {_why(refused)}"
    return _result("shadow", True, evidence)


def _of_live(client: Client, live: Target, body: bytes) -> Exchange:
    """What the live deployment answers. Raises NoVerdict for what is no answer, which is no fault of the candidate."""
    try:
        exchange = _score(client, live, body)
        if exchange.status == 200:
            _meaning(exchange)
        return exchange
    except Violation as e:
        raise NoVerdict(f"no comparison with the live deployment: {e.evidence}") from e


def _why(refused: Sequence[Exchange]) -> str:
    """Why bodies were not compared."""
    if not refused:
        return "there are none"
    statuses = ", ".join(f"{count} times {status}" for status, count in Counter(e.status for e in refused).items())
    return f"the live deployment rejects them ({statuses}), as with {refused[0].shown}"


def _meaning(exchange: Exchange) -> Any:
    """What was answered, however it is encoded. Raises Violation where it is no JSON."""
    _, reply = encoding.meant(exchange.status, exchange.reply)
    return replace(exchange, reply=reply).json()


def _score(client: Client, target: Target, body: bytes) -> Exchange:
    return client.send("POST", target.path, body, {}, BEARER.credential(target.key) if target.key else None)
