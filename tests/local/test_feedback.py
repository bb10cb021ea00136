"""Outcomes are joined with the answers that were kept, and say how good these were."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from watched import CLASSES, HOUR_S, NOW, Shop, rows, truth

from core.domain.errors import Conflict, EndpointNotFound, SpecInvalid, StoredUnreadable
from core.domain.outcomes import Outcome, Unmatched
from core.local.records.outcomes import forget
from core.local.watching import feedback


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "workspace")
    yield made
    made.store.close()


def outcomes(ids: Sequence[str], actual: Sequence[str], a_request: int = 10) -> list[Outcome]:
    return [Outcome(ids[at // a_request], at % a_request, value) for at, value in enumerate(actual)]


def test_outcomes_meet_their_answers_and_say_how_good_they_were(shop: Shop) -> None:
    table = rows(1_000, seed=1)
    ids = shop.keep(table, NOW - HOUR_S)
    receipt = shop.workspace.records.send_feedback("shop", outcomes(ids, truth(table["amount"])))
    assert (receipt.received, receipt.matched, receipt.replaced, receipt.unmatched) == (1_000, 1_000, 0, 0)

    told = shop.workspace.records.quality("shop")

    assert (told.rows, told.scored, told.reason) == (1_000, 1_000, "")
    assert set(told.metrics) == {"AUC_weighted", "accuracy", "log_loss"}
    for measured in told.metrics.values():
        assert measured.low < measured.value < measured.high
    assert told.metrics["AUC_weighted"].value == pytest.approx(0.83, abs=0.04)
    assert told.trained == {"AUC_weighted": 0.85, "accuracy": 0.75, "log_loss": 0.5}
    assert sum(each.rows for each in told.calibration) == 1_000
    right = [each.actual.low <= each.predicted <= each.actual.high for each in told.calibration]
    assert sum(right) >= len(right) - 1
    assert told.cost is None


def test_what_matches_no_answer_is_counted_and_named(shop: Shop) -> None:
    (first, *_) = shop.keep(rows(10, seed=1), NOW - HOUR_S)
    sent = [Outcome(first, 3, "yes"), Outcome("nobody's", 0, "no"), Outcome(first, 10, "no")]

    receipt = shop.workspace.records.send_feedback("shop", sent)

    assert (receipt.matched, receipt.unmatched) == (1, 2)
    assert receipt.examples == (
        Unmatched("nobody's", 0, "no kept answer has this request id"),
        Unmatched(first, 10, "the request has 10 rows, counted from 0"),
    )


def test_of_a_row_that_is_told_twice_the_last_counts(shop: Shop) -> None:
    (first, *_) = shop.keep(rows(10, seed=1), NOW - HOUR_S)
    records = shop.workspace.records

    assert records.send_feedback("shop", [Outcome(first, 0, "no"), Outcome(first, 0, "yes")]).replaced == 1
    receipt = records.send_feedback("shop", [Outcome(first, 0, "no")])

    assert (receipt.matched, receipt.replaced) == (1, 1)
    kept = feedback.latest(feedback.known(shop.paths.outcomes("shop")))
    assert kept.select(["request_id", "row", "actual"]).to_pylist() == [{"request_id": first, "row": 0, "actual": "no"}]


def test_the_clients_own_id_is_taken_where_one_request_alone_has_it(shop: Shop) -> None:
    shop.keep(rows(10, seed=1), NOW - HOUR_S, client_request_id="order-17")
    shop.keep(rows(20, seed=2), NOW - HOUR_S, client_request_id="again")

    receipt = shop.workspace.records.send_feedback("shop", [Outcome("order-17", 4, "yes"), Outcome("again", 0, "no")])

    assert (receipt.matched, receipt.unmatched) == (1, 1)
    assert "2 requests have this client's id" in receipt.examples[0].reason


def test_an_id_that_a_client_gave_to_several_requests_names_none_unless_they_were_answered_alike(shop: Shop) -> None:
    for seed in (1, 2, 3):
        shop.keep(rows(2, seed=seed), NOW - HOUR_S, request_id="one for all")
    for at in (NOW - HOUR_S, NOW - 60):
        shop.keep(rows(2, seed=4), at, request_id="sent again")

    receipt = shop.workspace.records.send_feedback(
        "shop", [Outcome("one for all", 1, "yes"), Outcome("sent again", 1, "no")]
    )

    assert (receipt.matched, receipt.unmatched) == (1, 1)
    assert "3 different answers" in receipt.examples[0].reason


def test_an_outcome_that_no_model_predicts_is_refused_and_nothing_is_kept(shop: Shop) -> None:
    (first, *_) = shop.keep(rows(10, seed=1), NOW - HOUR_S)

    with pytest.raises(SpecInvalid, match="'maybe'"):
        shop.workspace.records.send_feedback("shop", [Outcome(first, 0, "yes"), Outcome(first, 1, "maybe")])
    with pytest.raises(EndpointNotFound):
        shop.workspace.records.send_feedback("nothing", [Outcome(first, 0, "yes")])

    assert shop.workspace.records.quality("shop").rows == 0


def test_too_few_rows_and_one_class_alone_are_said(shop: Shop) -> None:
    ids = shop.keep(rows(100, seed=1), NOW - HOUR_S)
    records = shop.workspace.records

    records.send_feedback("shop", outcomes(ids, ["no"] * 49))
    assert records.quality("shop").reason == "49 rows have a known outcome, and 50 are needed"

    records.send_feedback("shop", outcomes(ids, ["no"] * 60))
    told = records.quality("shop")
    assert "of one class alone" in told.reason
    assert (told.metrics, told.calibration) == ({}, ())


def test_outcomes_stay_when_the_inputs_are_gone_and_their_files_are_made_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "FILES_MAX", 3)
    table = rows(100, seed=1)
    ids, actual = shop.keep(table, NOW - HOUR_S), truth(table["amount"])
    for first in range(0, 100, 10):
        shop.workspace.records.send_feedback("shop", outcomes(ids, actual)[first : first + 10])
    for file in shop.paths.model_data("shop").iterdir():
        file.unlink()

    told = shop.workspace.records.quality("shop")

    assert (told.rows, len(told.metrics)) == (100, 3)
    assert len(list(shop.paths.outcomes("shop").glob("*.parquet"))) <= 4


def test_a_damaged_file_of_outcomes_is_named(shop: Shop) -> None:
    (first, *_) = shop.keep(rows(10, seed=1), NOW - HOUR_S)
    records = shop.workspace.records
    records.send_feedback("shop", [Outcome(first, 0, "yes")])
    (file,) = shop.paths.outcomes("shop").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-20])
    for ask in (lambda: records.quality("shop"), lambda: records.send_feedback("shop", [Outcome(first, 1, "no")])):
        with pytest.raises(StoredUnreadable, match=file.name) as caught:
            ask()
        assert "remove it" in caught.value.hint
    file.unlink()
    assert records.send_feedback("shop", [Outcome(first, 1, "no")]).matched == 1


def test_outcomes_of_a_year_ago_go_and_of_too_many_the_oldest(shop: Shop) -> None:
    old, new = (shop.keep(rows(40, seed=1), at) for at in (NOW - 400 * 24 * HOUR_S, NOW - HOUR_S))
    for ids in (old, new):
        shop.workspace.records.send_feedback("shop", outcomes(ids, ["yes"] * 40))
    kept = feedback.known(shop.paths.outcomes("shop"))
    assert set(kept["request_id"].to_pylist()) == set(new)
    (file,) = shop.paths.outcomes("shop").glob("*.parquet")
    fewer = feedback.within(kept, 0.0, file.stat().st_size - 1)
    assert 0 < len(fewer) < len(kept)
    assert min(fewer["at"].to_pylist()) > min(kept["at"].to_pylist())
    os.utime(file, (time.time() - 366 * 24 * HOUR_S,) * 2)
    forget(shop.paths.outcomes("shop"), 365.0)
    assert not file.exists()


def test_rows_that_were_scored_before_the_window_or_by_another_deployment_do_not_count(shop: Shop) -> None:
    shop.deploy("v2")
    table = rows(100, seed=1)
    for at, deployment in ((NOW - 50 * HOUR_S, "v1"), (NOW - HOUR_S, "v2")):
        ids = shop.keep(table, at, deployment=deployment)
        shop.workspace.records.send_feedback("shop", outcomes(ids, truth(table["amount"])))

    records = shop.workspace.records
    assert records.quality("shop", 24 * HOUR_S).rows == 0
    assert records.quality("shop", 60 * HOUR_S).rows == 100
    assert records.quality("shop", 24 * HOUR_S, deployment="v2").rows == 100
    with pytest.raises(Conflict):
        records.quality("shop", deployment="v3")


def test_a_model_of_several_classes_is_judged_by_all_probabilities(tmp_path: Path) -> None:
    signature = replace(CLASSES, classes=("low", "middle", "high"), positive_class=None)
    shop = Shop(tmp_path / "workspace", signature=signature)
    table = rows(200, seed=1)
    ids = shop.keep(table, NOW - HOUR_S)
    actual = [
        "low" if (amount or 0.0) < 0 else "middle" if at % 3 else "high" for at, amount in enumerate(table["amount"])
    ]

    receipt = shop.workspace.records.send_feedback("shop", outcomes(ids, actual))
    told = shop.workspace.records.quality("shop")

    assert receipt.matched == 200
    assert set(told.metrics) == {"AUC_weighted", "accuracy", "log_loss"}


def test_a_model_of_numbers_is_judged_by_their_errors(tmp_path: Path) -> None:
    signature = replace(CLASSES, classes=(), positive_class=None)
    shop = Shop(tmp_path / "workspace", signature=signature)
    table = rows(200, seed=1)
    ids = shop.keep(table, NOW - HOUR_S)
    actual = [f"{amount or 0.0:.2f}" for amount in table["amount"]]

    shop.workspace.records.send_feedback("shop", outcomes(ids, actual))
    told = shop.workspace.records.quality("shop")

    assert set(told.metrics) == {"root_mean_squared_error", "mean_absolute_error", "r2_score"}
    for measured in told.metrics.values():
        assert measured.low <= measured.value <= measured.high
    with pytest.raises(SpecInvalid, match="'cheap'"):
        shop.workspace.records.send_feedback("shop", [Outcome(ids[0], 0, "cheap")])


@pytest.mark.parametrize(
    ("told", "classes", "numbers", "expected"),
    [
        ("yes", ("no", "yes"), False, "yes"),
        (" yes ", ("no", "yes"), False, "yes"),
        ("Yes", ("no", "yes"), False, None),
        ("1.0", (0, 1), False, "1"),
        ("1", (0, 1), False, "1"),
        ("True", (False, True), False, "true"),
        ("1", ("1", "2"), False, "1"),
        ("nan", (), True, None),
        ("12,5", (), True, None),
        ("1e3", (), True, "1000.0"),
    ],
)
def test_an_outcome_is_read_as_the_class_or_the_number_that_it_means(told, classes, numbers, expected) -> None:
    assert feedback.canonical(told, classes, numbers) == expected
