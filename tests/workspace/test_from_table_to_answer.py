"""From a registered table to an answer of its endpoint, on every backend and on the doubles that stand for one."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import pytest
from backends import AT_WORK, Working, need
from waiting import wait_until

from core.contract import samples
from core.domain.data import DataAsset, DataRef
from core.domain.endpoint import DeploymentSpec, Endpoint, GateBudget, GateState
from core.domain.errors import Conflict, DataNotFound, EndpointNotFound, GateRefused, JobNotFound, SlipwayError
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.training import Algorithm, TrainingSpec, TrialState
from core.workspace import BACKENDS

T = TypeVar("T")
ENDPOINT = "people"
BUDGET = GateBudget(p99_ms=1000, requests_per_s=1, concurrency=1, window_s=0.5)
"""What is proven here is that a gate decides, not how fast this machine is."""
PATIENCE_S = 120.0


@pytest.fixture(scope="module", params=sorted(AT_WORK))
def working(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    made = AT_WORK[request.param](tmp_path_factory.mktemp("working") / "home")
    yield made
    made.close()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 rows: an age, a colour, and whether somebody bought, which both tell."""
    lines = ["age,colour,bought"]
    lines += [
        f"{20 + i % 50},{'red' if i % 3 else 'blue'},{'yes' if i % 50 > 25 - i % 3 else 'no'}" for i in range(200)
    ]
    path = tmp_path_factory.mktemp("table") / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def data(working: Working, table: Path) -> DataAsset:
    return working.workspace.data.register("people", str(table))


@pytest.fixture(scope="module")
def trained(working: Working, data: DataAsset) -> Job:
    algorithms = (Algorithm.LOGISTIC_REGRESSION,)
    spec = TrainingSpec(data.ref, data.columns[-1], timeout_s=20, max_trials=1, allowed_training_algorithms=algorithms)
    job = working.workspace.jobs.submit(spec)
    assert job.state is JobState.QUEUED
    return ended(working, job.id)


@pytest.fixture(scope="module")
def model(working: Working, trained: Job) -> Model:
    return working.workspace.models.register("people", trained.id)


@pytest.fixture(scope="module")
def live(working: Working, model: Model) -> Endpoint:
    """The endpoint once the gate of its first deployment has ended and its traffic is in force."""
    spec = DeploymentSpec(ENDPOINT, model.name, model.version, f"v{model.version}", budget=BUDGET)
    deployment = working.workspace.endpoints.deploy(spec)
    assert not deployment.gate.final, "deploying asks for a gate, and waits for nothing"

    def settled() -> Endpoint | None:
        now = working.workspace.endpoints.get(ENDPOINT)
        return now if now.settled and all(one.gate.final for one in now.deployments) else None

    return until(working, settled)


def until(working: Working, look: Callable[[], T]) -> T:
    """The first truthy value of `look`, while what was asked for goes on."""

    def once() -> T:
        working.work()
        for job in working.workspace.jobs.list():
            working.workspace.jobs.get(job.id)
        return look()

    return wait_until(once, PATIENCE_S)


def ended(working: Working, job_id: str) -> Job:
    until(working, lambda: working.workspace.jobs.get(job_id).state.final)
    return working.workspace.jobs.get(job_id)


def test_a_training_succeeds_and_tells_its_trials_and_its_best(working: Working, trained: Job):
    assert trained.state is JobState.SUCCEEDED, trained.message
    assert (trained.kind, trained.attempt >= 0, trained.cancel_requested) == (JobKind.AUTOML, True, False)
    trials = working.workspace.jobs.trials(trained.id)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    best = trained.result.best
    assert best.metrics["AUC_weighted"] == max(trial.metrics["AUC_weighted"] for trial in trials)
    assert trained.id in [job.id for job in working.workspace.jobs.list(JobKind.AUTOML)]
    assert trained.id not in [job.id for job in working.workspace.jobs.list(JobKind.GATE)]


def test_a_model_knows_where_it_came_from_and_is_registered_once(working: Working, data: DataAsset, model: Model):
    assert (model.name, model.version, model.data) == ("people", 1, data.ref)
    assert model.signature.classes
    assert working.workspace.models.register("people", model.job_id) == model
    assert model in working.workspace.models.list()


