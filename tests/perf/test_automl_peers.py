"""The comparison of AutoML engines: fair splits, honest figures, and no run that is made twice."""

import bz2
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from core.settings import CHECKOUT
from perf.peers.automl import packaged, running, synthetic, tables
from perf.peers.automl.comparing import Comparison
from perf.peers.automl.engines import Contender, Engine, Environment, contenders
from perf.peers.automl.judging import Resampled, Scored, mean_difference, mean_ranks, overrun_s
from perf.peers.automl.kept import Kept, Run
from perf.peers.automl.report import markdown, short_markdown
from perf.peers.automl.sizes import installed
from perf.peers.automl.tables import Table
from perf.peers.automl.verdicts import Outcome, judge
from perf.peers.comparison import PeerFailed
from perf.peers.environments import fingerprint

ENGINE = """
import json, sys
import numpy as np
import pyarrow.parquet as parquet
from pathlib import Path

folder = Path(sys.argv[1])
seen = [sorted(file.name for file in folder.iterdir()), parquet.read_schema(folder / "test.parquet").names]
with open({record!r}, "a") as record:
    record.write(json.dumps(seen) + "\\n")
{more}
values = parquet.read_table(folder / "test.parquet")["x"].to_numpy()
yes = 1 / (1 + np.exp({sign} * values))
np.save(folder / "probabilities.npy", np.column_stack([1 - yes, yes]))
facts = dict(fit_s=3.5, predict_s=0.1, one_row_ms=0.2, model_mb=1.5, winner="the only one")
(folder / "answer.json").write_text(json.dumps(facts))
"""


def drawn(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities with many equal values that know something of them."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(classes, size=rows - classes)])
    shares = rng.integers(1, 6, (rows, classes)) + 2.0 * (labels[:, None] == np.arange(classes))
    return labels, shares / shares.sum(axis=1, keepdims=True)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(10, 80), st.integers(2, 5))
def test_auc_and_log_loss_are_those_of_scikit_learn_also_with_weights(seed: int, rows: int, classes: int) -> None:
    labels, shares = drawn(seed, rows, classes)
    weights = np.random.default_rng(seed + 1).integers(1, 4, rows)
    several: dict[str, Any] = {"multi_class": "ovr", "average": "weighted"} if classes > 2 else {}
    scores = shares if classes > 2 else shares[:, 1]
    tested = Scored(labels, shares)
    assert tested.auc() == pytest.approx(roc_auc_score(labels, scores, **several))
    repeated = np.repeat(np.arange(rows), weights)
    assert tested.auc(weights) == pytest.approx(roc_auc_score(labels[repeated], scores[repeated], **several))
    assert tested.log_loss() == pytest.approx(log_loss(labels, shares))
    assert tested.log_loss(weights) == pytest.approx(log_loss(labels, shares, sample_weight=weights))


def test_a_probability_of_zero_costs_much_and_not_everything() -> None:
    assert 30 < Scored(np.array([1]), np.array([[1.0, 0.0]])).log_loss() < 40


def test_one_class_among_the_tested_rows_has_no_auc() -> None:
    assert np.isnan(Scored(np.array([1, 1]), np.array([[0.4, 0.6], [0.5, 0.5]])).auc())


def test_a_difference_has_bounds_and_is_shown_only_where_there_is_one() -> None:
    rng = np.random.default_rng(0)
    labels, rows = rng.integers(2, size=400), np.arange(400)

    def run(noise: float, seed: int) -> Scored:
        scores = 1 / (1 + np.exp(-(labels - 0.5 + noise * np.random.default_rng(seed).normal(size=400))))
        return Scored(labels, np.column_stack([1 - scores, scores]))

    good, alike, bad = run(1, 4), run(1, 5), run(5, 3)
    resampled = Resampled({"a": [good], "b": [alike], "c": [bad], "d": [None]}, [rows], resamples=200)
    same, ahead, behind = (resampled.difference(*pair, "auc") for pair in (("a", "b"), ("a", "c"), ("c", "a")))
    assert same is not None
    assert ahead is not None
    assert behind is not None
    assert (same.sign, ahead.sign, behind.sign) == (0, 1, -1)
    assert ahead.low < ahead.value < ahead.high
    assert ahead.value == pytest.approx(good.auc() - bad.auc())
    assert ahead.value == -behind.value
    assert resampled.difference("a", "d", "auc") is None
    itself = resampled.difference("a", "a", "log_loss")
    assert itself is not None
    assert (itself.low, itself.high) == (0, 0)


