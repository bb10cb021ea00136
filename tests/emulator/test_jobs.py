"""AutoML jobs through the unmodified SDK: a table is really trained, and its trials are the job's children."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emulating
import living
import pytest
import requests
from waiting import wait_until

from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

FINAL = ("Completed", "Failed", "Canceled")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("emulated")
    with emulating.emulation(home) as started:
        started.emulation.workspace.service.start()
        yield started
        living.close(home)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    dice = random.Random(5)
    rows = [(dice.randint(18, 80), dice.choice(["clerk", "miner"])) for _ in range(300)]
    lines = [f"{age},{work},{'yes' if age + dice.gauss(0, 9) > 50 else 'no'}" for age, work in rows]
    (folder / "people.csv").write_text("\n".join(["age,work,y", *lines]) + "\n", "utf-8")
    (folder / "MLTable").write_text("paths:\n  - file: ./people.csv\ntransformations:\n  - read_delimited\n", "utf-8")
    return folder


def classification(people: Path, **more: Any) -> Any:
    """As the SDK's documentation writes it; small."""
    from azure.ai.ml import Input, automl

    made = automl.classification(
        training_data=Input(type="mltable", path=str(people)),
        target_column_name="y",
        primary_metric="AUC_weighted",
        experiment_name="people",
        tags={"team": "bank"},
        **more,
    )
    made.set_limits(timeout_minutes=60, max_trials=1)
    made.set_training(allowed_training_algorithms=["logistic_regression"], enable_vote_ensemble=False)
    return made


@pytest.fixture(scope="module")
def done(ml: MLClient, people: Path) -> Any:
    job = ml.jobs.create_or_update(classification(people))
    assert job.status == "NotStarted"
    return ended(ml, job.name)


def ended(ml: MLClient, name: str) -> Any:
    wait_until(lambda: ml.jobs.get(name).status in FINAL, 120)
    return ml.jobs.get(name)


def mlflow(running: Running, verb: str, path: str, **asked: Any) -> dict[str, Any]:
    """What a plain MLflow client is answered."""
    names = running.emulation.names
    base = f"https://{names.api_host}/mlflow/v2.0{names.workspace_path}/api/2.0/mlflow/"
    token = emulating.ml_client(running)._credential.get_token("https://ml.azure.com/.default").token
    given = {"params": asked} if verb == "GET" else {"json": asked}
    answer = requests.request(verb, base + path, headers={"Authorization": f"Bearer {token}"}, timeout=20, **given)
    found: dict[str, Any] = answer.json()
    return found | ({"status_code": answer.status_code} if answer.status_code >= 400 else {})


def test_a_job_trains_its_table_and_names_its_best_child(ml: MLClient, done: Any) -> None:
    assert (done.status, done.experiment_name, done.tags["team"]) == ("Completed", "people", "bank")
    assert done.tags["automl_best_child_run_id"] == f"{done.name}_0"
    assert done.tags["run_algorithm"] == "<LogisticRegression>;"
    assert done.tags["run_preprocessor"].strip("<>;"), "what stands before the algorithm"
    assert 0.8 < float(done.tags["score"].strip("<>;")) <= 1
    assert done.studio_url.startswith(f"https://ml.azure.com/runs/{done.name}?wsid=/subscriptions/")
    assert {child.name: child.status for child in ml.jobs.list(parent_job_name=done.name)} == {
        f"{done.name}_setup": "Completed", f"{done.name}_featurize": "Completed", f"{done.name}_0": "Completed",
    }  # fmt: skip


def test_mlflow_finds_the_children_of_a_job_with_their_metrics(running: Running, done: Any) -> None:
    found = mlflow(
        running, "POST", "runs/search",
        filter=f"tags.mlflow.parentRunId = '{done.name}' and metrics.AUC_weighted > 0.5",
        order_by=["metrics.AUC_weighted DESC"],
    )["runs"]  # fmt: skip
    assert [run["info"]["run_id"] for run in found] == [f"{done.name}_0"]
    metrics = {each["key"]: each["value"] for each in found[0]["data"]["metrics"]}
    assert metrics["AUC_weighted"] == float(done.tags["score"].strip("<>;"))
    parent = mlflow(running, "GET", "runs/get", run_id=done.name)["run"]
    assert parent["info"]["status"] == "FINISHED"
    assert {"key": "automl_best_child_run_id", "value": f"{done.name}_0"} in parent["data"]["tags"]
    experiment = mlflow(running, "GET", "experiments/get-by-name", experiment_name="people")["experiment"]
    assert experiment["experiment_id"] == parent["info"]["experiment_id"]


