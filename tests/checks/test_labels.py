"""Labels follow from probabilities and are of the type that was shown, whatever the document publishes of classes."""

from typing import Any

import pytest
from turns import in_turn

from contract_tests.mutants.styles import Unclassed
from contract_tests.reference import KEY, Reference, serving
from contract_tests.styles import Digits, Iris
from core.checks import run_checks
from core.checks.document.kinds import wrong_kind
from core.checks.document.replies import candidates, chosen
from core.domain.proof import CheckResult, Target

FOLLOW, TYPE = "predict_agrees_with_probabilities", "labels_have_the_type_of_the_example"


def judged(server: Reference) -> dict[str, CheckResult]:
    with serving(server) as url:
        return {result.name: result for result in run_checks(Target(url, KEY), parts=("semantic",))}


class CutElsewhere(Unclassed):
    """Says no wherever no is likelier than 27 %."""

    def label(self, probabilities: list[float]) -> str:
        return "no" if probabilities[0] > 0.27 else "yes"


class Rounded(Unclassed):
    """Tells probabilities to one digit, and labels by all of them: on the cut stand both."""

    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        told = super().answers(rows, method)
        return [[round(no, 1), round(1 - round(no, 1), 1)] for no, _ in told] if method == "predict_proba" else told


class AlwaysNo(Unclassed):
    def label(self, probabilities: list[float]) -> str:
        return "no"


class Named(Digits):
    """Probabilities under the names of labels, which are numbers: JSON's keys are texts."""

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        chances = self.chances(row)
        named = {str(label): chance for label, chance in zip(self.labels, chances, strict=True)}
        return {"label": self.label(row, chances), "probabilities": named}


class NamedOtherwise(Named):
    """Under names that are no labels."""

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        told = super().one(row)
        return told | {"probabilities": {f"p_{name}": chance for name, chance in told["probabilities"].items()}}


class NamedTruths(Digits):
    labels = (True, False)

    def chances(self, row: dict[str, Any]) -> list[float]:
        yes = super().chances(row)[0]
        return [yes, 1 - yes]

    def one(self, row: dict[str, Any]) -> dict[str, Any]:
        yes, no = self.chances(row)
        return {"label": yes > no, "probabilities": {"true": yes, "false": no}}


FOLLOWING = [CutElsewhere, Rounded, Digits, Named, NamedOtherwise, NamedTruths]


@pytest.mark.parametrize("server", in_turn(FOLLOWING, 3, lambda server: server.__name__))
def test_labels_that_follow_somehow_are_no_violation(server: type[Reference]) -> None:
    told = judged(server())[FOLLOW]
    assert told.passed is True, told.evidence


def test_where_all_rows_get_one_label_nothing_is_judged() -> None:
    told = judged(AlwaysNo())[FOLLOW]
    assert told.passed is None
    assert "rows got the same label" in told.evidence


def test_a_contradiction_is_shown_by_its_rows() -> None:
    class Middle(Unclassed):
        def label(self, probabilities: list[float]) -> str:
            return "yes" if 0.3 < probabilities[1] < 0.7 else "no"

    told = judged(Middle())[FOLLOW]
    assert told.passed is False
    assert told.evidence.startswith("No threshold on a probability gives these labels: 'no' with [")
    assert "predict_proba" in told.curl


@pytest.mark.parametrize(
    ("label", "shown", "strict", "wrong"),
    [
        ("no", {"string"}, True, False),
        (0, {"string"}, True, True),
        ("0", {"integer"}, False, True),
        (True, {"integer"}, False, True),
        (1, {"boolean"}, True, True),
        (1, {"integer"}, True, False),
        (1.0, {"integer"}, True, True),
        (1.5, {"integer"}, False, False),
        (1, {"number"}, True, False),
        (None, {"string"}, False, True),
        ("no", {"string", "integer"}, True, False),
    ],
)
def test_a_label_is_of_the_type_that_was_shown(label: Any, shown: set[str], strict: bool, wrong: bool) -> None:
    assert bool(wrong_kind(label, shown, strict)) is wrong


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (["a", "b"], ("",)),
        ({"predict": ["a", "b"]}, ("predict",)),
        ({"data": {"outputs": {"y": [1, 2]}, "columns": ["y"]}}, ("data.outputs.y",)),
        ({"predict": {"0": "a", "1": "b"}}, ("predict",)),
        ({"ids": ["u", "v"], "predict": ["a", "b"]}, ("predict",)),
        ({"predict": ["a", "b"], "classes": ["a", "b", "c"]}, ("predict",)),
        ({"predict": ["a", "b"], "scores": [0.1, 0.2]}, ("predict", "scores")),
        ({"x": [1, 2], "y": [3, 4]}, None),
        ({"predict": "a"}, None),
    ],
)
def test_answers_are_the_list_that_is_as_long_as_the_rows(reply: Any, found: tuple[str, ...] | None) -> None:
    among = candidates(reply, 2)
    assert (chosen(among, "some form") if among else None) == found


class Nested(Iris):
    def answer(self, rows: list[Any]) -> Any:
        return {"status": "ok", "took_ms": 3, "data": {"labels": super().answer(rows)["predict"], "rows": len(rows)}}


class AsPandas(Iris):
    def answer(self, rows: list[Any]) -> Any:
        return {"predict": {str(at): label for at, label in enumerate(super().answer(rows)["predict"])}}


@pytest.mark.parametrize(("server", "place"), [(Iris, "predict"), (Nested, "data.labels"), (AsPandas, "predict")])
def test_answers_are_found_where_no_document_tells_them(server: type[Iris], place: str) -> None:
    results = judged(server())
    assert results["answers_are_found"].evidence == f"found under '{place}', which the document does not mention"
    assert {result.passed for result in results.values()} == {True, None}
    assert results["order_is_kept"].passed


class TwoLists(Iris):
    def answer(self, rows: list[Any]) -> Any:
        labels = super().answer(rows)["predict"]
        return {"x": labels, "y": labels}


class OneWord(Iris):
    def answer(self, rows: list[Any]) -> Any:
        return {"predict": "setosa"}


@pytest.mark.parametrize(("server", "words"), [(TwoLists, "as long as the rows: x, y"), (OneWord, "none is as long")])
def test_answers_that_cannot_be_found_are_told_once(server: type[Iris], words: str) -> None:
    results = judged(server())
    assert not [result for result in results.values() if result.passed is False]
    (told,) = (result.evidence for result in results.values() if result.no_verdict)
    assert words in told
    assert "one cause, met by" in told