def test_a_row_that_two_splits_test_is_drawn_for_both_at_once() -> None:
    """The same split twice says no more than once: the bounds do not shrink."""
    labels, shares = drawn(5, 60, 2)
    other = np.random.default_rng(6).permutation(shares)
    once = Resampled({"a": [Scored(labels, shares)], "b": [Scored(labels, other)]}, [np.arange(60)], resamples=100)
    twice = Resampled(
        {"a": [Scored(labels, shares)] * 2, "b": [Scored(labels, other)] * 2}, [np.arange(60)] * 2, resamples=100
    )
    assert once.difference("a", "b", "auc") == twice.difference("a", "b", "auc")


def test_the_mean_of_tables_has_narrower_bounds_than_each() -> None:
    """Rows of one table are drawn without regard to those of another."""
    found = []
    for seed in range(4):
        labels, shares = drawn(seed, 60, 2)
        other = np.random.default_rng(seed + 50).permutation(shares)
        pair = {"a": [Scored(labels, shares)], "b": [Scored(labels, other)]}
        found.append(Resampled(pair, [np.arange(60)], resamples=300, seed=seed))
    alone = [table.difference("a", "b", "auc") for table in found]
    whole = mean_difference(found, "a", "b", "auc")
    assert whole is not None
    assert whole.value == pytest.approx(np.mean([each.value for each in alone if each]))
    assert whole.high - whole.low < 0.7 * min(each.high - each.low for each in alone if each)
    assert mean_difference(found, "a", "absent", "auc") is None


def test_ranks_share_a_place_and_put_failures_last() -> None:
    rounds = [{"a": 0.9, "b": 0.9, "c": 0.8}, {"a": 0.7, "b": None, "c": 0.8}]
    assert mean_ranks(rounds, higher_is_better=True) == {"a": 1.75, "b": 2.25, "c": 2.0}
    assert mean_ranks(rounds, higher_is_better=False) == {"a": 1.75, "b": 2.75, "c": 1.5}


def test_only_rounds_in_which_all_take_part_are_ranked() -> None:
    rounds = [{"a": 0.9, "b": 0.8}, {"a": 0.1}]
    assert mean_ranks(rounds, higher_is_better=True) == {"a": 1.0, "b": 2.0}
    assert mean_ranks([], higher_is_better=True) == {}
    assert mean_ranks([{"a": 0.1}, {"b": 0.1}], higher_is_better=True) == {}


def test_time_beyond_the_budget_is_told_and_so_is_an_early_end() -> None:
    assert overrun_s(62.5, 60) == 2.5
    assert overrun_s(20, 60) == -40


def small_table(rows: int = 60, name: str = "small") -> Table:
    rng = np.random.default_rng(3)
    x = rng.normal(size=rows)
    frame = pd.DataFrame({"x": x, "y": np.where(x + rng.normal(size=rows) > 0, "yes", "no")})
    return Table(name, frame, "y")


def test_a_split_is_the_same_each_time_and_keeps_the_shares_of_the_classes() -> None:
    table = small_table(500)
    (one,), (again,) = (list(tables.splits(table, 1, 0)) for _ in range(2))
    _, other = tables.splits(table, 2, 0)
    assert np.array_equal(one.test, again.test)
    assert not np.array_equal(one.test, other.test)
    assert len(one.test) == pytest.approx(100, abs=1)
    assert table.labels[one.test].mean() == pytest.approx(table.labels.mean(), abs=0.01)


def test_with_folds_every_row_tests_once_a_seed() -> None:
    found = list(tables.splits(small_table(61), 2, 5))
    assert [split.name for split in found[:2]] == ["seed0-fold0", "seed0-fold1"]
    assert len(found) == 10
    assert sorted(np.concatenate([split.test for split in found[:5]])) == list(range(61))


def test_a_class_of_one_row_is_trained_on() -> None:
    frame = pd.DataFrame({"x": range(21), "y": ["a"] * 10 + ["b"] * 10 + ["c"]})
    for folds in (0, 3):
        assert all(20 not in split.test for split in tables.splits(Table("odd", frame, "y"), 3, folds))


def test_any_file_can_be_a_table_and_columns_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b,y\n1,2,True\n3,4,False\n5,6,\n")
    table = tables.load(f"{path}:y", ["b", "absent"])
    assert (table.name, list(table.frame), table.classes) == ("own-without-b", ["a", "y"], ["False", "True"])
    assert len(table.frame) == 2
    for word, complaint in (("nowhere", "there is no table"), (f"{path}:z", "no column 'z'"), ("n.csv:y", "no file")):
        with pytest.raises(ValueError, match=complaint):
            tables.load(word)


