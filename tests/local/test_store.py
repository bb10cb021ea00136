"""The store keeps facts and wishes, one transaction a call."""

import sqlite3
import threading

import pytest
from asked import SPECS
from msgspec import json

from core.domain.compute import Compute
from core.domain.data import DataAsset, DataRef, DataSource
from core.domain.endpoint import DeploymentSpec, EndpointKeys, EndpointSpec, GateBudget, GateState
from core.domain.errors import Conflict, DataNotFound, GateRefused, JobNotFound, JobStateInvalid, PortInUse
from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.proof import CheckResult, GateReport, GateResult, LoadReport
from core.domain.run import StepRun
from core.domain.training import Trial, TrialState
from core.local.machine.processes import Process
from core.local.paths import new_id
from core.local.store import Store, transactions
from core.local.store.schema import MIGRATIONS

KEYS = EndpointKeys("first", "second")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "slipway.db")
    yield store
    store.close()


def a_job(kind=JobKind.AUTOML, **changes):
    values = {"id": new_id(), "kind": kind, "state": JobState.QUEUED, "experiment_name": "e", "compute": "local"}
    return Job(**{**values, "spec": SPECS[kind], "created_at": 1.0, **changes})


def an_asset(sha256="a" * 64, **changes):
    values = {"name": "bank", "version": 0, "source": DataSource.FILE, "origin": "x.csv", "rows": 3, "columns": ("a",)}
    return DataAsset(**{**values, "sha256": sha256, "size_bytes": 1, "created_at": 1.0, **changes})


def deployed(store, passed=None):
    """An endpoint with one deployment, whose gate has ended when a verdict is given."""
    gate = a_job(JobKind.GATE)
    transactions.deploy(
        store, DeploymentSpec("bank", "m", 1, "v1"), gate, 1.0, create=(EndpointSpec("bank"), 18_000, KEYS)
    )
    if passed is not None:
        store.jobs.start_attempt(gate.id, 2.0)
        check = CheckResult("parity", "parity", passed, "measured")
        report = GateReport(new_id(), "bank", "v1", "m:1", (check,), GateBudget(), "default", 3.0, 1.0)
        transactions.end_gate(store, gate.id, report, 4.0)
    return gate


def test_the_same_bytes_give_the_version_that_exists(store):
    first = store.data.add(an_asset())
    assert store.data.add(an_asset()) == first
    assert store.data.add(an_asset("b" * 64)).version == 2
    assert store.data.get(DataRef("bank")).version == 2


def test_an_unknown_data_asset_is_named_with_what_exists(store):
    store.data.add(an_asset())
    with pytest.raises(DataNotFound, match="nobody:latest") as caught:
        store.data.get(DataRef("nobody"))
    assert "bank" in caught.value.hint


def test_a_final_job_cannot_end_again(store):
    job = store.jobs.add(a_job(JobKind.GATE))
    store.jobs.start_attempt(job.id, 2.0)
    store.jobs.end(job.id, JobState.SUCCEEDED, 3.0, result=GateResult(True, "r"))
    with pytest.raises(JobStateInvalid):
        store.jobs.end(job.id, JobState.FAILED, 4.0)
    assert store.jobs.get(job.id).result == GateResult(True, "r")


def test_an_attempt_counts_and_keeps_the_first_start(store):
    job = store.jobs.add(a_job())
    store.jobs.start_attempt(job.id, 2.0)
    store.jobs.set_worker(job.id, Process(42, 1.5))
    assert store.jobs.worker(job.id) == Process(42, 1.5)
    again = store.jobs.start_attempt(job.id, 9.0)
    assert (again.attempt, again.started_at, store.jobs.worker(job.id)) == (2, 2.0, None)


def test_canceling_reaches_the_children(store):
    parent, queued, running = (store.jobs.add(job) for job in (a_job(JobKind.PIPELINE), a_job(), a_job()))
    store.jobs.add(child := a_job(parent_id=parent.id))
    store.jobs.start_attempt(parent.id, 2.0)
    store.jobs.start_attempt(running.id, 2.0)
    store.jobs.cancel(parent.id, 3.0)
    assert store.jobs.get(parent.id).cancel_requested
    assert store.jobs.get(child.id).state is JobState.CANCELED
    assert store.jobs.get(queued.id).state is JobState.QUEUED
    assert not store.jobs.get(running.id).cancel_requested