def test_the_best_child_has_a_model_that_can_be_downloaded(ml: MLClient, done: Any, tmp_path: Path) -> None:
    ml.jobs.download(f"{done.name}_0", download_path=tmp_path)
    assert (tmp_path / "artifacts" / "outputs" / "mlflow-model" / "MLmodel").is_file()


def test_a_job_is_streamed_to_its_end(ml: MLClient, done: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ml.jobs.stream(done.name)
    assert f"RunId: {done.name}" in capsys.readouterr().out


def test_a_childs_model_is_registered_by_its_address(ml: MLClient, done: Any) -> None:
    from azure.ai.ml.entities import Model

    path = f"azureml://jobs/{done.name}_0/outputs/artifacts/paths/outputs/mlflow-model/"
    model = ml.models.create_or_update(Model(name="people", path=path, type="mlflow_model"))
    assert (model.name, model.type) == ("people", "mlflow_model")


@pytest.mark.full
def test_a_pipeline_trains_by_automl(ml: MLClient, people: Path) -> None:
    from azure.ai.ml import Input, Output, automl, dsl

    @dsl.pipeline(experiment_name="people")
    def training(rows):
        node = automl.classification(
            training_data=rows,
            target_column_name="y",
            primary_metric="accuracy",
            outputs={"best_model": Output(type="mlflow_model")},
        )
        node.set_limits(max_trials=1, timeout_minutes=60)
        node.set_training(allowed_training_algorithms=["logistic_regression"], enable_vote_ensemble=False)

    pipeline = training(rows=Input(type="mltable", path=str(people)))
    pipeline.settings.default_compute = "serverless"
    job = ended(ml, ml.jobs.create_or_update(pipeline).name)
    assert job.status == "Completed"
    (node,) = ml.jobs.list(parent_job_name=job.name)
    assert (node.display_name, node.tags["run_algorithm"]) == ("node", "<LogisticRegression>;")


def test_a_target_that_is_no_column_makes_the_job_fail_and_says_so(ml: MLClient, people: Path) -> None:
    wrong = classification(people)
    wrong.target_column_name = "nothing"
    job = ended(ml, ml.jobs.create_or_update(wrong).name)
    assert job.status == "Failed"
    from azure.ai.ml.exceptions import JobException

    with pytest.raises(JobException, match="nothing"):
        ml.jobs.stream(job.name)


def test_the_log_of_a_job_and_of_a_child_can_be_read_and_downloaded(ml: MLClient, done: Any, tmp_path: Path) -> None:
    files = ml.jobs._runs_operations.get_run_details(done.name).log_files
    assert list(files) == ["user_logs/std_log.txt"]
    ml.jobs.download(done.name, download_path=tmp_path, all=True)
    said = next(tmp_path.rglob("std_log.txt")).read_text("utf-8")
    assert " INFO " in said
    assert "user_logs/std_log.txt" in ml.jobs._runs_operations.get_run_details(f"{done.name}_0").log_files


def test_what_the_emulation_does_not_train_is_accepted_and_fails_with_the_reason(ml: MLClient, people: Path) -> None:
    from azure.ai.ml import Input, automl
    from azure.ai.ml.exceptions import JobException

    job = automl.forecasting(
        training_data=Input(type="mltable", path=str(people)), target_column_name="age",
        forecasting_settings=automl.ForecastingSettings(time_column_name="age"),
    )  # fmt: skip
    made = ml.jobs.create_or_update(job)
    assert type(made) is type(job)
    assert ended(ml, made.name).status == "Failed"
    with pytest.raises(JobException, match="classification and regression of tables only"):
        ml.jobs.stream(made.name)


def test_a_regression_is_judged_on_another_table_and_its_endpoint_answers_numbers(
    running: Running, ml: MLClient, people: Path
) -> None:
    from azure.ai.ml import Input, automl

    job = automl.regression(
        training_data=Input(type="mltable", path=str(people)),
        validation_data=Input(type="mltable", path=str(people)),
        target_column_name="age",
        primary_metric="normalized_root_mean_squared_error",
    )
    job.set_limits(timeout_minutes=60, max_trials=2)
    job.set_training(
        allowed_training_algorithms=["ElasticNet"], enable_vote_ensemble=False, enable_stack_ensemble=False
    )
    job.set_featurization(mode="custom", column_name_and_types={"y": "Categorical", "work": "Ignore"})
    done = ended(ml, ml.jobs.create_or_update(job).name)
    assert (done.status, done.properties["primary_metric"]) == ("Completed", "normalized_root_mean_squared_error")
    best, scores = done.tags["automl_best_child_run_id"], done.tags.get("score_000", done.tags.get("score"))
    assert best.rpartition("_")[0] == done.name
    errors = [float(score) for score in scores.strip("<>;").split(";")]
    child = mlflow(running, "GET", "runs/get", run_id=best)["run"]["data"]
    metrics = {each["key"]: each["value"] for each in child["metrics"]}
    assert metrics["normalized_root_mean_squared_error"] == min(errors)
    assert {"r2_score", "spearman_correlation"} <= set(metrics)
    assert all(
        number > 10 for number in answers_of(ml, best, [{"work": None, "y": "yes"}, {"work": "clerk", "y": "no"}])
    )


def answers_of(ml: MLClient, run: str, rows: list[dict[str, Any]]) -> list[float]:
    """What an endpoint with the model of a run answers."""
    from azure.ai.ml import entities

    path = f"azureml://jobs/{run}/outputs/artifacts/paths/outputs/mlflow-model/"
    model = ml.models.create_or_update(entities.Model(name="ages", path=path, type="mlflow_model"))
    ml.online_endpoints.begin_create_or_update(entities.ManagedOnlineEndpoint(name="ages", auth_mode="key")).result()
    blue = entities.ManagedOnlineDeployment(
        name="blue", endpoint_name="ages", model=model.id, instance_type="Standard_DS3_v2", instance_count=1
    )
    ml.online_deployments.begin_create_or_update(blue).result()
    where, key = ml.online_endpoints.get("ages").scoring_uri, ml.online_endpoints.get_keys("ages").primary_key
    body = {
        "input_data": {"columns": [*rows[0]], "index": [*range(len(rows))], "data": [[*row.values()] for row in rows]}
    }
    headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": "blue"}
    answer = requests.post(where, json=body, headers=headers, timeout=60)
    ml.online_endpoints.begin_delete("ages").result()
    answers: list[float] = answer.json()
    return answers


def test_every_task_of_automl_is_accepted_as_azure_accepts_it_and_can_be_canceled(ml: MLClient, people: Path) -> None:
    from azure.ai.ml import Input, automl

    table = {"training_data": Input(type="mltable", path=str(people)), "target_column_name": "age"}
    tables = {**table, "validation_data": table["training_data"]}
    forecast = automl.forecasting(**table, forecasting_settings=automl.ForecastingSettings(time_column_name="age"))
    texts = (automl.text_classification, automl.text_classification_multilabel)
    images = (
        automl.image_classification, automl.image_classification_multilabel, automl.image_instance_segmentation,
        automl.image_object_detection,
    )  # fmt: skip
    ner = automl.text_ner(training_data=table["training_data"], validation_data=table["training_data"])
    for job in (forecast, ner, *(make(**tables) for make in (*texts, *images))):
        made = ml.jobs.create_or_update(job)
        assert type(ml.jobs.get(made.name)) is type(job)
        ml.jobs.begin_cancel(made.name).wait(20)
        assert ml.jobs.get(made.name).status == "Canceled"


def test_a_job_that_is_canceled_ends_as_canceled(ml: MLClient, people: Path) -> None:
    long = classification(people)
    long.set_limits(timeout_minutes=600, max_trials=500)
    job = ml.jobs.create_or_update(long)
    wait_until(lambda: ml.jobs.get(job.name).status in ("Queued", "Running"), 60)
    ml.jobs.begin_cancel(job.name).wait(60)
    assert ml.jobs.get(job.name).status == "Canceled"


def test_jobs_are_listed_newest_first_and_an_archived_one_is_not(ml: MLClient, done: Any, people: Path) -> None:
    from azure.ai.ml.constants import ListViewType

    newest = ml.jobs.create_or_update(classification(people))
    assert next(iter(ml.jobs.list())).name == newest.name
    ml.jobs.begin_cancel(newest.name).wait(60)
    ml.jobs.archive(newest.name)
    assert newest.name not in {job.name for job in ml.jobs.list()}
    assert newest.name in {job.name for job in ml.jobs.list(list_view_type=ListViewType.ARCHIVED_ONLY)}
    assert done.name in {job.name for job in ml.jobs.list()}


def test_an_accepted_job_has_the_fields_of_the_recorded_one(
    running: Running, ml: MLClient, done: Any, shared: Path
) -> None:
    name = "test_remote_classification__TestAutoMLClassificationtest_classification.json"
    recording = json.loads((shared / "azure" / "recordings" / name).read_text("utf-8"))
    recorded = recording["Entries"][-1]["ResponseBody"]["properties"]
    ours = running.emulation.state.get(f"{running.emulation.names.workspace_path}/jobs/{done.name}")["properties"]
    assert set(recorded) <= set(ours)
    assert set(recorded["taskDetails"]) <= set(ours["taskDetails"])
    left_out = {name for name in recorded["properties"] if name.startswith(("mlflow.source", "azureml.git"))}
    assert set(recorded["properties"]) - left_out <= set(ours["properties"])
    assert set(recorded["tags"]) <= set(ours["tags"])
