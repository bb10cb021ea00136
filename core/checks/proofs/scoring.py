"""What scoring must mean, whatever the model: the part that no schema can say.

Each check sends the smallest batch that can show a fault first, so that the reproduction is short.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from core.checks.asking.answers import answers, chances_of, difference, same
from core.checks.asking.batches import batches, each_batch, vary
from core.checks.asking.everywhere import Rows, batches_from_everywhere, everywhere
from core.checks.document.together import Told, told
from core.checks.outcome import ELSEWHERE, NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.places import encoded_twice, under
from core.checks.probe.probe import Probe
from core.checks.registry import check

SUM_TOLERANCE = 1e-6
REPEATS = 5


@check(
    "semantic", "Rows from all over what the document allows are scored, including its bounds and rare combinations."
)
def rows_from_everywhere_are_scored(probe: Probe) -> str:
    found = probe.once(everywhere)
    if found.refused is not None:
        raise found.refused
    return f"{found.count:,} rows, at bounds and in rare combinations too: all scored"


@check("semantic", "The answers are where the document says, or are found where it does not say.")
def answers_are_found(probe: Probe) -> str:
    found = []
    for form in probe.described.forms:
        keys, told = probe.place_of(form), probe.described.reply_keys[form]
        exchange = probe.post(probe.described.body(probe.sample(1), None, form))
        if told is not None and keys != told and not encoded_twice(exchange):
            what = f"The document puts the answers to {form} {under(told)}, but they are {under(keys)}"
            raise Violation(f"{what}: {exchange.shown}", exchange, cause=ELSEWHERE)
        found.append(under(keys) + ("" if told == keys else ", which the document does not mention"))
    return f"found {'; '.join(dict.fromkeys(found))}"


@check("semantic", "Every row gets one answer, in batches of any size.")
def one_answer_per_row(probe: Probe) -> str:
    probe.needs_at_once(1)
    sizes = sorted({min(size, probe.rows) for size in (1, 2, 7, probe.rows)})
    for size in sizes:
        probe.score(probe.sample(size))
    if not probe.described.empty_allowed:
        return f"batches of {', '.join(map(str, sizes))} rows: one answer each"
    probe.score([])
    return f"batches of 0, {', '.join(map(str, sizes))} rows: one answer each"


@check("semantic", "Rows sent in a different order get the same answers in that order.")
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


@check("semantic", "The same request gets the same answer again, also after other requests.")
def answers_repeat(probe: Probe) -> str:
    rows = probe.sample(2)
    once, first = answers(probe, rows)
    for _ in range(REPEATS):
        answers(probe, probe.sample(3))
        again, second = answers(probe, rows)
        if (at := difference(once, again)) is not None:
            raise Violation(f"Row {at} got {once[at]}, later {again[at]}", first, second)
    return f"the same request {REPEATS + 1} times with others in between: the same answer"


@check("semantic", "Probabilities are between 0 and 1 and add up to 1, one for each class.")
def probabilities_add_up(probe: Probe) -> str:
    def judge(rows: Rows) -> None:
        chances, exchange = _probabilities(probe, rows)
        for at, values in enumerate(chances):
            whole = len(values) == 1 or abs(sum(values) - 1) <= SUM_TOLERANCE
            if not all(0 <= value <= 1 for value in values) or not whole:
                raise Violation(f"Row {at}: {values} adds up to {sum(values)}", exchange)

    return f"{each_batch(probe, judge)}: within [0, 1], sums within {SUM_TOLERANCE} of 1"


@check("semantic", "Not all rows get the same probabilities: the model uses its input.")
def probabilities_vary(probe: Probe) -> str:
    return vary(probe, lambda rows: _probabilities(probe, rows))


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


@check("semantic", "Every listed category of every column can be scored.")
def every_category_is_scored(probe: Probe) -> str:
    closed = [column for column in probe.described.signature.used if column.closed]
    levels = [(column.name, level) for column in closed for level in column.levels]
    if not levels:
        raise NotApplicable("the document lists no categories")
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
        raise NotApplicable("the document offers no predict_proba, and no answer contains probabilities")
    return found