def test_a_compute_that_somebody_has_made_is_not_undone_by_the_usual_one(store):
    store.computes.put(Compute("local", memory_mb=512))
    store.computes.settle(Compute("local", memory_mb=4096))
    assert [compute.memory_mb for compute in store.computes.list()] == [512]


def test_an_unknown_job_is_not_found(store):
    with pytest.raises(JobNotFound, match="nothing"):
        store.jobs.cancel("nothing", 1.0)


def test_a_trial_is_replaced_by_its_later_state(store):
    job = store.jobs.add(a_job())
    store.trials.put(job.id, Trial(1, "LightGBM", TrialState.RUNNING))
    store.trials.put(job.id, Trial(1, "LightGBM", TrialState.SUCCEEDED, metrics={"AUC_weighted": 0.9}))
    assert [t.state for t in store.trials.list(job.id)] == [TrialState.SUCCEEDED]


def test_a_gate_that_passes_gives_the_first_deployment_all_traffic(store):
    deployed(store, passed=True)
    endpoint = store.endpoints.get("bank")
    assert endpoint.traffic == {"v1": 100}
    assert endpoint.deployments[0].gate is GateState.PASSED


def test_a_gate_that_fails_gives_no_traffic_and_blocks_it(store):
    deployed(store, passed=False)
    assert store.endpoints.get("bank").traffic == {}
    with pytest.raises(GateRefused, match="v1"):
        store.endpoints.set_traffic("bank", {"v1": 100}, None, 5.0, "")


def test_forced_traffic_is_recorded_by_name(store):
    deployed(store, passed=False)
    store.endpoints.set_traffic("bank", {"v1": 100}, None, 5.0, "Ada")
    assert store.deployments.get("bank", "v1").forced_by == "Ada"
    assert [(who, "v1" in what) for _, who, what in store.audit.list()] == [("Ada", True)]


def test_a_gate_without_verdict_is_not_passed(store):
    gate = deployed(store)
    store.jobs.start_attempt(gate.id, 2.0)
    store.jobs.end(gate.id, JobState.FAILED, 3.0, message="no port")
    assert store.deployments.get("bank", "v1").gate is GateState.NO_VERDICT


def test_deploying_the_same_again_changes_nothing(store):
    deployed(store, passed=True)
    version = store.endpoints.version("bank")
    again = transactions.deploy(store, DeploymentSpec("bank", "m", 1, "v1"), a_job(JobKind.GATE), 9.0, create=None)
    assert again.gate is GateState.PASSED
    assert store.endpoints.version("bank") == version


def test_a_deployment_name_with_another_model_is_a_conflict(store):
    deployed(store)
    with pytest.raises(Conflict, match="m:1"):
        transactions.deploy(store, DeploymentSpec("bank", "m", 2, "v1"), a_job(JobKind.GATE), 9.0, create=None)


def test_a_deployment_with_traffic_cannot_be_deleted(store):
    deployed(store, passed=True)
    with pytest.raises(Conflict, match="traffic"):
        store.deployments.drop("bank", "v1")
    store.endpoints.set_traffic("bank", {"v1": 0}, {"v1": 20}, 5.0, "")
    with pytest.raises(Conflict, match="still has mirrored traffic"):
        store.deployments.drop("bank", "v1")
    store.endpoints.set_traffic("bank", {"v1": 0}, {}, 5.0, "")
    store.deployments.drop("bank", "v1")
    assert store.endpoints.get("bank").deployments == ()


def test_an_endpoint_is_settled_when_its_server_has_the_latest_version(store):
    deployed(store, passed=True)
    assert not store.endpoints.get("bank").settled
    store.endpoints.observe_version("bank", store.endpoints.version("bank"))
    assert store.endpoints.get("bank").settled
    store.endpoints.set_traffic("bank", {"v1": 0}, None, 5.0, "")
    assert not store.endpoints.get("bank").settled


