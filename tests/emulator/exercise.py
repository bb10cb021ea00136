"""The "Operationalizing Machine Learning" exercise as the documentation of `azure-ai-ml` teaches it.

    python exercise.py TABLE.csv TARGET

It reads the workspace from the environment, and prints what it has done as one JSON document on its last line.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import requests
from azure.ai.ml import Input, MLClient, Output, automl, dsl
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    CronTrigger,
    Data,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    PipelineComponentBatchDeployment,
    RecurrencePattern,
    RecurrenceTrigger,
)
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential

MLTABLE = """paths:
  - file: ./table.csv
transformations:
  - read_delimited:
      delimiter: ','
      encoding: utf8
      header: all_files_same_headers
"""


def connect() -> MLClient:
    return MLClient(
        DefaultAzureCredential(),
        os.environ["AZUREML_ARM_SUBSCRIPTION"],
        os.environ["AZUREML_ARM_RESOURCEGROUP"],
        os.environ["AZUREML_ARM_WORKSPACE_NAME"],
    )


def cluster(client: MLClient) -> str:
    try:
        return client.compute.get("cpu-cluster").name
    except ResourceNotFoundError:
        wanted = AmlCompute(name="cpu-cluster", size="Standard_DS3_v2", min_instances=0, max_instances=4)
        return client.compute.begin_create_or_update(wanted).result().name


def dataset(client: MLClient, table: Path) -> Data:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "table.csv").write_bytes(table.read_bytes())
        (Path(folder) / "MLTable").write_text(MLTABLE)
        return client.data.create_or_update(Data(name="bankmarketing", path=folder, type=AssetTypes.MLTABLE))


def training(data: Data, target: str, compute: str) -> automl.ClassificationJob:
    job = automl.classification(
        compute=compute,
        experiment_name="bankmarketing-automl",
        training_data=Input(type=AssetTypes.MLTABLE, path=f"azureml:{data.name}:{data.version}"),
        target_column_name=target,
        primary_metric="AUC_weighted",
        n_cross_validations=5,
        enable_model_explainability=True,
    )
    job.set_limits(timeout_minutes=15, trial_timeout_minutes=5, max_trials=3, max_concurrent_trials=4)
    job.set_training(
        allowed_training_algorithms=["LogisticRegression"], enable_vote_ensemble=False, enable_stack_ensemble=False
    )
    return job


def ended(client: MLClient, name: str) -> str:
    while (status := client.jobs.get(name).status) not in ("Completed", "Failed", "Canceled"):
        time.sleep(0.5)
    return str(getattr(status, "value", status))


def best_model(client: MLClient, job: str) -> Model:
    best = client.jobs.get(job).tags["automl_best_child_run_id"]
    path = f"azureml://jobs/{best}/outputs/artifacts/outputs/mlflow-model/"
    return client.models.create_or_update(Model(path=path, name="bankmarketing", type=AssetTypes.MLFLOW_MODEL))


def deploy(client: MLClient, model: Model, endpoint: str) -> None:
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=endpoint, auth_mode="key")).result()
    blue = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=endpoint,
        model=model.id,
        instance_type="Standard_DS3_v2",
        instance_count=1,
        app_insights_enabled=True,
    )
    client.online_deployments.begin_create_or_update(blue).result()
    live = client.online_endpoints.get(endpoint)
    live.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(live).result()


def consume(client: MLClient, endpoint: str, rows: list[dict]) -> tuple[int, list, dict]:
    """With the key, as endpoint.py does; and the document."""
    where, key = client.online_endpoints.get(endpoint), client.online_endpoints.get_keys(endpoint).primary_key
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    columns = list(rows[0])
    body = {"input_data": {"columns": columns, "index": [*range(len(rows))], "data": [[*row.values()] for row in rows]}}
    answer = requests.post(where.scoring_uri, json=body, headers=headers, timeout=60)
    document = requests.get(where.openapi_uri, headers=headers, timeout=60)
    return answer.status_code, answer.json(), document.json()


def pipeline(data: Data, target: str, compute: str):
    @dsl.pipeline(name="bankmarketing_train", default_compute=compute, experiment_name="bankmarketing-pipeline")
    def bankmarketing_train(training_data: Input(type=AssetTypes.MLTABLE)):
        node = automl.classification(
            training_data=training_data,
            target_column_name=target,
            primary_metric="AUC_weighted",
            outputs={"best_model": Output(type=AssetTypes.MLFLOW_MODEL)},
        )
        node.set_limits(timeout_minutes=15, max_trials=1)
        node.set_training(
            allowed_training_algorithms=["LogisticRegression"], enable_vote_ensemble=False, enable_stack_ensemble=False
        )

    return bankmarketing_train(Input(type=AssetTypes.MLTABLE, path=f"azureml:{data.name}:{data.version}"))


def publish(client: MLClient, job, endpoint: str) -> None:
    component = client.components.create_or_update(job.component)
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=endpoint)).result()
    deployment = PipelineComponentBatchDeployment(
        name="train-v1", endpoint_name=endpoint, component=component.id, settings={"default_compute": "cpu-cluster"}
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    live = client.batch_endpoints.get(endpoint)
    live.defaults.deployment_name = "train-v1"
    client.batch_endpoints.begin_create_or_update(live).result()


def main(table: Path, target: str, rows: list[dict]) -> dict:
    client, done = connect(), {}
    compute = cluster(client)
    data = dataset(client, table)
    job = client.jobs.create_or_update(training(data, target, compute))
    done["automl"] = ended(client, job.name)
    done["children"] = len([*client.jobs.list(parent_job_name=job.name)])
    model = best_model(client, job.name)
    done["model"] = f"{model.name}:{model.version}"

    deploy(client, model, "bankmarketing-endpoint")
    done["score"], done["answer"], document = consume(client, "bankmarketing-endpoint", rows)
    done["swagger"] = document.get("swagger") or document.get("openapi")
    done["logs"] = client.online_deployments.get_logs("blue", "bankmarketing-endpoint", lines=50)

    run = client.jobs.create_or_update(pipeline(data, target, compute))
    done["pipeline"] = ended(client, run.name)
    publish(client, pipeline(data, target, compute), "bankmarketing-batch")
    started = client.batch_endpoints.invoke(
        endpoint_name="bankmarketing-batch",
        inputs={"training_data": Input(type=AssetTypes.MLTABLE, path=f"azureml:{data.name}:{data.version}")},
    )
    done["batch"] = ended(client, started.name)

    weekly = RecurrenceTrigger(
        frequency="week", interval=1, schedule=RecurrencePattern(hours=[7], minutes=[30], week_days=["monday"])
    )
    for name, trigger in (("weekly", weekly), ("daily", CronTrigger(expression="15 6 * * *"))):
        schedule = JobSchedule(name=name, trigger=trigger, create_job=pipeline(data, target, compute))
        client.schedules.begin_create_or_update(schedule).result()
    done["schedules"] = sorted(schedule.name for schedule in client.schedules.list())
    for name in done["schedules"]:
        client.schedules.begin_disable(name).result()
        client.schedules.begin_delete(name).result()

    client.online_endpoints.begin_delete("bankmarketing-endpoint").result()
    client.batch_endpoints.begin_delete("bankmarketing-batch").result()
    done["endpoints"] = [*client.online_endpoints.list(), *client.batch_endpoints.list()]
    return done


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
    print(f"\n{json.dumps(found)}")
