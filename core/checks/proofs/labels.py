"""What labels have to do with probabilities and with what the document shows: as published, else as answers show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from core.checks.asking.answers import answers, chances_of, method_of, published_classes
from core.checks.asking.batches import each_batch, each_from_everywhere
from core.checks.document.kinds import classifies, kinds_shown, label_of, wrong_kind
from core.checks.document.together import told
from core.checks.outcome import LABELS, NotApplicable, Violation
from core.checks.probe.exchange import Exchange
from core.checks.probe.places import encoded_twice
from core.checks.probe.probe import Probe
from core.checks.registry import check
from core.contract.decision import may_decide
from core.domain.signature import Scalar

TIE = 1e-9
"""Classes this close to each other, or to the threshold, may be told either way."""
ROWS, ROWS_ALONE = 400, 60
"""So many rows are looked at, and so many where a request holds one."""
EACH = 3
"""Fewer rows of a kind say nothing of how labels follow."""


class Pair(NamedTuple):
    """The label of a row, and the probabilities from which it must follow."""

    row: int
    label: Any
    chances: Sequence[float]
    names: Sequence[str] | None
    """Whose the probabilities are, where the answer says so."""
    requests: tuple[Exchange, ...]


@check(
    "semantic",
    "`predict` gives the class with the highest probability in `predict_proba` (or the one above its threshold).",
)
def predict_agrees_with_probabilities(probe: Probe) -> str:
    signature = probe.described.signature
    classes = signature.classes
    rule: _Rule | None = None

    def judge(pairs: Iterable[Pair]) -> int:
        nonlocal rule
        count = 0
        for pair in pairs:
            count += 1
            if len(pair.chances) == len(classes):
                _judge(pair, classes, may_decide(signature, classes, pair.chances, tie=TIE))
            elif names := _classes_by_name(pair):
                _judge(pair, names, may_decide(signature, names, pair.chances, tie=TIE))
            else:
                rule = rule or (_Cut() if len(pair.chances) == 2 else _MostProbable())
                rule.take(pair)
        return count

    count = judge(_pairs(probe)) + each_from_everywhere(probe, lambda rows: judge(_batch(probe, rows)))
    if rule is not None:
        rule.conclude(count)
    return f"{count} rows: every label follows from its probabilities"


def _pairs(probe: Probe) -> Iterator[Pair]:
    """Labels with their probabilities, the smallest request first. Raises NotApplicable where there are none."""
    most = ROWS_ALONE if probe.described.one_row else max(ROWS, probe.rows)
    count, size = 0, min(2, probe.rows)
    while count < most:
        yield from _batch(probe, probe.sample(size))
        count, size = count + size, probe.rows


def _batch(probe: Probe, rows: list[dict[str, Any]]) -> Iterator[Pair]:
    if "predict_proba" not in probe.described.methods:
        found, exchange = answers(probe, rows)
        for at, each in enumerate(map(told, found)):
            if each is None:
                raise NotApplicable("the document offers no predict_proba, and no answer contains probabilities")
            if each.label is None or len(each.chances) < 2:
                raise NotApplicable("the answers contain no label beside the probabilities of all classes")
            yield Pair(at, each.label, each.chances, each.classes, (exchange,))
        return
    labels, first = probe.score(rows, "predict")
    chances, second = probe.score(rows, "predict_proba")
    for at, (label, chance) in enumerate(zip(map(label_of, labels), chances, strict=True)):
        if label is None:
            raise NotApplicable("the answers contain more than a label")
        yield Pair(at, label, chances_of(chance, probe.described.signature.classes, second), None, (first, second))


def _judge(pair: Pair, classes: Sequence[Scalar], expected: Sequence[Scalar]) -> None:
    if pair.label not in expected:
        told = f"{pair.label!r} comes with the probabilities {list(pair.chances)} of {list(classes)}"
        raise Violation(f"Row {pair.row}: {told}", *pair.requests)


def _classes_by_name(pair: Pair) -> list[Scalar]:
    """The labels that the names of probabilities mean; none where these names are no labels. JSON's keys are texts."""
    label = str(pair.label).lower() if isinstance(pair.label, bool) else str(pair.label)
    names = list(pair.names or ())
    known = {name.lower() if isinstance(pair.label, bool) else name: name for name in names}
    return [pair.label if name == known.get(label) else name for name in names] if label in known else []


class _Rule:
    """What labels without published classes must have in common with their probabilities."""

    def take(self, pair: Pair) -> None:
        """Raises Violation where no way of telling labels gives this one beside the others."""
        raise NotImplementedError

    def conclude(self, count: int) -> None:
        """Raises NotApplicable where the rows say too little."""
        if sum(number >= EACH for number in self.seen().values()) < 2:
            raise NotApplicable(
                f"{count} rows got the same label: that does not show how labels follow from probabilities"
            )

    def seen(self) -> Mapping[Any, int]:
        """How many rows there were of each kind."""
        raise NotImplementedError