def test_two_endpoints_cannot_hold_one_port(store):
    store.endpoints.add(EndpointSpec("one-endpoint"), 18_001, KEYS, 1.0)
    with pytest.raises(PortInUse, match="one-endpoint"):
        store.endpoints.add(EndpointSpec("two-endpoint"), 18_001, KEYS, 1.0)


def test_keys_do_not_show_in_a_representation(store):
    store.endpoints.add(EndpointSpec("one-endpoint"), 18_001, KEYS, 1.0)
    assert "first" not in repr(store.endpoints.keys("one-endpoint"))


def test_a_definition_published_twice_is_one_version(store):
    spec = PipelineSpec("train", (PipelineStep("prepare", StepKind.PREPARE),))
    first = store.pipelines.publish(new_id(), spec, "", KEYS, 1.0).id
    assert store.pipelines.publish(new_id(), spec, "", KEYS, 2.0).id == first
    assert store.pipelines.publish(new_id(), PipelineSpec("train", spec.steps, "changed"), "", KEYS, 3.0).id != first
    assert store.pipelines.get("train").version == 2


def test_a_transaction_that_fails_leaves_nothing(store):
    run = store.jobs.add(a_job(JobKind.PIPELINE))
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        transactions.add_run(tx, run, [StepRun("prepare", StepKind.PREPARE)])
    assert store.runs.steps(run.id) == ()


def test_threads_that_write_at_once_all_succeed(store):
    def write():
        for _ in range(20):
            store.jobs.add(a_job())
        store.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.jobs.list(limit=1000)) == 80


def test_a_store_from_a_newer_version_is_refused(tmp_path):
    Store(tmp_path / "slipway.db").close()
    with sqlite3.connect(tmp_path / "slipway.db") as db:
        db.execute("INSERT INTO migrations VALUES (9999, 0)")
    with pytest.raises(Conflict, match="newer Slipway"):
        Store(tmp_path / "slipway.db")


def test_a_store_of_the_first_release_keeps_its_verdicts_and_reports(tmp_path):
    with sqlite3.connect(tmp_path / "slipway.db") as db:
        db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_at REAL NOT NULL) STRICT")
        for number, script in MIGRATIONS[:2]:
            db.executescript(script)
            db.execute("INSERT INTO migrations VALUES (?, 0)", (number,))
        db.execute(
            "INSERT INTO endpoints (name, port, description, limits, primary_key, secondary_key, created_at, state) "
            "VALUES ('bank', 1, '', '{}', 'k', 'k', 1, 'ready')"
        )
        db.execute(
            "INSERT INTO jobs (id, kind, state, experiment_name, compute, spec, created_at, result) VALUES "
            """('g', 'gate', 'succeeded', 'gate', 'proof', '{"endpoint":"bank"}', 1, '{"passed":true}')"""
        )
        spec = '{"endpoint":"bank","model":"m","name":"v1"}'
        values = ("bank", "v1", "m", 1, spec, "ready", "", "g", "", 1.0)
        db.execute("INSERT INTO deployments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        report = LoadReport("u", 1, 0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 2, id="l", endpoint="bank")
        db.execute("INSERT INTO load_reports VALUES ('l', ?, 1)", (json.encode(report).decode(),))
    store = Store(tmp_path / "slipway.db")
    assert store.deployments.get("bank", "v1").proven
    store.endpoints.set_traffic("bank", {"v1": 100}, None, 2.0, "")
    assert store.proofs.load_reports(endpoint="bank") == (report,)
    assert [job.id for job in store.jobs.list(endpoint="bank")] == ["g"]


def test_the_store_is_readable_by_its_owner_only(store, tmp_path):
    assert (tmp_path / "slipway.db").stat().st_mode & 0o077 == 0


def test_ids_sort_by_their_time_of_birth():
    ids = [new_id(lambda now=now: now) for now in (1.0, 2.0, 3.0)]
    assert ids == sorted(ids)
    assert all(i[14] == "7" for i in ids)