def test_a_chosen_trial_is_registered_once_and_among_the_models_of_its_job(working: Working, model: Model):
    models, job_id = working.workspace.models, model.job_id
    assert models.register("people", job_id, model.trial) == model, "the best by its number is the best"
    chosen = models.register("chosen", job_id, 0)
    assert (chosen.version, chosen.trial, chosen.job_id) == (1, 0, job_id)
    assert models.register("chosen", job_id, 0) == chosen
    assert sorted(each.ref for each in models.list(job_id=job_id)) == [chosen.ref, model.ref]
    assert models.list(job_id="nothing") == ()
    with pytest.raises(JobNotFound, match="99"):
        models.register("people", job_id, 99)


def test_a_packaged_model_is_imported_once_under_another_name(working: Working, model: Model, tmp_path: Path):
    need(working.workspace, "models.package", "models.import_folder")
    folder = working.workspace.models.package(model.name, model.version, tmp_path / "packaged")
    brought = working.workspace.models.import_folder("brought", folder)
    assert (brought.version, brought.imported, model.imported) == (1, True, False)
    assert (brought.signature, brought.metrics, brought.data) == (model.signature, model.metrics, model.data)
    assert working.workspace.models.import_folder("brought", folder) == brought
    assert brought in working.workspace.models.list()


def test_a_first_deployment_whose_gate_passed_has_all_traffic(working: Working, live: Endpoint, model: Model):
    (deployment,) = live.deployments
    assert (deployment.gate, deployment.model, deployment.model_version) == (GateState.PASSED, "people", model.version)
    assert dict(live.traffic) == {deployment.name: 100}
    (report,) = working.workspace.proofs.gate_reports(ENDPOINT, deployment.name)
    assert report.passed
    assert report.checks
    assert working.workspace.jobs.get(deployment.gate_job_id or report.id).state is JobState.SUCCEEDED


def test_the_endpoint_answers_rows_made_from_the_models_signature(working: Working, live: Endpoint, model: Model):
    rows = samples.rows(model.signature, 3, 1)
    reply = working.workspace.endpoints.invoke(ENDPOINT, samples.body(rows))
    assert reply.status == 200
    assert len(reply.body["result"]) == 3
    assert set(reply.body["result"]) <= set(model.signature.classes)
    assert reply.headers["azureml-model-deployment"] == live.deployments[0].name
    shares = working.workspace.endpoints.invoke(ENDPOINT, samples.body(rows, method="predict_proba")).body["result"]
    assert [sum(row) for row in shares] == pytest.approx([1.0] * 3)
    assert {len(row) for row in shares} == {len(model.signature.classes)}


def test_a_refusal_is_an_answer(working: Working, live: Endpoint):
    refused = working.workspace.endpoints.invoke(ENDPOINT, b"no JSON")
    assert refused.status == 400
    assert all(name == name.lower() for name in refused.headers)


def test_what_was_asked_of_an_endpoint_is_recorded(working: Working, live: Endpoint, model: Model):
    need(working.workspace, "records.requests", "records.telemetry")
    reply = working.workspace.endpoints.invoke(ENDPOINT, samples.body(samples.rows(model.signature, 5, 2)))
    wanted = reply.headers["x-request-id"]
    until(working, lambda: wanted in [one.request_id for one in working.workspace.records.requests(ENDPOINT)])
    (found,) = [one for one in working.workspace.records.requests(ENDPOINT) if one.request_id == wanted]
    assert (found.rows, found.status, found.deployment) == (5, 200, live.deployments[0].name)
    assert working.workspace.records.telemetry(ENDPOINT).by_deployment[found.deployment].requests >= 1


def test_the_published_document_names_the_endpoint(working: Working, live: Endpoint):
    need(working.workspace, "endpoints.swagger")
    assert working.workspace.endpoints.swagger(ENDPOINT)["info"]["title"] == live.name


def test_what_came_of_the_table_can_be_traced(working: Working, live: Endpoint, data: DataAsset, model: Model):
    need(working.workspace, "data.lineage")
    found = working.workspace.data.lineage(data.ref)
    assert model.job_id in found.jobs
    assert model.ref in found.models
    assert found.models == tuple(m.ref for m in working.workspace.models.list() if m.data == data.ref)
    assert found.deployments == (f"{ENDPOINT}/{live.deployments[0].name}",)


