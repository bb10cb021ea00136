"""What the operations work on: made when it is first asked for, with the SDK alone."""

from functools import cached_property
from pathlib import Path
from typing import Any

import azure_models

from core.emulator.server import Running


class World:
    """A client of one emulation, and what it has made there."""

    def __init__(self, running: Running, ml: Any, folder: Path) -> None:
        self.running, self.ml, self.folder = running, ml, folder

    @cached_property
    def rows(self) -> Path:
        folder = self.folder / "rows"
        folder.mkdir()
        rows = "".join(f"{n % 7},{n % 5},{'yes' if n % 7 > 3 else 'no'}\n" for n in range(120))
        (folder / "rows.csv").write_text(f"a,b,y\n{rows}")
        (folder / "MLTable").write_text(
            "paths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
        )
        return folder

    @cached_property
    def table(self) -> Any:
        from azure.ai.ml.entities import Data

        return self.ml.data.create_or_update(Data(name="rows", version="1", path=str(self.rows), type="mltable"))

    @cached_property
    def cluster(self) -> Any:
        from azure.ai.ml.entities import AmlCompute

        wanted = AmlCompute(name="cluster", size="Standard_DS3_v2", min_instances=0, max_instances=2)
        return self.ml.compute.begin_create_or_update(wanted).result()

    @cached_property
    def environment(self) -> Any:
        from azure.ai.ml.entities import Environment

        wanted = Environment(name="env", version="1", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
        return self.ml.environments.create_or_update(wanted)

    def new_component(self, name: str) -> Any:
        from azure.ai.ml import command

        node = command(
            name=name, command="echo hello", environment=f"{self.environment.name}:{self.environment.version}"
        )
        return node.component

    @cached_property
    def component(self) -> Any:
        return self.ml.components.create_or_update(self.new_component("hello"), version="1")

    @cached_property
    def model(self) -> Any:
        from azure.ai.ml.entities import Model

        folder = azure_models.model_folder(self.folder / "model")
        return self.ml.models.create_or_update(Model(name="model", version="1", path=str(folder), type="mlflow_model"))

    def new_training(self) -> Any:
        from azure.ai.ml import Input, automl

        job = automl.classification(
            compute=self.cluster.name,
            experiment_name="operations",
            training_data=Input(type="mltable", path=f"azureml:{self.table.name}:{self.table.version}"),
            target_column_name="y",
            primary_metric="accuracy",
        )
        job.set_limits(timeout_minutes=15, trial_timeout_minutes=5, max_trials=1)
        return job

    @cached_property
    def training(self) -> Any:
        """An AutoML job that has ended: it is canceled, since what a training gives is proven elsewhere."""
        made = self.ml.jobs.create_or_update(self.new_training())
        self.ml.jobs.begin_cancel(made.name).result()
        return self.ml.jobs.get(made.name)

    def new_pipeline(self) -> Any:
        from azure.ai.ml import dsl

        hello = self.component

        @dsl.pipeline(name="hellos", default_compute=self.cluster.name)
        def hellos() -> None:
            hello()

        return hellos()

    @cached_property
    def endpoint(self) -> Any:
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        wanted = ManagedOnlineEndpoint(name="operations-online", auth_mode="key")
        return self.ml.online_endpoints.begin_create_or_update(wanted).result()

    @cached_property
    def deployment(self) -> Any:
        from azure.ai.ml.entities import ManagedOnlineDeployment

        wanted = ManagedOnlineDeployment(
            name="blue",
            endpoint_name=self.endpoint.name,
            model=f"azureml:{self.model.name}:{self.model.version}",
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
        made = self.ml.online_deployments.begin_create_or_update(wanted).result()
        self.endpoint.traffic = {"blue": 100}
        self.ml.online_endpoints.begin_create_or_update(self.endpoint).result()
        return made

    @cached_property
    def batch_endpoint(self) -> Any:
        from azure.ai.ml.entities import BatchEndpoint

        return self.ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name="operations-batch")).result()

    def new_batch_deployment(self, name: str) -> Any:
        from azure.ai.ml import load_component
        from azure.ai.ml.entities import PipelineComponentBatchDeployment

        path = self.folder / "pipeline.yml"
        path.write_text(
            "$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json\n"
            "type: pipeline\nname: hello_pipeline\nversion: '1'\n"
            "jobs:\n  one:\n    type: command\n    component: azureml:hello:1\n"
        )
        assert self.component
        return PipelineComponentBatchDeployment(
            name=name,
            endpoint_name=self.batch_endpoint.name,
            component=load_component(path),
            settings={"default_compute": self.cluster.name},
        )

    @cached_property
    def batch_deployment(self) -> Any:
        made = self.ml.batch_deployments.begin_create_or_update(self.new_batch_deployment("nightly")).result()
        endpoint = self.ml.batch_endpoints.get(self.batch_endpoint.name)
        endpoint.defaults.deployment_name = "nightly"
        self.ml.batch_endpoints.begin_create_or_update(endpoint).result()
        return made

    def new_schedule(self, name: str) -> Any:
        from azure.ai.ml.entities import JobSchedule, RecurrencePattern, RecurrenceTrigger

        trigger = RecurrenceTrigger(frequency="day", interval=1, schedule=RecurrencePattern(hours=3, minutes=0))
        return JobSchedule(name=name, trigger=trigger, create_job=self.new_pipeline())

    @cached_property
    def schedule(self) -> Any:
        return self.ml.schedules.begin_create_or_update(self.new_schedule("nightly")).result()

    @cached_property
    def connection(self) -> Any:
        from azure.ai.ml.entities import ApiKeyConfiguration, WorkspaceConnection

        wanted = WorkspaceConnection(
            name="feed", type="custom", target="https://example.org", credentials=ApiKeyConfiguration(key="k")
        )
        return self.ml.connections.create_or_update(wanted)

    @cached_property
    def evaluator(self) -> Any:
        from azure.ai.ml.entities import Model

        wanted = Model(name="judge", version="1", path=str(self.other("judge")), type="custom_model")
        return self.ml.evaluators.create_or_update(wanted)

    def other(self, thing: str) -> Path:
        """A folder with one file of its own."""
        folder = self.folder / thing
        folder.mkdir(exist_ok=True)
        (folder / f"{thing}.txt").write_text(thing)
        return folder
