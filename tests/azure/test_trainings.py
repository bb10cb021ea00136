"""Trainings on Azure ML before anything has run: what is sent, what is read back, and what others have submitted."""

import json
from collections.abc import Iterator
from typing import Any

import emulating
import living
import pytest

from core.azure.automl_terms import ONLY_OURS, azure_algorithms
from core.azure.job_reading import read_job
from core.azure.model_files import classes_of
from core.azure.workspace import open_azure
from core.domain.algorithms import ENSEMBLES, TASKS
from core.domain.compute import Compute, ExecutorKind
from core.domain.data import DataAsset, DataRef
from core.domain.errors import Conflict, JobNotFound, SlipwayError, SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.job_state import JobState
from core.domain.metrics import CLASSIFICATION
from core.domain.training import Algorithm, BestTrial, Task, TrainingSpec
from core.emulator.messages import Reply, Request
from core.emulator.server import Running
from core.workspace import Workspace

RECORDING = "test_remote_classification__TestAutoMLClassificationtest_classification.json"


class Counter:
    """How many requests the emulation has answered."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, request: Request, reply: Reply) -> None:
        self.seen.append(f"{request.method} {request.path}")


@pytest.fixture(scope="module")
def counter() -> Counter:
    return Counter()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, counter: Counter) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated"), inspect=counter) as started:
        yield started


@pytest.fixture(scope="module")
def workspace(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_azure(emulating.client_settings(tmp_path_factory.mktemp("client")))


@pytest.fixture(scope="module")
def people(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> DataAsset:
    path = tmp_path_factory.mktemp("people") / "people.csv"
    lines = [f"{20 + i % 40},{('red', 'blue')[i % 2]},{i % 5},{('no', 'yes')[i % 3 == 0]}" for i in range(60)]
    path.write_text("\n".join(["age,colour,visits,bought", *lines]) + "\n")
    return workspace.data.register("people", str(path))


def document(running: Running, job_id: str) -> dict[str, Any]:
    found = running.emulation.state.get(f"{running.emulation.names.workspace_path}/jobs/{job_id}")
    assert found is not None
    return dict(found["properties"])


def test_a_spec_comes_back_as_it_was_given_whatever_azure_has_no_field_for(workspace, people):
    spec = TrainingSpec(
        people.ref,
        "bought",
        timeout_s=1234.5,
        primary_metric="norm_macro_recall",
        exclude=("visits",),
        allowed_training_algorithms=(Algorithm.XGBOOST,),
        max_trials=3,
        n_cross_validations=4,
        seed=11,
        experiment_name="first try: größer",
        model_name="buyers",
    )
    job = workspace.jobs.submit(spec)
    assert job.spec == spec
    assert workspace.jobs.get(job.id) == job
    assert job in workspace.jobs.list(experiment_name="first try: größer")


def test_what_is_sent_says_all_that_automl_has_a_field_for(running, workspace, people):
    spec = TrainingSpec(
        people.ref,
        "bought",
        timeout_s=1000,
        exclude=("visits",),
        allowed_training_algorithms=(Algorithm.LIGHTGBM, Algorithm.EXTRA_TREES),
        max_trials=9,
        n_cross_validations=3,
        enable_vote_ensemble=False,
    )
    sent = document(running, workspace.jobs.submit(spec).id)
    task = sent["taskDetails"]
    assert (task["targetColumnName"], task["primaryMetric"]) == ("bought", "AUCWeighted")
    assert task["trainingData"]["uri"].rstrip("/").endswith(("people/versions/1", "people:1"))
    limits = task["limitSettings"]
    assert (limits["timeout"], limits["maxTrials"], limits["maxConcurrentTrials"]) == ("PT17M", 9, 4)
    training = task["trainingSettings"]
    assert sorted(training["allowedTrainingAlgorithms"]) == ["ExtremeRandomTrees", "LightGBM"]
    assert not training["enableVoteEnsemble"]
    assert task["featurizationSettings"]["columnNameAndTypes"] == {"visits": "Ignore"}
    assert task["nCrossValidations"] == {"mode": "Custom", "value": 3}
    assert sent["tags"]["slipway"]


def test_a_regression_is_sent_with_every_setting_that_azure_has(running, workspace, people):
    spec = TrainingSpec(
        people.ref,
        "age",
        task=Task.REGRESSION,
        timeout_s=1200,
        primary_metric="spearman_correlation",
        allowed_training_algorithms=(Algorithm.ELASTIC_NET, Algorithm.XGBOOST_REGRESSOR, Algorithm.LIGHTGBM),
        blocked_training_algorithms=(Algorithm.CATBOOST, Algorithm.RANDOM_FOREST),
        max_trials=9,
        max_concurrent_trials=2,
        trial_timeout_s=90,
        exit_score=0.9,
        enable_early_termination=False,
        enable_stack_ensemble=False,
        validation_data=people.ref,
        featurization=Featurization(
            FeaturizationMode.CUSTOM,
            {"visits": Purpose.CATEGORICAL, "colour": Purpose.IGNORE},
            {"visits": Imputation.CONSTANT, "bought": Imputation.MOST_FREQUENT},
            {"visits": 3.0},
        ),
    )
    job = workspace.jobs.submit(spec)
    assert job.spec == spec
    task = document(running, job.id)["taskDetails"]
    assert (task["taskType"], task["primaryMetric"]) == ("Regression", "SpearmanCorrelation")
    assert task["validationData"]["uri"].rstrip("/").endswith(("people/versions/1", "people:1"))
    limits, training = task["limitSettings"], task["trainingSettings"]
    assert (limits["trialTimeout"], limits["maxConcurrentTrials"], limits["exitScore"]) == ("PT2M", 2, 0.9)
    assert not limits["enableEarlyTermination"]
    assert sorted(training["allowedTrainingAlgorithms"]) == ["ElasticNet", "LightGBM", "XGBoostRegressor"]
    assert training["blockedTrainingAlgorithms"] == ["RandomForest"]
    assert (training["enableVoteEnsemble"], training["enableStackEnsemble"]) == (True, False)
    featurization = task["featurizationSettings"]
    assert featurization["columnNameAndTypes"] == {"visits": "Categorical", "colour": "Ignore"}
    assert featurization["transformerParams"]["Imputer"] == [
        {"fields": ["visits"], "parameters": {"strategy": "constant", "fill_value": 3.0}},
        {"fields": ["bought"], "parameters": {"strategy": "most_frequent"}},
    ]


@pytest.mark.parametrize("algorithm", [known for known in Algorithm if known not in (*ENSEMBLES, *ONLY_OURS)])
def test_every_algorithm_that_is_called_azures_is_one_of_its_own(algorithm):
    from azure.ai.ml import automl

    task = automl.classification if TASKS[algorithm] & CLASSIFICATION else automl.regression
    job = task(training_data=None, target_column_name="y")
    job.set_training(allowed_training_algorithms=azure_algorithms((algorithm,)))
    assert [str(each.value) for each in job.training.allowed_training_algorithms] == [algorithm.value]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"primary_metric": "log_loss"}, "AutoML on Azure cannot optimize 'log_loss'"),
        ({"class_weights": {"yes": 2.0}}, "AutoML on Azure has no class_weights"),
        ({"validation_data": DataRef("nowhere")}, "nowhere"),
        ({"featurization": Featurization(FeaturizationMode.CUSTOM, {"size": Purpose.TEXT})}, "names 'size'"),
    ],
)
def test_what_azure_cannot_take_is_refused_before_anything_is_submitted(workspace, people, counter, asked, said):
    counter.seen.clear()
    with pytest.raises(SlipwayError, match=said):
        workspace.jobs.submit(TrainingSpec(people.ref, "bought", **asked))
    assert not [each for each in counter.seen if each.startswith("PUT") and "/jobs/" in each]


def test_a_training_that_somebody_else_has_submitted_is_read(running, workspace, people):
    from azure.ai.ml import Input, automl

    ml = emulating.ml_client(running)
    theirs = automl.classification(
        training_data=Input(type="mltable", path="azureml:people:1"),
        target_column_name="bought",
        primary_metric="precision_score_weighted",
        compute="cpu-cluster",
        experiment_name="theirs",
    )
    theirs.set_limits(timeout_minutes=30, max_trials=7)
    name = ml.jobs.create_or_update(theirs).name
    job = workspace.jobs.get(name)
    assert (job.spec.data, job.spec.target, job.spec.timeout_s) == (people.ref, "bought", 1800)
    assert (job.spec.primary_metric, job.compute, job.experiment_name) == (
        "precision_score_weighted",
        "cpu-cluster",
        "theirs",
    )
    assert job in workspace.jobs.list(data=people.ref)


def test_a_regression_of_somebody_else_is_read_with_all_that_it_asks_for(running, workspace, people):
    from azure.ai.ml import Input, automl

    theirs = automl.regression(
        training_data=Input(type="mltable", path="azureml:people:1"),
        validation_data_size=0.2,
        target_column_name="age",
        primary_metric="r2_score",
        compute="cpu-cluster",
    )
    theirs.set_limits(
        timeout_minutes=30, trial_timeout_minutes=4, max_concurrent_trials=3, exit_score=0.8,
        enable_early_termination=False,
    )  # fmt: skip
    theirs.set_training(blocked_training_algorithms=["LightGBM", "SGD"], enable_stack_ensemble=False)
    theirs.set_featurization(
        mode="custom",
        column_name_and_types={"visits": "Categorical", "bought": "Ignore"},
        transformer_params={"imputer": [automl.ColumnTransformer(fields=["visits"], parameters={"strategy": "mean"})]},
    )
    spec = workspace.jobs.get(emulating.ml_client(running).jobs.create_or_update(theirs).name).spec
    assert spec == TrainingSpec(
        people.ref,
        "age",
        task=Task.REGRESSION,
        timeout_s=1800,
        primary_metric="r2_score",
        exclude=("bought",),
        blocked_training_algorithms=(Algorithm.LIGHTGBM,),
        max_trials=1000,
        max_concurrent_trials=3,
        trial_timeout_s=240,
        exit_score=0.8,
        enable_early_termination=False,
        enable_stack_ensemble=False,
        validation_share=0.2,
        featurization=Featurization(
            FeaturizationMode.CUSTOM, {"visits": Purpose.CATEGORICAL}, {"visits": Imputation.MEAN}
        ),
        experiment_name=spec.experiment_name,
        compute="cpu-cluster",
    )


def test_a_job_of_a_kind_that_is_none_of_ours_is_left_out_and_named(running, workspace, people):
    emulation = running.emulation
    path = f"{emulation.names.workspace_path}/jobs/sweeping"
    properties = {
        "jobType": "Sweep", "status": "Completed", "experimentName": "x", "displayName": "x", "tags": {},
        "properties": {}, "services": {}, "isArchived": False, "searchSpace": {}, "outputs": {},
        "samplingAlgorithm": {"samplingAlgorithmType": "Random"},
        "objective": {"goal": "Maximize", "primaryMetric": "auc"},
        "trial": {"command": "echo", "environmentId": "azureml:x:1"},
    }  # fmt: skip
    emulation.state.put(path, {"id": path, "name": "sweeping", "properties": properties, "systemData": {}})
    try:
        assert "sweeping" not in {job.id for job in workspace.jobs.list()}
        with pytest.raises(JobNotFound, match="'sweeping' is a job of another kind"):
            workspace.jobs.get("sweeping")
    finally:
        emulation.state.delete(path)


def test_many_jobs_are_listed_by_few_requests(workspace, people, counter):
    ids = [workspace.jobs.submit(TrainingSpec(people.ref, "bought")).id for _ in range(8)]
    for job_id in ids[:4]:
        workspace.jobs.cancel(job_id)
    counter.seen.clear()
    listed = workspace.jobs.list(limit=8)
    assert {job.id for job in listed} == set(ids)
    assert {job.state for job in listed} == {JobState.QUEUED, JobState.CANCELED}
    assert len(counter.seen) <= 4, counter.seen  # the region and a token for it are asked for once
    counter.seen.clear()
    assert workspace.jobs.list(limit=8) == listed
    assert len(counter.seen) == 1, "what is final is not asked for again"


def test_a_first_job_has_made_the_cluster_and_the_settings_say_which(workspace, people):
    workspace.jobs.submit(TrainingSpec(people.ref, "bought"))
    known = {compute.name: compute for compute in workspace.computes.list()}
    assert known["cpu-cluster"].size.lower() == "standard_ds3_v2"
    assert (known["local"].size, known["local"].max_nodes) == (known["cpu-cluster"].size, 4)


@pytest.mark.parametrize("name", ["cpu-1", "1cpu", "ab", "a" * 25, "größe", "cpu_x", "cpu-"])
def test_a_name_that_azure_would_refuse_is_refused_before(workspace, name):
    with pytest.raises(SpecInvalid, match="is not a name for a cluster"):
        workspace.computes.create(Compute(name))


def test_azure_runs_its_trials_itself(workspace):
    with pytest.raises(SpecInvalid, match="cannot choose the executor 'ray'"):
        workspace.computes.create(Compute("growing", executor=ExecutorKind.RAY))


def test_a_cluster_grows_and_keeps_its_size(workspace):
    made = workspace.computes.create(Compute("growing", size="Standard_DS3_v2", max_nodes=1))
    assert workspace.computes.create(Compute("growing", max_nodes=2)).max_nodes == 2
    with pytest.raises(SpecInvalid, match="a cluster keeps its size"):
        workspace.computes.create(Compute("growing", size="Standard_DS12_v2"))
    assert made.max_nodes == 1


def test_a_region_without_the_size_names_some_that_it_has(workspace):
    with pytest.raises(SpecInvalid, match="has no machines of size Standard_Z99") as refused:
        workspace.computes.create(Compute("no-such-size", size="Standard_Z99"))
    assert "Standard_" in refused.value.hint


def test_a_job_that_waits_has_no_model(workspace, people):
    job = workspace.jobs.submit(TrainingSpec(people.ref, "bought"))
    assert (workspace.jobs.trials(job.id), workspace.jobs.logs(job.id)) == ((), ())
    with pytest.raises(Conflict, match="queued"):
        workspace.models.register("people", job.id)
    with pytest.raises(JobNotFound, match="no trial 0"):
        workspace.models.register("people", job.id, 0)


@pytest.mark.skipif(not living.SHARED.exists(), reason="../shared is not here")
def test_the_best_trial_is_read_off_what_azure_has_recorded():
    from azure.ai.ml._restclient.arm_ml_service.models import JobBase
    from azure.ai.ml.entities import Job

    entries = json.loads((living.SHARED / "azure" / "recordings" / RECORDING).read_text())["Entries"]
    bodies = [entry["ResponseBody"] for entry in entries if "/jobs/" in entry["RequestUri"]]
    done = [body for body in bodies if body and body.get("properties", {}).get("status") == "Completed"]
    job = read_job(None, Job._from_rest_object(JobBase._deserialize(done[-1], [])))
    assert (job.state, job.spec.target, job.spec.primary_metric) == (JobState.SUCCEEDED, "y", "accuracy")
    assert job.result.best == BestTrial(0, "LightGBM", {"accuracy": 0.9101669195751139})
    assert job.spec.max_trials == 1
    assert job.spec.timeout_s == 36_000
    assert isinstance(job.spec.data, DataRef)
    assert job.created_at > 1.6e9


def test_the_classes_of_a_foreign_model_are_the_tables(workspace, people):
    profile = workspace.data.profile(people.ref)
    assert classes_of(profile, "bought") == ("no", "yes")
    assert classes_of(profile, "visits") == (0, 1, 2, 3, 4)


def test_a_data_version_that_is_trained_on_is_traced(workspace, people):
    job = workspace.jobs.submit(TrainingSpec(people.ref, "bought"))
    assert job.id in workspace.data.lineage(people.ref).jobs