@pytest.mark.parametrize("name", packaged.PACKAGED)
def test_a_table_is_read_out_of_its_package_without_what_follows_from_the_answer(name: str, tmp_path: Path) -> None:
    asked = packaged.PACKAGED[name]
    package, _, version = asked.package.lower().partition("==")
    text = ",".join([*asked.dropped, asked.target, "x"]) + "\n" + ",".join(["1"] * (len(asked.dropped) + 2)) + "\n"
    with zipfile.ZipFile(tmp_path / f"{package}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(asked.file, bz2.compress(text.encode()) if asked.file.endswith(".bz2") else text)
    frame, target = packaged.load(name, tmp_path)
    assert (list(frame), target) == ([asked.target, "x"], asked.target)


@pytest.mark.parametrize("name", synthetic.MAKERS)
def test_tables_made_by_code_are_the_same_each_time(name: str) -> None:
    one, again = tables.load(f"synthetic-{name}"), tables.load(f"synthetic-{name}")
    assert one.digest == again.digest
    assert len(one.classes) >= 2
    assert not one.frame.drop(columns=[one.target]).empty


def test_the_shared_tables_are_known(shared: Path) -> None:
    for name in tables.KNOWN:
        assert len(tables.load(name).classes) == 2


def test_an_engine_can_have_a_budget_of_its_own() -> None:
    found = contenders(["slipway@10", "flaml"], 60)
    assert [(c.name, c.budget_s, c.label) for c in found] == [
        ("slipway@10", 10, "Slipway, 10 s"),
        ("flaml", 60, "FLAML"),
    ]
    assert repr(contenders(["flaml"], 60)[0].budget_s) == "60.0", "runs are kept by it, however it was written"
    for words in (["weka"], ["flaml@soon"]):
        with pytest.raises(ValueError, match=words[0]):
            contenders(words, 60)


@pytest.mark.parametrize("engine", contenders([], 60), ids=lambda c: c.name)
def test_every_engine_has_its_script_and_pins_its_version(engine: Contender) -> None:
    assert engine.engine.script.is_file()
    assert engine.engine.ours or "==" in engine.engine.environment.REQUIREMENTS[0]


@pytest.fixture
def fake(tmp_path: Path) -> Any:
    """Makes engines of one script each, in an environment that is there already."""

    def make(name: str, *, ours: bool, sign: int = -1, more: str = "") -> SimpleNamespace:
        environment = Environment(name, () if ours else ("such-a-thing==1",))
        script, record = tmp_path / f"{name}.py", tmp_path / f"{name}.record"
        script.write_text(ENGINE.format(record=str(record), sign=sign, more=more))
        if not ours:
            place = tmp_path / "envs" / name
            (place / "bin").mkdir(parents=True, exist_ok=True)
            (place / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            (place / "bin" / "python").chmod(0o755)
            (place / "installed").write_text(fingerprint(environment))
        contender = Contender(Engine(name, name, environment, script, ("numpy",)), 3.0, name)
        return SimpleNamespace(contender=contender, record=record)

    return make


def made(record: Path) -> list[Any]:
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def test_runs_are_made_once_and_again_where_they_failed_or_the_engine_changed(tmp_path: Path, fake: Any) -> None:
    ours, other = fake("ours", ours=True), fake("other", ours=False, more="raise SystemExit('no memory')")

    def compare() -> tuple[str, Comparison]:
        pair = [ours.contender, other.contender]
        comparison = Comparison(pair, [small_table()], 1, 0, 2, Kept(tmp_path / "runs"), tmp_path / "envs")
        comparison.run()
        return comparison.write(tmp_path / "results").report, comparison

    report, comparison = compare()
    assert comparison.measured
    assert not comparison.missing
    assert "- other on small, seed0: gave no answer; its log ends: no memory" in report
    (seen,) = made(ours.record)
    assert seen == [["asked.json", "log", "test.parquet", "train.parquet"], ["x"]]

    other = fake("other", ours=False, sign=1)
    pair = [ours.contender, other.contender]
    later = Comparison(pair, [small_table()], 2, 0, 2, Kept(tmp_path / "runs"), tmp_path / "envs")
    assert sorted(later.missing) == ["other on small, seed0", "other on small, seed1", "ours on small, seed1"]
    report, _ = compare()
    assert (len(made(ours.record)), len(made(other.record))) == (1, 2)
    assert "no memory" not in report
    assert re.search(r"other work took \d+% of the processor", report)
    assert "No engine is significantly better than ours" in report
    said = json.loads((tmp_path / "results" / "automl.json").read_text())
    assert {run["engine"]: run["overrun_s"] for run in said["runs"]} == {"ours": 0.5, "other": 0.5}
    assert said["ranks"]["auc"] == {"ours": 1.0, "other": 2.0}
    assert all("numpy" in part["versions"] for part in said["installed"].values() if part["versions"])

    compare()
    assert (len(made(ours.record)), len(made(other.record))) == (1, 2)


def test_what_a_run_leaves_behind_is_ended_and_counted(tmp_path: Path) -> None:
    """A process that has left its session, as a service or a cluster does."""
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ntime.sleep(600)"
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {busy!r}], stdout=subprocess.PIPE, start_new_session=True)\n"
        "child.stdout.readline()\nprint(child.pid, flush=True)\nsys.exit(3)"
    )
    result = tmp_path / "used.json"
    words = [sys.executable, "-m", "perf.peers.automl.watched", str(result), "60", "1", sys.executable, "-c", parent]
    ran = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True)
    said = json.loads(result.read_text())
    assert said["code"] == 3
    assert said["cpu_s"] > 0.3
    assert not Path(f"/proc/{int(ran.stdout)}").exists()