class _MostProbable(_Rule):
    """Several classes, in whatever order: a label for each that is the most probable."""

    def __init__(self) -> None:
        self._by_class: dict[int, Pair] = {}
        self._by_label: dict[str, int] = {}
        self._count: dict[int, int] = {}

    def take(self, pair: Pair) -> None:
        best, second = sorted(pair.chances)[:-3:-1]
        if best - second <= TIE:
            return
        at, label = list(pair.chances).index(best), repr(pair.label)
        known = self._by_class.setdefault(at, pair)
        self._count[at] = self._count.get(at, 0) + 1
        other = self._by_class[self._by_label.setdefault(label, at)]
        if repr(known.label) != label:
            told = f"{known.label!r} with {list(known.chances)}, and {pair.label!r} with {list(pair.chances)}"
            raise Violation(f"The most probable class gets two different labels: {told}", *_all(known, pair))
        if self._by_label[label] != at:
            told = f"{pair.label!r} stands with {list(other.chances)} and with {list(pair.chances)}"
            raise Violation(f"One label stands for two different classes: {told}", *_all(other, pair))

    def seen(self) -> Mapping[Any, int]:
        return self._count


class _Cut(_Rule):
    """Two classes: from some value of one probability on, wherever that lies, it is the other label."""

    def __init__(self) -> None:
        self._ends: dict[str, tuple[Pair, Pair]] = {}
        """Label -> the pairs of the lowest and the highest second probability."""
        self._count: dict[str, int] = {}

    def take(self, pair: Pair) -> None:
        label = repr(pair.label)
        low, high = self._ends.get(label, (pair, pair))
        self._ends[label] = min(low, pair, key=_second), max(high, pair, key=_second)
        self._count[label] = self._count.get(label, 0) + 1
        if len(self._ends) > 2:
            lows = [each for each, _ in self._ends.values()]
            labels = ", ".join(self._ends)
            raise Violation(f"There are two probabilities but more than two labels: {labels}", *_all(*lows))
        for one, other in (list(self._ends.values()), list(self._ends.values())[::-1]) if len(self._ends) == 2 else ():
            self._apart(one, other)

    @staticmethod
    def _apart(one: tuple[Pair, Pair], other: tuple[Pair, Pair]) -> None:
        """Raises Violation where a row of the other label lies between two of this one."""
        for between in other:
            if _second(one[0]) + TIE < _second(between) < _second(one[1]) - TIE:
                three = (one[0], between, one[1])
                told = ", ".join(f"{each.label!r} with {list(each.chances)}" for each in three)
                raise Violation(f"No threshold on a probability gives these labels: {told}", *_all(*three))

    def seen(self) -> Mapping[Any, int]:
        return self._count


def _second(pair: Pair) -> float:
    return pair.chances[1]


def _all(*pairs: Pair) -> list[Exchange]:
    """The requests of these rows, each once."""
    return list({id(request): request for pair in pairs for request in pair.requests}.values())


@check("semantic", "Every predicted label is one of the listed classes, with its JSON type.")
def labels_are_published_classes(probe: Probe) -> str:
    classes = published_classes(probe)

    def judge(rows: list[dict[str, Any]]) -> None:
        labels, _, exchange = _labels(probe, rows)
        for at, label in enumerate(labels):
            if not any(label == known and type(label) is type(known) for known in classes):
                raise Violation(f"Row {at}: {label!r} is none of {list(classes)}", exchange)

    return f"the labels of {each_batch(probe, judge)}, all among {list(classes)}"


@check("semantic", "Labels have the same JSON type as in the document's example answer.")
def labels_have_the_type_of_the_example(probe: Probe) -> str:
    shown = kinds_shown(probe.described)
    if probe.described.signature.classes:
        raise NotApplicable("the document lists the classes (x-classes), which says it")
    if not shown:
        raise NotApplicable("the document shows no example of a label")
    labels, found, exchange = _labels(probe, probe.sample(probe.rows))
    if encoded_twice(exchange):
        raise NotApplicable("the reply is encoded twice, and the document does not describe what is inside")
    strict = classifies(probe.described, found)
    for at, label in enumerate(labels):
        if wrong := wrong_kind(label, shown, strict):
            raise Violation(f"Row {at}: {label!r} is {wrong}: {exchange.shown}", exchange, cause=LABELS)
    return f"{len(labels)} labels: {' or '.join(sorted(shown))}, as the example"


def _labels(probe: Probe, rows: list[dict[str, Any]]) -> tuple[list[Any], list[Any], Exchange]:
    """The labels of rows, the answers that hold them, and the reply. Raises NotApplicable where there are none."""
    found, exchange = probe.score(rows, method_of(probe, "predict"))
    labels = [label for label in map(label_of, found) if label is not None]
    if not labels:
        raise NotApplicable("the answers contain more than a label")
    return labels, found, exchange
