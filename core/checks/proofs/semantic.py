"""What scoring must mean, whatever the model: the part that no schema can say.

Each check sends the smallest batch that can show a fault first, so that the reproduction is short.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from core.checks.asking.everywhere import Rows, batches_from_everywhere, smallest
from core.checks.document.together import Told, told
from core.checks.outcome import ELSEWHERE, NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.places import encoded_twice, under
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.domain.signature import Scalar

SAME = 1e-9
"""Two numbers for one row may differ by this much, or this part of them: batches may add up in another order."""
SUM_TOLERANCE = 1e-6
REPEATS = 5
DIFFERENT_MIN = 3
"""Fewer different rows may well get one answer: a flag alone makes two."""


def batches(probe: Probe) -> Iterator[Rows]:
    """Batches of growing size, the smallest first."""
    for size in (2, 5, probe.rows):
        yield probe.sample(size)


def each_batch(probe: Probe, judge: Callable[[Rows], object]) -> str:
    """Let `judge` see batches of growing size and then rows from everywhere; gives how many in words.

    Raises the Violation that `judge` does, from everywhere with as few rows as show it.
    """
    for rows in batches(probe):
        judge(rows)
    return f"{probe.rows} rows and {each_from_everywhere(probe, judge):,} from everywhere"


def each_from_everywhere(probe: Probe, judge: Callable[[Rows], object]) -> int:
    """Let `judge` see rows from everywhere; gives how many. Raises Violation with as few rows as show it."""
    count = 0
    for rows in batches_from_everywhere(probe):
        try:
            judge(rows)
        except Violation as e:
            raise smallest(judge, rows) or e from e
        count += len(rows)
    return count


@check("semantic", "The answers stand where the document says, or are found where it does not say.")
def answers_are_found(probe: Probe) -> str:
    found = []
    for form in probe.described.forms:
        keys, told = probe.place_of(form), probe.described.reply_keys[form]
        exchange = probe.post(probe.described.body(probe.sample(1), None, form))
        if told is not None and keys != told and not encoded_twice(exchange):
            what = f"The document puts the answers to {form} {under(told)}, they stand {under(keys)}"
            raise Violation(f"{what}: {exchange.shown}", exchange, cause=ELSEWHERE)
        found.append(under(keys) + ("" if told == keys else ", of which the document does not speak"))
    return f"found {'; '.join(dict.fromkeys(found))}"


@check("semantic", "Every row that is sent gets one answer, in batches of any size.")
def one_answer_per_row(probe: Probe) -> str:
    probe.needs_at_once(1)
    sizes = sorted({min(size, probe.rows) for size in (1, 2, 7, probe.rows)})
    for size in sizes:
        probe.score(probe.sample(size))
    if not probe.described.empty_allowed:
        return f"batches of {', '.join(map(str, sizes))} rows: one answer each"
    probe.score([])
    return f"batches of 0, {', '.join(map(str, sizes))} rows: one answer each"


@check("semantic", "Rows sent in another order get the same answers in that order.")
def order_is_kept(probe: Probe) -> str:
    probe.needs_at_once(2)
    distinct: set[str] = set()

    def judge(rows: Rows) -> None:
        forward, first = answers(probe, rows)
        backward, second = answers(probe, rows[::-1])
        distinct.update(map(repr, forward))
        if (at := difference(forward, backward[::-1])) is not None:
            raise Violation(f"Row {at} got {forward[at]}, and {backward[::-1][at]} in reverse order", first, second)

    return f"{each_batch(probe, judge)} forwards and backwards: the same answers ({len(distinct):,} distinct)"


@check("semantic", "A row gets the same answer alone as in a batch.")
def batch_equals_single(probe: Probe) -> str:
    probe.needs_at_once(2)
    for rows in (*batches(probe), *islice(batches_from_everywhere(probe), 1)):
        together, first = answers(probe, rows)
        for at, row in enumerate(rows):
            (alone,), second = answers(probe, [row])
            if not same(alone, together[at]):
                raise Violation(f"Row {at} of {len(rows)} got {together[at]}, alone {alone}", first, second)
    return f"{probe.rows} rows in one batch and one by one: the same answers"


@check("semantic", "The same request gets the same answer again, also after others.")
def answers_repeat(probe: Probe) -> str:
    rows = probe.sample(2)
    once, first = answers(probe, rows)
    for _ in range(REPEATS):
        answers(probe, probe.sample(3))
        again, second = answers(probe, rows)
        if (at := difference(once, again)) is not None:
            raise Violation(f"Row {at} got {once[at]}, later {again[at]}", first, second)
    return f"the same request {REPEATS + 1} times with others in between: the same answer"


@check("semantic", "Probabilities lie between 0 and 1 and add up to 1, one for each class.")
def probabilities_add_up(probe: Probe) -> str:
    def judge(rows: Rows) -> None:
        chances, exchange = _probabilities(probe, rows)
        for at, values in enumerate(chances):
            whole = len(values) == 1 or abs(sum(values) - 1) <= SUM_TOLERANCE
            if not all(0 <= value <= 1 for value in values) or not whole:
                raise Violation(f"Row {at}: {values} adds up to {sum(values)}", exchange)

    return f"{each_batch(probe, judge)}: within [0, 1], sums within {SUM_TOLERANCE} of 1"


@check("semantic", "Not all rows get the same probabilities: the model reads what it is sent.")
def probabilities_vary(probe: Probe) -> str:
    return vary(probe, lambda rows: _probabilities(probe, rows))


def vary(probe: Probe, ask: Callable[[Rows], tuple[Sequence[Any], Exchange]], excuse: str = "") -> str:
    """How many different answers there are, in words. Two are enough: a tree of one split gives no more.

    Where all rows get one, those from everywhere too, raises Violation, or NotApplicable where that is right: by
    `excuse`, or as parity has shown.
    """
    sent = 0
    rows_seen: set[str] = set()
    distinct: set[str] = set()
    for rows in chain([probe.sample(probe.rows)], batches_from_everywhere(probe)):
        found, exchange = ask(rows)
        distinct.update(map(repr, found))
        rows_seen.update(map(repr, rows))
        sent += len(rows)
        if len(distinct) > 1:
            return f"{sent:,} rows got {len(distinct)} distinct answers"
    if len(rows_seen) < DIFFERENT_MIN:
        raise NotApplicable(f"there are {len(rows_seen)} different rows by the document, which say nothing")
    one = f"{sent:,} rows from everywhere that the document allows all got {distinct.pop()}"
    if excuse or probe.proven:
        raise NotApplicable(f"{one}, {excuse or PROVEN}")
    raise Violation(one, exchange)


PROVEN = "and parity shows that the trained model answers so"


@check("semantic", "The order of a row's keys makes no difference.")
def key_order_is_irrelevant(probe: Probe) -> str:
    def judge(rows: Rows) -> None:
        before, first = answers(probe, rows)
        after, second = answers(probe, [dict(reversed(row.items())) for row in rows])
        if (at := difference(before, after)) is not None:
            raise Violation(f"Row {at} got {before[at]}, and {after[at]} with its keys reversed", first, second)

    return f"{each_batch(probe, judge)} with their keys reversed: the same answers"


@check("semantic", "Every request form that the document allows gives the same answers.")
def forms_agree(probe: Probe) -> str:
    forms = probe.described.forms
    if len(forms) < 2:
        raise NotApplicable(f"the document allows one form, {forms[0]}")

    def judge(rows: Rows) -> None:
        for method in probe.described.methods or (None,):
            known, first = probe.score(rows, method, forms[0])
            for form in forms[1:]:
                other, second = probe.score(rows, method, form)
                if (at := difference(known, other)) is not None:
                    raise Violation(f"Row {at}: {known[at]} as {forms[0]}, {other[at]} as {form}", first, second)

    return f"{each_batch(probe, judge)} as {', '.join(forms)}: the same answers"


@check("semantic", "Every published category of every column is scored.")
def every_category_is_scored(probe: Probe) -> str:
    closed = [column for column in probe.described.signature.used if column.closed]
    levels = [(column.name, level) for column in closed for level in column.levels]
    if not levels:
        raise NotApplicable("the document publishes no categories")
    tries = probe.tries(levels)
    made = iter(tries)
    while some := list(islice(made, probe.rows)):
        rows = [probe.sample(1)[0] | {name: level} for name, level in some]
        try:
            probe.score(rows)
        except Violation:
            _one_by_one(probe, rows, some)
            raise
    return f"{tries} categories, one at a time: all scored"


def _one_by_one(probe: Probe, rows: Sequence[dict[str, Any]], levels: Sequence[tuple[str, str]]) -> None:
    """Raises Violation for the first row that is not scored alone, with the category that it is about."""
    for row, (name, level) in zip(rows, levels, strict=True):
        try:
            probe.score([row])
        except Violation as e:
            raise Violation(f"'{level}' in '{name}'. {e.evidence}", *e.requests, cause=e.cause, telling=True) from e


def answers(probe: Probe, rows: Sequence[dict[str, Any]]) -> tuple[list[Any], Exchange]:
    """The finest answers there are: probabilities where the endpoint gives them, else labels."""
    return probe.score(rows, method_of(probe, "predict_proba") or method_of(probe, "predict"))


def same(one: Any, other: Any) -> bool:
    """Whether two answers are equal, probabilities up to `SAME`."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, float) and isinstance(other, int | float) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=SAME, abs_tol=SAME)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def difference(some: Sequence[Any], others: Sequence[Any]) -> int | None:
    """Where two lists of answers differ first; None where they do not."""
    pairs = enumerate(zip(some, others, strict=True))
    return next((at for at, (one, other) in pairs if not same(one, other)), None)


