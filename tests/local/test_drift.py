"""What a person is told of an endpoint's inputs and answers, from what its server has kept."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from watched import HOUR_S, NOW, Shop, rows

from core.domain.drift import ColumnDrift, DriftReport, DriftVerdict
from core.domain.errors import Conflict, EndpointNotFound, SpecInvalid
from core.local.records import inputs
from core.local.records.merging import INPUTS, Merging
from core.local.workspace import open_local
from core.ml.drift.reference import FILE
from core.ml.drift.table import reference_of


def column(report: DriftReport, name: str) -> ColumnDrift:
    return next(c for c in report.columns if c.column == name)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "workspace")
    yield made
    made.store.close()


def test_rows_like_those_of_training_have_not_drifted(shop: Shop) -> None:
    shop.keep(rows(1_000, seed=1), NOW - HOUR_S)

    report = shop.workspace.records.drift("shop")

    assert (report.deployment, report.model, report.model_version) == ("v1", "homes", 1)
    assert (report.requests, report.rows, report.training_rows) == (100, 1_000, 3_000)
    assert report.enough
    assert {column.column for column in report.columns} == {"amount", "rooms", "city"}
    assert {column.verdict for column in report.columns} == {DriftVerdict.SAME}
    assert report.score is not None
    assert report.score.verdict is DriftVerdict.SAME


def test_a_shifted_number_and_a_category_that_doubled_have_drifted(shop: Shop) -> None:
    shop.keep(rows(2_000, seed=1, shift=0.75, shares=(0.3, 0.3, 0.2, 0.2)), NOW - HOUR_S)

    report = shop.workspace.records.drift("shop")

    amount, city = (next(c for c in report.columns if c.column == name) for name in ("amount", "city"))
    assert [c.column for c in report.drifted()] == ["amount", "city"]
    assert amount.effect is not None
    assert amount.effect == pytest.approx(0.5, abs=0.1)
    assert amount.test == "Kolmogorov-Smirnov"
    assert city.effect is not None
    assert city.effect == pytest.approx(0.1, abs=0.03)
    assert city.test == "chi-squared"
    assert report.score is not None
    assert report.score.effect is not None
    assert report.score.effect > 0.2


def test_a_category_that_training_never_saw_is_named_and_counted(shop: Shop) -> None:
    table = rows(400, seed=1)
    table["city"][:30] = ["Trier"] * 30
    shop.keep(table, NOW - HOUR_S)

    city = next(c for c in shop.workspace.records.drift("shop").columns if c.column == "city")

    assert city.unseen == {"Trier": 30}
    assert city.bins is not None
    assert "unseen" in city.bins.labels


def test_with_few_rows_nothing_is_said(shop: Shop) -> None:
    shop.keep(rows(150, seed=1, shift=9.0), NOW - HOUR_S)

    report = shop.workspace.records.drift("shop")

    assert not report.enough
    assert report.drifted() == ()
    assert {column.verdict for column in report.columns} == {DriftVerdict.TOO_FEW}


def test_rows_before_the_window_and_of_other_deployments_do_not_count(shop: Shop) -> None:
    shop.deploy("v2")
    shop.keep(rows(300, seed=1, shift=3.0), NOW - 30 * HOUR_S)
    shop.keep(rows(300, seed=2, shift=3.0), NOW - HOUR_S, deployment="v2")
    shop.keep(rows(300, seed=3), NOW - HOUR_S)

    assert shop.workspace.records.drift("shop").drifted() == ()
    assert shop.workspace.records.drift("shop", 40 * HOUR_S).rows == 600
    assert shop.workspace.records.drift("shop", deployment="v2").drifted() != ()


def test_of_a_masked_column_nothing_is_said_but_that(shop: Shop) -> None:
    shop.keep(rows(300, seed=1), NOW - HOUR_S, masked=["city"])

    report = shop.workspace.records.drift("shop")

    assert report.masked == ("city",)
    assert {column.column for column in report.columns} == {"amount", "rooms"}


def test_what_an_earlier_version_has_kept_is_scored_again(shop: Shop) -> None:
    shop.keep(rows(300, seed=1), NOW - HOUR_S, answers=[], scores=[])

    assert shop.workspace.records.drift("shop").rows == 300
    assert sum(shop.workspace.records.predictions("shop").histogram) == 300


def test_where_no_inputs_are_kept_that_is_said(shop: Shop) -> None:
    shop.store.endpoints.change_limits("shop", {"collect_model_data": False})

    with pytest.raises(Conflict, match="keeps no inputs"):
        shop.workspace.records.drift("shop")
    with pytest.raises(EndpointNotFound):
        shop.workspace.records.drift("nothing")


def test_a_deployment_that_is_not_there_and_no_window_are_refused(shop: Shop) -> None:
    with pytest.raises(Conflict, match="no deployment 'v9'"):
        shop.workspace.records.drift("shop", deployment="v9")
    with pytest.raises(SpecInvalid):
        shop.workspace.records.drift("shop", 0.0)


def test_a_large_drift_of_a_column_that_the_model_leans_on_matters_and_leads(shop: Shop) -> None:
    shop.keep(rows(2_000, seed=1, shift=0.75, shares=(0.1, 0.1, 0.2, 0.6)), NOW - HOUR_S)

    first, second, *_ = shop.workspace.records.drift("shop").columns

    assert (first.column, first.verdict) == ("amount", DriftVerdict.MATTERS)
    assert (second.column, second.verdict) == ("city", DriftVerdict.DRIFTED)
    assert (first.importance, second.importance) == (1.0, 0.0)
    assert second.psi is not None
    assert first.psi is not None
    assert second.psi > first.psi


def test_a_model_that_brings_its_reference_needs_no_table(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "workspace", elsewhere=True)
    shop.keep(rows(1_000, seed=1, shift=0.75), NOW - HOUR_S)
    told = reference_of(shop.table, 3_000, shop.predictor, shop.said)
    (shop.folder / FILE).write_bytes(msgspec.json.encode(told.to_json()))

    report = shop.workspace.records.drift("shop")

    assert (report.training_rows, [c.column for c in report.drifted()]) == (3_000, ["amount"])
    assert report.score is not None


def test_where_nothing_tells_of_the_training_data_that_is_said(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "workspace", elsewhere=True)

    with pytest.raises(Conflict, match="Nothing tells what the training data"):
        shop.workspace.records.drift("shop")


def test_a_limit_can_be_set_for_a_column_and_taken_back(shop: Shop) -> None:
    shop.keep(rows(2_000, seed=1, shift=0.75), NOW - HOUR_S)
    records = shop.workspace.records

    records.set_drift_limit("shop", "amount", 2.0)
    records.set_drift_limit("shop", "", 3.0)

    report = records.drift("shop")
    assert report.drifted() == ()
    assert report.score is not None
    assert (column(report, "amount").limit, report.score.limit) == (2.0, 3.0)
    records.set_drift_limit("shop", "amount", None)
    assert [c.column for c in records.drift("shop").drifted()] == ["amount"]


@pytest.mark.parametrize(("name", "limit"), [("weight", 0.2), ("amount", 0.0), ("amount", float("nan"))])
def test_a_limit_that_is_none_or_of_no_column_is_refused(shop: Shop, name: str, limit: float) -> None:
    with pytest.raises(SpecInvalid):
        shop.workspace.records.set_drift_limit("shop", name, limit)
    with pytest.raises(EndpointNotFound):
        shop.workspace.records.set_drift_limit("nothing", "amount", 0.1)


def test_the_time_a_drift_began_is_found_also_before_the_window(shop: Shop) -> None:
    for hour in range(48, 0, -2):
        moved = 0.75 if hour <= 30 else 0.0
        shop.keep(rows(100, seed=hour, shift=moved), NOW - hour * HOUR_S, a_request=20)

    found = column(shop.workspace.records.drift("shop", 24 * HOUR_S), "amount")

    assert found.began is not None
    assert found.began == pytest.approx(NOW - 30 * HOUR_S, abs=2 * HOUR_S)
    assert column(shop.workspace.records.drift("shop", 24 * HOUR_S), "city").began is None


def test_files_that_were_merged_are_read_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.keep(rows(300, seed=1), NOW - 3 * HOUR_S)
    Merging(shop.paths.model_data("shop"), INPUTS, now=NOW).run(alive=lambda segment: False)
    first = shop.workspace.records.drift("shop")
    assert first.rows == 300

    read = []
    monkeypatch.setattr(inputs, "whole_lines", lambda path: read.append(path.name) or iter(()))
    another = open_local(shop.settings, clock=lambda: NOW)
    assert another.records.drift("shop") == first
    assert read == []


def test_what_was_found_of_a_file_is_computed_again_where_it_is_damaged_and_removed_with_the_file(shop: Shop) -> None:
    shop.keep(rows(300, seed=1), NOW - 3 * HOUR_S)
    Merging(shop.paths.model_data("shop"), INPUTS, now=NOW).run(alive=lambda segment: False)
    first = shop.workspace.records.drift("shop")
    (kept,) = shop.paths.digests("shop").glob("*.counts.*")

    kept.write_bytes(b"damaged")
    assert open_local(shop.settings, clock=lambda: NOW).records.drift("shop") == first

    for file in shop.paths.model_data("shop").iterdir():
        file.unlink()
    assert shop.workspace.records.drift("shop").rows == 0
    assert list(shop.paths.digests("shop").iterdir()) == []


def test_predictions_are_told_over_time_and_by_score(shop: Shop) -> None:
    shop.keep(rows(200, seed=1), NOW - 5 * HOUR_S)
    shop.keep(rows(300, seed=2, shift=3.0), NOW - HOUR_S)

    told = shop.workspace.records.predictions("shop", 8 * HOUR_S, 8)

    assert (told.rows, told.positive, len(told.buckets)) == (500, "yes", 8)
    filled = [bucket for bucket in told.buckets if bucket.rows]
    assert [bucket.rows for bucket in filled] == [200, 300]
    assert filled[0].mean is not None
    assert filled[1].mean is not None
    assert filled[0].mean < 0.6 < filled[1].mean
    assert sum(filled[1].by_class.values()) == 300
    assert filled[1].by_class["yes"] > 250
    assert {bucket.mean for bucket in told.buckets if not bucket.rows} == {None}
    assert sum(told.histogram) == 500
    assert (told.edges[0], told.edges[-1]) == (0.0, 1.0)
    assert sum(told.training) == pytest.approx(1.0)
