"""Drift, predictions, feedback and quality on the command line: in words and as JSON."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from watched import HOUR_S, NOW, Shop, rows, truth

from core.cli.watching import drift_text, feedback_text, predictions_text, quality_text
from core.domain.outcomes import FeedbackReceipt, Unmatched


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = Shop(tmp_path_factory.mktemp("shop") / "workspace")
    table = rows(500, seed=1, shift=0.75)
    table["city"][:30] = ["Trier"] * 30
    made.ids, made.actual = made.keep(table, NOW - HOUR_S), truth(table["amount"])
    yield made
    made.store.close()


@pytest.fixture
def run(cli, shop):
    return lambda line: cli(line, lambda _: shop)


def test_drift_is_told_line_by_line_what_matters_first(run):
    code, out, said = run("endpoint drift shop")
    assert code == 0, said
    assert out.startswith("500 rows in 50 requests to deployment 'v1' against 3,000 rows that homes:1 was trained on")
    lines = out.splitlines()
    assert lines[3].startswith("amount")
    assert "drifted, and it matters" in lines[3]
    assert "Never seen in training, city: 'Trier' (30)." in out
    code, out, _ = run("endpoint drift shop --json")
    assert (code, json.loads(out)["columns"][0]["verdict"]) == (0, "matters")


def test_a_limit_is_set_and_taken_back(run):
    assert run("endpoint drift-limit shop amount --limit 3")[1].strip() == (
        "Column 'amount' of 'shop' counts as drifted above a PSI of 3"
    )
    assert "as in training" in run("endpoint drift shop")[1]
    code, out, _ = run("endpoint drift-limit shop amount --limit default --json")
    assert (code, json.loads(out)) == (0, {"endpoint": "shop", "column": "amount", "limit": 0.02, "default": True})
    assert "The score" in run("endpoint drift-limit shop --score --limit 0.2")[1]
    assert run("endpoint drift-limit shop --limit 0.2")[0] == 2
    assert run("endpoint drift-limit shop amount --limit much")[0] == 2


def test_predictions_are_told_over_time_and_beside_training(run):
    code, out, said = run("endpoint predictions shop")
    assert code == 0, said
    assert out.startswith("500 rows answered by deployment 'v1'")
    assert "mean probability of yes" in out
    assert "in training" in out
    assert json.loads(run("endpoint predictions shop --json")[1])["rows"] == 500


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_feedback_is_read_from_a_file_and_quality_told(run, shop, tmp_path, form):
    path = tmp_path / f"outcomes.{form}"
    told = {
        "request_id": [shop.ids[at // 10] for at in range(500)],
        "row": [at % 10 for at in range(500)],
        "outcome": shop.actual,
    }
    if form == "csv":
        lines = (",".join(map(str, line)) for line in zip(*told.values(), strict=True))
        path.write_text("\n".join([",".join(told), *lines, "nobody,0,yes"]), "utf-8")
    else:
        pq.write_table(pa.table(told), path)
    code, out, said = run(f"endpoint feedback shop {path}")
    assert code == 0, said
    assert "belong to kept answers and were kept" in out
    assert ("nobody row 0: no kept answer has this request id" in out) == (form == "csv")
    code, out, said = run("endpoint quality shop")
    assert code == 0, said
    assert "AUC_weighted" in out
    assert json.loads(run("endpoint quality shop --json")[1])["rows"] == 500


def test_a_file_that_is_none_is_refused_in_a_sentence(run, tmp_path):
    code, _, said = run(f"endpoint feedback shop {tmp_path}/nothing.csv")
    assert (code, "cannot be read: No such file" in said) == (2, True), said
    (tmp_path / "odd.parquet").write_bytes(b"no parquet")
    code, _, said = run(f"endpoint feedback shop {tmp_path}/odd.parquet")
    assert (code, "is no Parquet file" in said) == (2, True), said
    pq.write_table(pa.table({"request_id": ["a"], "row": [0.6], "outcome": ["yes"]}), tmp_path / "parts.parquet")
    code, _, said = run(f"endpoint feedback shop {tmp_path}/parts.parquet")
    assert (code, "a row that is no whole number: 0.6" in said) == (2, True), said


def test_what_could_not_be_said_is_said(shop):
    receipt = FeedbackReceipt("shop", 3, 1, 1, 2, (Unmatched("a", 0, "no kept answer has this request id"),))
    assert feedback_text(receipt).splitlines()[1] == "1 of them replace what was told before"
    empty = Shop(shop.paths.home.parent / "empty")
    records = empty.workspace.records
    assert "nothing is said" in drift_text(records.drift("shop"))
    assert predictions_text(records.predictions("shop")) == "0 rows answered by deployment 'v1'"
    assert quality_text(records.quality("shop")).endswith("0 rows have a known outcome, and 50 are needed")
    empty.store.close()
