"""A cost matrix, from the training to the answers of a server: the threshold that is told is the one that decides."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serving_fakes import KEY, ServerProcess
from tables import customers, write_table

from core.checks import Profile, run_checks
from core.contract.samples import body
from core.contract.signature import from_json
from core.domain.data import DataAsset, DataRef, DataSource
from core.domain.proof import Target
from core.domain.signature import Signature
from core.domain.training import Algorithm, Cost, TrainingSpec
from core.ml.data.profile import profile_table
from core.ml.executor import InProcessExecutor
from core.ml.search import search
from core.ml.trial import train
from core.packaging.write import write_model

DATA = DataAsset("customers", 1, DataSource.FILE, "customers.csv", 400, (), "ab" * 32, 1, 0.0)
METHODS = ("predict", "predict_proba")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Signature]]:
    yield from serving(tmp_path_factory.mktemp("costs"), ("no", "yes"), Cost("yes", "no", 9))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Signature]]:
    costs = (Cost("high", "low", 9), Cost("high", "middle", 6))
    yield from serving(tmp_path_factory.mktemp("several"), ("low", "middle", "high"), *costs)


def serving(folder: Path, classes: tuple[str, ...], *costs: Cost) -> Iterator[tuple[ServerProcess, Signature]]:
    table = write_table(folder / "customers.parquet", customers(classes=classes))
    spec = TrainingSpec(
        DataRef("customers"), "answer", timeout_s=60, max_trials=1, n_cross_validations=2,
        allowed_training_algorithms=(Algorithm.LOGISTIC_REGRESSION,), cost_matrix=costs,
    )  # fmt: skip
    found = search(
        table,
        spec,
        profile_table(table, "answer"),
        folder=folder / "trials",
        executor=InProcessExecutor(train),
        clock=time.time,
        on_trial=lambda trial: None,
        should_stop=lambda: False,
    )
    assert any("By the cost matrix" in note for note in found.notes)
    model: Path = folder / "packaged"
    write_model(model, found, spec=spec, data=DATA, job_id="j", created_at=0.0)
    server = ServerProcess(folder)
    server.files.write(deployments={"v1": server.files.deployment(str(model))})
    try:
        yield server.start(), from_json(json.loads((model / "signature.json").read_bytes()))
    finally:
        server.end()


def test_an_answer_is_positive_from_the_cheapest_threshold_up(served):
    server, signature = served
    assert 0.02 < signature.threshold < 0.35  # a miss costs nine false alarms: 0.1 for true probabilities
    columns = customers(60, seed=11)
    rows = [{c.name: columns[c.name][at] for c in signature.used} for at in range(60)]
    asked = {method: server.score(content=body(rows, "v1", method)).json()["result"] for method in METHODS}
    positive = [chances[list(signature.classes).index("yes")] for chances in asked["predict_proba"]]
    assert asked["predict"] == ["yes" if p >= signature.threshold else "no" for p in positive]
    assert any(signature.threshold <= p < 0.5 for p in positive)


def test_the_document_tells_the_threshold_that_decides(served):
    server, signature = served
    document = server.get("/swagger.json").json()
    told = {op["x-threshold"] for path in document["paths"].values() for op in path.values() if "x-threshold" in op}
    assert told == {signature.threshold}


def test_of_several_classes_the_cheapest_is_answered_and_told_in_the_document(several):
    server, signature = several
    columns = customers(60, seed=11)
    rows = [{c.name: columns[c.name][at] for c in signature.used} for at in range(60)]
    asked = {method: server.score(content=body(rows, "v1", method)).json()["result"] for method in METHODS}
    expected = np.array(asked["predict_proba"]) @ np.array(signature.costs)
    assert asked["predict"] == [signature.classes[at] for at in expected.argmin(axis=1)]
    likeliest = [signature.classes[at] for at in np.argmax(asked["predict_proba"], axis=1)]
    assert asked["predict"].count("high") > likeliest.count("high")
    document = server.get("/swagger.json").json()
    told = [op["x-costs"] for path in document["paths"].values() for op in path.values() if "x-costs" in op]
    assert told == [[list(row) for row in signature.costs]]


@pytest.mark.full
@pytest.mark.usefixtures("less_effort")
def test_the_gates_checks_hold_where_several_classes_have_costs(several):
    server, _ = several
    found = run_checks(Target(server.url, KEY), parts=("semantic",), profile=Profile.SLIPWAY)
    assert [result.name for result in found if result.passed is False] == []
    assert "predict_agrees_with_probabilities" in [result.name for result in found if result.passed]
