"""The shipped "Retrain and promote" and "Quickstart" with real parts: what is live changes only for a better model."""

import csv
from pathlib import Path

import numpy as np
import pytest
from turns import on_day
from waiting import wait_until

from core.definitions import shipped
from core.domain.data import DataRef
from core.domain.endpoint import GateState
from core.domain.job import JobState
from core.domain.run import PipelineRun, StepState

SERVING = ("register", "deploy", "gate", "promote")


@pytest.fixture(scope="module")
def run(quickstart):
    """Run a shipped pipeline on a table, to its end."""
    definitions = {spec.name: spec for spec in shipped()}

    def run(name: str, **parameters: object) -> PipelineRun:
        pipelines = quickstart.workspace.pipelines
        run_id = pipelines.trigger(pipelines.publish(definitions[name]).id, "retrain", parameters).id
        done = wait_until(lambda: (found := pipelines.get_run(run_id)).state.final and found, 300, every_s=0.2)
        assert done.state is JobState.SUCCEEDED, done
        return done

    return run


def people(path: Path, rows: int, seed: int, known: float) -> str:
    """A table whose answer follows from `score` in a share of its rows, and from nothing in the others."""
    random = np.random.default_rng(seed)
    score, age = random.normal(0, 1, rows), random.integers(18, 90, rows)
    follows = random.random(rows) < known
    answer = np.where(follows, score + random.normal(0, 0.4, rows) > 0, random.random(rows) < 0.5)
    lines = [f"{s:.5f},{a},{'yes' if y else 'no'}" for s, a, y in zip(score, age, answer, strict=True)]
    path.write_text("\n".join(["score,age,bought", *lines]))
    return str(path)


def outcome(run: PipelineRun) -> dict[str, dict[str, object]]:
    return {step.name: dict(step.outputs) for step in run.steps if step.state is StepState.SUCCEEDED}


@on_day(0, 3)
def test_where_every_row_was_trained_on_before_nothing_is_promoted(quickstart, run, tmp_path: Path) -> None:
    data = quickstart.report["data"]
    some = quickstart.workspace.data.sample(DataRef(data["name"], data["version"]), 1_000)
    with (tmp_path / "some.csv").open("w", newline="") as file:
        csv.writer(file).writerows([some.columns, *some.rows])
    before = quickstart.workspace.endpoints.get(quickstart.endpoint)
    given = {"data": str(tmp_path / "some.csv"), "timeout_s": 5, "model": "again", "endpoint": quickstart.endpoint}
    done = run("Retrain and promote", **given)
    evaluated = outcome(done)["evaluate"]
    assert (evaluated["better"], evaluated["rows"]) == (False, 0)
    assert evaluated["reason"] == "There are no rows of some-holdout:1 that neither model was trained on"
    steps = {step.name: step for step in done.steps}
    assert {steps[name].state for name in SERVING} == {StepState.SKIPPED}
    assert steps["register"].why == "skipped: 'evaluate.better' is false"
    assert steps["evaluate"].note == evaluated["reason"]
    after = quickstart.workspace.endpoints.get(quickstart.endpoint)
    assert (after.traffic, len(after.deployments)) == (before.traffic, len(before.deployments))


@pytest.mark.full
def test_a_better_model_is_promoted_and_one_that_is_only_as_good_is_not(quickstart, run, tmp_path: Path) -> None:
    given = {"target": "bought", "timeout_s": 8, "model": "people", "endpoint": "people"}

    def trained(rows: int, seed: int, known: float) -> dict[str, dict[str, object]]:
        return outcome(run("Retrain and promote", data=people(tmp_path / "people.csv", rows, seed, known), **given))

    first = trained(600, 1, 0.0)
    assert first["evaluate"]["reason"] == "Nothing is live at people yet: the gate decides"
    assert first["promote"]["traffic"] == {"v1": 100}

    better = trained(3_000, 2, 0.9)
    compared = better["evaluate"]["comparison"]
    assert better["evaluate"]["reason"].startswith("The new model is better: AUC is ")
    assert 0 < compared["low"] < better["evaluate"]["difference"] < compared["high"]
    assert better["evaluate"]["live"] == "people/v1"
    assert better["promote"] == {"promoted": True, "traffic": {"v1": 0, "v2": 100}, "previous": {"v1": 100}}
    (live,) = quickstart.workspace.endpoints.get("people").live
    assert (live.name, live.gate, live.gate_job_id) == ("v2", GateState.PASSED, better["gate"]["report"])

    as_good = trained(3_000, 3, 0.9)
    assert as_good["evaluate"]["better"] is False
    assert as_good["evaluate"]["rows"] > 200
    assert not set(SERVING) & set(as_good)
    assert quickstart.workspace.endpoints.get("people").traffic == {"v1": 0, "v2": 100}


@pytest.mark.full
def test_quickstart_ends_with_a_model_that_scores(quickstart, run, tmp_path: Path) -> None:
    data = people(tmp_path / "buyers.csv", 600, 4, 0.9)
    given = {"target": "bought", "timeout_s": 8, "model": "buyers", "endpoint": "buyers"}
    done = outcome(run("Quickstart", data=data, **given))
    assert done["promote"]["traffic"] == {"v1": 100}
    body = b'{"data":[{"score":3.0,"age":40},{"score":-3.0,"age":40}]}'
    reply = quickstart.workspace.endpoints.invoke("buyers", body)
    assert (reply.status, reply.body["result"]) == (200, ["yes", "no"])
