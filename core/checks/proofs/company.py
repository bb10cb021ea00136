"""Scoring must not depend on company: other rows, other requests, other clients at the same moment."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.checks.asking.answers import answers, difference, method_of, same
from core.checks.asking.batches import vary
from core.checks.document.sizes import CELLS_MAX
from core.checks.outcome import NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.contract import samples

THREADS = 12
ROUNDS = 6
"""Requests of each thread: with the rows of all others in between, a shared buffer shows within the first few."""
HUNDRED = 100
FULL_MAX = 10_000
"""A larger limit is not tried: such a request says more of patience than of the model."""
PARTS = 4


@check("semantic", "A row's answer does not depend on the other rows in the request, or on a copy of itself.")
def company_is_irrelevant(probe: Probe) -> str:
    probe.needs_at_once(4)
    for _ in range(3):
        first, *others = probe.sample(4)
        usual = {id(row): answers(probe, [row]) for row in (first, *others)}
        for rows in ([first, others[0]], [first, others[1]], [first, *others], [others[0], first, first, others[1]]):
            got, exchange = answers(probe, rows)
            for at, row in enumerate(rows):
                (alone,), other = usual[id(row)]
                if not same(alone, got[at]):
                    raise Violation(f"Row {at} of {len(rows)} got {got[at]}, alone {alone}", other, exchange)
    return "3 rows beside other rows and beside a copy: the same answers as alone"


@check("semantic", "The columns may come in any order: they are matched by name.")
def column_order_is_irrelevant(probe: Probe) -> str:
    if "mlflow" not in probe.described.forms:
        raise NotApplicable("the document has no form with a list of columns")
    method = next((m for m in ("predict_proba", "predict") if m in probe.described.methods), None)
    rows = probe.sample(3)
    usual, first = probe.score(rows, method, "mlflow")
    second = probe.post(samples.body([dict(reversed(row.items())) for row in rows], "mlflow", method))
    if second.status != 200:
        return f"columns in reverse: {second.status}"
    got = probe.unwrap(second, "mlflow")
    if len(got) != len(usual) or difference(usual, got) is not None:
        raise Violation(f"The rows got {usual}, and {got} with their columns in reverse", first, second)
    return "columns in reverse: the same answers"


@check("semantic", "A hundred rows at once get the same answers as in smaller requests.")
def a_hundred_rows_equal_their_parts(probe: Probe) -> str:
    probe.needs_at_once(HUNDRED)
    rows = probe.sample(HUNDRED)
    whole, first = answers(probe, rows)
    size = HUNDRED // PARTS
    for start in range(0, HUNDRED, size):
        part, second = answers(probe, rows[start : start + size])
        if (at := difference(whole[start : start + size], part)) is not None:
            raise Violation(
                f"Row {start + at} got {whole[start + at]} among 100, {part[at]} among {size}", first, second
            )
    return f"100 rows at once and in {PARTS} parts: the same answers"


@check(
    "semantic", "The largest request that the document allows gets the same answers as its rows in smaller requests."
)
def a_full_request_equals_its_parts(probe: Probe) -> str:
    most = probe.described.max_rows
    if most is None or not HUNDRED < most <= FULL_MAX:
        raise NotApplicable("the document sets no row limit" if most is None else f"the document allows {most} rows")
    full = probe.fitting(most)
    if full <= HUNDRED:
        raise NotApplicable(f"{full} rows are as many as a request may hold")
    # What is drawn is bounded, the request is not: its rows begin again when they are used up.
    drawn = probe.sample(max(HUNDRED, CELLS_MAX // len(probe.described.signature.used)))
    whole, first = answers(probe, [drawn[at % len(drawn)] for at in range(full)])
    for start in range(0, len(drawn), HUNDRED):
        part, second = answers(probe, drawn[start : start + HUNDRED])
        for again in range(start, full, len(drawn)):
            got = whole[again : again + len(part)]
            if (at := difference(got, part[: len(got)])) is not None:
                evidence = f"Row {again + at} got {got[at]} among {full}, {part[at]} among {len(part)}"
                raise Violation(evidence, first, second)
    held = "" if full == most else f" (of {most} allowed; more are too large for a request)"
    return f"{full} rows{held} at once and a hundred at a time: the same answers"


@check("semantic", f"{THREADS} clients at the same time each get the answers to their own rows.")
def threads_do_not_mix(probe: Probe) -> str:
    batches = [probe.sample(1 + number % 3) for number in range(THREADS)]
    alone = [answers(probe, rows) for rows in batches]
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(lambda number: _again(probe, batches[number], alone[number][0]), range(THREADS)))
    for (before, first), trouble in zip(alone, found, strict=True):
        if trouble is not None:
            got, second = trouble
            raise Violation(f"Alone the request got {before}, beside {THREADS - 1} others {got}", first, second)
    return f"{THREADS} clients, {ROUNDS} requests each: each got its own answers"


def _again(probe: Probe, rows: list[dict[str, Any]], alone: Sequence[Any]) -> tuple[Any, Exchange] | None:
    """The first answer that differs from the one that came alone, on a connection of its own."""
    with probe.another() as client:
        for _ in range(ROUNDS):
            got, exchange = answers(client, rows)
            if difference(alone, got) is not None:
                return got, exchange
    return None


@check("semantic", "A rejected request has no after-effects: the next one on the connection gets its usual answer.")
def refusals_leave_nothing_behind(probe: Probe) -> str:
    rows = probe.sample(2)
    before, first = answers(probe, rows)
    bad = (b"", b"{", b'{"data": [{}]}', probe.body([{}]), b"[" * 1000)
    for body in bad:
        refused = probe.post(body)
        after, second = answers(probe, rows)
        if (at := difference(before, after)) is not None:
            raise Violation(f"Row {at} got {before[at]}, after a rejection {after[at]}", first, refused, second)
    return f"after each of {len(bad)} rejections: the usual answers"


@check("semantic", "Not every row gets the same label, unless the probabilities justify it.")
def labels_vary(probe: Probe) -> str:
    if len(probe.described.signature.classes) == 1:
        raise NotApplicable("the document lists a single class")
    excuse = "as their probabilities may justify" if method_of(probe, "predict_proba") else ""
    return vary(probe, lambda rows: probe.score(rows, method_of(probe, "predict")), excuse)