def test_an_engine_ends_with_the_comparison_that_was_killed(tmp_path: Path) -> None:
    engine = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
    words = [sys.executable, "-m", "perf.peers.automl.watched", str(tmp_path / "used.json"), "60", "1"]
    parent = f"import subprocess\nsubprocess.run({[*words, sys.executable, '-c', engine]!r})"
    line = [sys.executable, "-c", parent]
    with subprocess.Popen(line, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        process = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
        process.wait(30)


def test_an_engine_that_takes_too_long_is_ended(tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.0)
    monkeypatch.setattr(running, "GRACE_S", 1.0)
    slow = fake("slow", ours=True, more="import time; print('still at it', flush=True); time.sleep(600)")
    (split,) = tables.splits(small_table(), 1, 0)
    with pytest.raises(PeerFailed, match="still at it"):
        running.run(slow.contender, Path(sys.executable), small_table(), split, 2)


def test_the_report_tells_of_losses(fake: Any) -> None:
    table = small_table(400)
    (split,) = tables.splits(table, 1, 0)
    labels = table.labels[split.test]

    def run(knowing: float) -> Run:
        yes = 0.5 + knowing * (labels - 0.5) + 0.2 * (np.random.default_rng(1).random(len(labels)) - 0.5)
        shares = np.column_stack([1 - yes, yes])
        tested = Scored(labels, shares)
        costs = {"overrun_s": 1.0, "cpu_s": 5.0, "one_row_ms": 2.0, "model_mb": 1.0, "others_cpu_s": 0.0}
        return Run({"auc": tested.auc(), "log_loss": tested.log_loss(), **costs}, shares)

    pair = [fake("ours", ours=True).contender, fake("other", ours=False).contender]
    outcome = Outcome(table, [split], {"ours": [run(0.0)], "other": [run(0.5)]})
    verdict = judge([outcome], pair)
    report = markdown([outcome], pair, verdict, {})
    assert "Where ours is significantly behind:" in report
    assert "- small: other has the better AUC, by 0." in report
    assert "- small: other has the better log loss, by 0." in report
    assert verdict.ranks["log_loss"] == {"ours": 2.0, "other": 1.0}
    heads, _, own, other, _, lost, *_ = short_markdown(pair, verdict, {"ours": 383.0}).splitlines()
    assert heads.endswith("| one row, ms of processor time | model: median (largest), MB | installed, MB |")
    assert own.startswith("| ours | 2.00 | 2.00 |")
    assert own.endswith("| 2 | 1 (1) | 383 |")
    assert other.endswith("| 2 | 1 (1) |  |")
    assert lost == "Where ours is significantly behind:"


def test_an_installed_size_counts_what_is_required_too() -> None:
    alone, whole = (installed(Path(np.__file__).parents[1], parts) for parts in (["numpy"], ["pandas"]))
    assert set(whole.versions) >= {"pandas", "numpy"}
    assert "python-dateutil" in whole.versions
    assert whole.size_mb > alone.size_mb > 10
    without = installed(Path(np.__file__).parents[1], ["pandas"], unused=["numpy"])
    assert without.size_mb == pytest.approx(whole.size_mb - alone.size_mb)
    assert "numpy" not in without.versions


def test_the_comparison_explains_itself() -> None:
    line = [sys.executable, "-m", "perf.peers.automl", "--help"]
    ran = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60)
    assert "--drop-columns" in ran.stdout
    assert "synthetic-wide" in "".join(ran.stdout.split()), "a line may be broken at a hyphen"


@pytest.mark.full
def test_slipway_is_measured_through_its_public_door() -> None:
    """On the model folder that is served, with every fact that the report needs."""
    table = tables.load("synthetic-small")
    (split,) = tables.splits(table, 1, 0)
    (contender,) = contenders(["slipway"], 5)
    result = running.run(contender, Path(sys.executable), table, split, 2)
    assert result.facts["auc"] > 0.6
    assert result.facts["single"]["auc"] > 0.6
    assert 0 < result.facts["one_row_ms"] < 50
    assert result.facts["cpu_s"] > 1