def test_proving_anew_changes_no_traffic(working: Working, live: Endpoint):
    need(working.workspace, "jobs.cancel")
    job = working.workspace.proofs.run_gate(ENDPOINT, live.deployments[0].name)
    assert (job.kind, job.state) == (JobKind.GATE, JobState.QUEUED)
    assert working.workspace.endpoints.get(ENDPOINT).traffic == live.traffic
    working.workspace.jobs.cancel(job.id)
    assert ended(working, job.id).state is JobState.CANCELED
    assert working.workspace.endpoints.get(ENDPOINT).traffic == live.traffic


def test_traffic_goes_to_nobody_who_is_not_proven(working: Working, live: Endpoint, model: Model):
    """The second deployment's gate is asked for and has not ended; nothing brings it further here."""
    spec = DeploymentSpec(ENDPOINT, model.name, model.version, "second", budget=BUDGET)
    working.workspace.endpoints.deploy(spec)
    with pytest.raises(GateRefused, match="second"):
        working.workspace.endpoints.set_traffic(ENDPOINT, {"second": 100})
    forced = working.workspace.endpoints.set_traffic(ENDPOINT, {"second": 100}, force=True, by="somebody")
    assert dict(forced.traffic) == {"second": 100}
    assert dict(working.workspace.endpoints.set_traffic(ENDPOINT, live.traffic).traffic) == dict(live.traffic)


@pytest.mark.parametrize(
    ("verb", "arguments", "error"),
    [
        ("data.get", (DataRef("nothing"),), DataNotFound),
        ("jobs.get", ("nothing",), JobNotFound),
        ("jobs.trials", ("nothing",), JobNotFound),
        ("jobs.cancel", ("nothing",), JobNotFound),
        ("jobs.logs", ("nothing",), JobNotFound),
        ("proofs.gate_progress", ("nothing",), JobNotFound),
        ("proofs.load_progress", ("nothing",), JobNotFound),
        ("jobs.trial", ("nothing", 1), JobNotFound),
        ("models.register", ("m", "nothing"), JobNotFound),
        ("endpoints.get", ("nothing",), EndpointNotFound),
        ("endpoints.keys", ("nothing",), EndpointNotFound),
        ("endpoints.rotate_key", ("nothing", "primary"), EndpointNotFound),
        ("endpoints.logs", ("nothing",), EndpointNotFound),
        ("endpoints.set_traffic", ("nothing", {"v1": 100}), EndpointNotFound),
        ("endpoints.set_traffic", (ENDPOINT, {"nothing": 100}), EndpointNotFound),
        ("endpoints.invoke", ("nothing", b"{}"), EndpointNotFound),
        ("proofs.run_gate", ("nothing",), EndpointNotFound),
        ("records.requests", ("nothing",), EndpointNotFound),
        ("records.telemetry", ("nothing",), EndpointNotFound),
        ("endpoints.swagger", ("nothing",), EndpointNotFound),
        ("endpoints.delete", ("nothing",), EndpointNotFound),
        ("endpoints.deploy", (DeploymentSpec(ENDPOINT, "nothing"),), SlipwayError),
    ],
)
def test_what_does_not_exist_is_not_found_by_name(
    working: Working, live: Endpoint, verb: str, arguments: tuple[object, ...], error: type[SlipwayError]
):
    need(working.workspace, verb)
    with pytest.raises(error, match="nothing"):
        attrgetter(verb)(working.workspace)(*arguments)


def test_a_deployment_with_traffic_is_not_deleted_and_one_without_is(working: Working, live: Endpoint):
    need(working.workspace, "endpoints.delete_deployment")
    (first, *_) = live.deployments
    with pytest.raises(Conflict, match=first.name):
        working.workspace.endpoints.delete_deployment(ENDPOINT, first.name)
    working.workspace.endpoints.delete_deployment(ENDPOINT, "second")
    assert [one.name for one in working.workspace.endpoints.get(ENDPOINT).deployments] == [first.name]


def test_a_deleted_endpoint_is_gone(working: Working, live: Endpoint):
    need(working.workspace, "endpoints.delete")
    working.workspace.endpoints.delete(ENDPOINT)
    until(working, lambda: ENDPOINT not in [one.name for one in working.workspace.endpoints.list()])
    with pytest.raises(EndpointNotFound):
        working.workspace.endpoints.keys(ENDPOINT)


def test_every_real_backend_is_at_work_here():
    assert set(BACKENDS) <= set(AT_WORK)
