"""Every kind of job has its classes and its runner, and a job's JSON is what it has been."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from asked import SPECS

from core.cli.show import as_json
from core.domain.job import JOB_TYPES, Job, JobKind, JobState, kind_of
from core.domain.plain import plain
from core.domain.proof import GateResult, GateSpec, LoadSpec, Target
from core.domain.training import BestTrial, ModelVersion, TrainingResult
from core.local.store import Store
from core.local.worker.kinds import KINDS


def a_job(kind: JobKind, **changes: object) -> Job:
    job = Job("j", kind, JobState.QUEUED, "e", "local", SPECS[kind], 1.0)
    return replace(job, **changes)  # type: ignore[arg-type]


def test_every_kind_stands_in_both_tables() -> None:
    assert set(JOB_TYPES) == set(KINDS) | {JobKind.PIPELINE} == set(JobKind)  # a run has no process


@pytest.mark.parametrize("kind", JobKind)
def test_a_job_is_stored_printed_and_sent_alike(kind: JobKind, tmp_path: Path) -> None:
    job = a_job(kind)
    assert kind_of(job.spec) is kind
    assert json.loads(as_json(job)) == json.loads(json.dumps(plain(job)))
    store = Store(tmp_path / "slipway.db")
    store.jobs.add(job)
    assert store.jobs.get("j") == job
    store.close()


def test_what_nobody_asked_for_is_not_printed() -> None:
    gate = plain(a_job(JobKind.GATE, result=GateResult(None, "r")))
    assert "first_gate" not in gate["spec"]
    assert gate["result"] == {"passed": None, "report_id": "r"}
    assert plain(GateSpec("bank", "v1", first_gate="g"))["first_gate"] == "g"
    found = TrainingResult(BestTrial(1, "LightGBM"))
    assert "model" not in plain(found)
    assert plain(replace(found, model=ModelVersion("m", 1)))["model"] == {"name": "m", "version": 1}
    assert plain(a_job(JobKind.AUTOML))["result"] == {}


def test_no_key_is_kept_with_a_load(tmp_path: Path) -> None:
    spec = LoadSpec(Target("http://127.0.0.1:1", "the-key"), endpoint="bank")
    store = Store(tmp_path / "slipway.db")
    store.jobs.add(a_job(JobKind.LOADTEST, spec=spec))
    assert store.jobs.get("j").spec == spec.keyless
    store.close()
    assert not [file for file in tmp_path.iterdir() if b"the-key" in file.read_bytes()]