def method_of(probe: Probe, method: str) -> str | None:
    """The method, where the document offers it."""
    return method if method in probe.described.methods else None


def _offers_probabilities(probe: Probe) -> bool:
    return "predict_proba" in probe.described.methods


def _probabilities(probe: Probe, rows: Sequence[dict[str, Any]]) -> tuple[list[list[float]], Exchange]:
    """The probabilities of these rows, asked for or beside their labels. Raises NotApplicable, Violation."""
    if not _offers_probabilities(probe):
        found, exchange = answers(probe, rows)
        return [_told(answer).chances for answer in found], exchange
    found, exchange = probe.score(rows, "predict_proba")
    return [chances_of(chance, probe.described.signature.classes, exchange) for chance in found], exchange


def _told(answer: Any) -> Told:
    if (found := told(answer)) is None:
        raise NotApplicable("the document offers no predict_proba, and no answer holds probabilities")
    return found


def published_classes(probe: Probe) -> tuple[Scalar, ...]:
    """Raises NotApplicable where there are none."""
    if not probe.described.signature.classes:
        raise NotApplicable("the document publishes no x-classes")
    return probe.described.signature.classes


def chances_of(chance: Any, classes: Sequence[Scalar], exchange: Exchange) -> list[float]:
    """An answer as probabilities. Raises Violation where it is none."""
    numbers = isinstance(chance, list) and all(isinstance(value, int | float) for value in chance)
    if not numbers or (classes and len(chance) != len(classes)):
        raise Violation(f"Expected one probability for each of {len(classes)} classes, got {chance}", exchange)
    return list(chance)
