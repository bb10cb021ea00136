"""Operations on what works: workspaces, computes, jobs, schedules, endpoints and their deployments."""

import json
from typing import Any

import azure_models

from contract_tests.azure.operations.case import Case, refused, works
from contract_tests.azure.operations.world import World


def _cluster(world: World, name: str) -> Any:
    from azure.ai.ml.entities import AmlCompute

    return world.ml.compute.begin_create_or_update(AmlCompute(name=name, size="Standard_DS3_v2")).result()


def _attached(world: World) -> Any:
    from azure.ai.ml.entities import VirtualMachineCompute

    there = f"{world.running.emulation.names.group_path}/providers/Microsoft.Compute/virtualMachines/vm"
    return world.ml.compute.begin_attach(VirtualMachineCompute(name="attached", resource_id=there)).result()


def _workspace(name: str) -> Any:
    from azure.ai.ml.entities import Workspace

    return Workspace(name=name, location="westeurope")


def _request(world: World) -> str:
    path = world.folder / "request.json"
    body = azure_models.BODY
    path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return str(path)


def _deleted(world: World) -> None:
    made = world.ml.jobs.create_or_update(world.new_pipeline())
    world.ml.jobs.begin_cancel(made.name).result()
    world.ml.jobs.begin_delete(made.name).result()


def _online_gone(world: World) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    made = world.ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="operations-gone")).result()
    world.ml.online_endpoints.begin_delete(made.name).result()


def _online_deployment_gone(world: World) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment

    model = f"azureml:{world.model.name}:{world.model.version}"
    wanted = ManagedOnlineDeployment(
        name="gone", endpoint_name=world.endpoint.name, model=model, instance_type="Standard_DS3_v2", instance_count=1
    )
    world.ml.online_deployments.begin_create_or_update(wanted).result()
    world.ml.online_deployments.begin_delete("gone", world.endpoint.name).result()


def _batch_gone(world: World) -> None:
    from azure.ai.ml.entities import BatchEndpoint

    made = world.ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name="operations-bgone")).result()
    world.ml.batch_endpoints.begin_delete(made.name).result()


def _batch_deployment_gone(world: World) -> None:
    world.ml.batch_deployments.begin_create_or_update(world.new_batch_deployment("gone")).result()
    world.ml.batch_deployments.begin_delete("gone", world.batch_endpoint.name).result()


def _schedule_gone(world: World) -> None:
    world.ml.schedules.begin_create_or_update(world.new_schedule("gone")).result()
    world.ml.schedules.begin_disable("gone").result()
    world.ml.schedules.begin_delete("gone").result()


def _registry() -> Any:
    from azure.ai.ml.entities import Registry, RegistryRegionDetails

    return Registry(
        name="ours", location="westeurope", replication_locations=[RegistryRegionDetails(location="westeurope")]
    )


WORKSPACES = {
    **works(
        {
            "get": lambda w: w.ml.workspaces.get(w.ml.workspace_name),
            "list": lambda w: next(iter(w.ml.workspaces.list())),
            "get_keys": lambda w: w.ml.workspaces.get_keys(w.ml.workspace_name),
            "begin_sync_keys": lambda w: w.ml.workspaces.begin_sync_keys(w.ml.workspace_name).result(),
            "begin_diagnose": lambda w: w.ml.workspaces.begin_diagnose(w.ml.workspace_name).result(),
            "begin_update": lambda w: w.ml.workspaces.begin_update(
                w.ml.workspaces.get(w.ml.workspace_name), tags={"a": "b"}
            ).result(),
        }
    ),
    **refused(
        "the emulation has one workspace, which stays",
        "emulat|not found",
        {
            "begin_create": lambda w: w.ml.workspaces.begin_create(_workspace("another")).result(),
            "begin_delete": lambda w: w.ml.workspaces.begin_delete(
                w.ml.workspace_name, delete_dependent_resources=False
            ).result(),
            "begin_provision_network": lambda w: w.ml.workspaces.begin_provision_network(
                workspace_name=w.ml.workspace_name
            ).result(),
        },
    ),
}
COMPUTES = {
    **works(
        {
            "begin_create_or_update": lambda w: w.cluster,
            "begin_update": lambda w: (
                setattr(w.cluster, "max_instances", 3),
                w.ml.compute.begin_update(w.cluster).result(),
            ),
            "begin_delete": lambda w: (_cluster(w, "gone-soon"), w.ml.compute.begin_delete("gone-soon").result()),
            "get": lambda w: w.ml.compute.get(w.cluster.name),
            "list": lambda w: (w.cluster, next(iter(w.ml.compute.list()))),
            "list_nodes": lambda w: list(w.ml.compute.list_nodes(w.cluster.name)),
            "list_sizes": lambda w: next(iter(w.ml.compute.list_sizes())),
            "list_usage": lambda w: next(iter(w.ml.compute.list_usage())),
            "enable_sso": lambda w: w.ml.compute.enable_sso(name=w.cluster.name),
        }
    ),
    **refused(
        "there is no other machine to attach",
        "emulat|not support|properties",
        {"begin_attach": _attached},
    ),
    **refused(
        "compute instances are workstations in the cloud, which the emulation does not have",
        "emulat|action|not support|not found|instance",
        {
            "begin_start": lambda w: w.ml.compute.begin_start(w.cluster.name).result(),
            "begin_stop": lambda w: w.ml.compute.begin_stop(w.cluster.name).result(),
            "begin_restart": lambda w: w.ml.compute.begin_restart(w.cluster.name).result(),
        },
    ),
}
JOBS = works(
    {
        "create_or_update": lambda w: w.training,
        "get": lambda w: w.ml.jobs.get(w.training.name),
        "list": lambda w: (w.training, next(iter(w.ml.jobs.list()))),
        "stream": lambda w: w.ml.jobs.stream(w.training.name),
        "download": lambda w: w.ml.jobs.download(w.training.name, download_path=str(w.folder / "job"), all=True),
        "begin_cancel": lambda w: w.ml.jobs.begin_cancel(w.training.name).result(),
        "begin_delete": _deleted,
        "archive": lambda w: w.ml.jobs.archive(w.training.name),
        "restore": lambda w: w.ml.jobs.restore(w.training.name),
        "show_services": lambda w: w.ml.jobs.show_services(w.training.name),
        "update": lambda w: w.ml.jobs.update(w.training.name, tags={"seen": "yes"}),
        "validate": lambda w: w.ml.jobs.validate(w.new_pipeline()),
    }
)
SCHEDULES = works(
    {
        "begin_create_or_update": lambda w: w.schedule,
        "get": lambda w: w.ml.schedules.get(w.schedule.name),
        "list": lambda w: (w.schedule, next(iter(w.ml.schedules.list()))),
        "begin_disable": lambda w: w.ml.schedules.begin_disable(w.schedule.name).result(),
        "begin_enable": lambda w: w.ml.schedules.begin_enable(w.schedule.name).result(),
        "begin_delete": _schedule_gone,
        "trigger": lambda w: w.ml.schedules.trigger(w.schedule.name),
    }
)
ONLINE_ENDPOINTS = works(
    {
        "begin_create_or_update": lambda w: w.endpoint,
        "get": lambda w: w.ml.online_endpoints.get(w.endpoint.name),
        "list": lambda w: (w.endpoint, next(iter(w.ml.online_endpoints.list()))),
        "get_keys": lambda w: w.ml.online_endpoints.get_keys(w.endpoint.name),
        "begin_regenerate_keys": lambda w: w.ml.online_endpoints.begin_regenerate_keys(
            w.endpoint.name, key_type="secondary"
        ).result(),
        "invoke": lambda w: (w.deployment, w.ml.online_endpoints.invoke(w.endpoint.name, request_file=_request(w))),
        "begin_delete": _online_gone,
    }
)
ONLINE_DEPLOYMENTS = works(
    {
        "begin_create_or_update": lambda w: w.deployment,
        "get": lambda w: w.ml.online_deployments.get(w.deployment.name, w.endpoint.name),
        "list": lambda w: (w.deployment, next(iter(w.ml.online_deployments.list(w.endpoint.name)))),
        "get_logs": lambda w: w.ml.online_deployments.get_logs(w.deployment.name, w.endpoint.name, 50),
        "begin_delete": _online_deployment_gone,
    }
)
BATCH_ENDPOINTS = works(
    {
        "begin_create_or_update": lambda w: w.batch_endpoint,
        "get": lambda w: w.ml.batch_endpoints.get(w.batch_endpoint.name),
        "list": lambda w: (w.batch_endpoint, next(iter(w.ml.batch_endpoints.list()))),
        "invoke": lambda w: (w.batch_deployment, w.ml.batch_endpoints.invoke(w.batch_endpoint.name)),
        "list_jobs": lambda w: list(w.ml.batch_endpoints.list_jobs(w.batch_endpoint.name)),
        "begin_delete": _batch_gone,
    }
)
BATCH_DEPLOYMENTS = works(
    {
        "begin_create_or_update": lambda w: w.batch_deployment,
        "get": lambda w: w.ml.batch_deployments.get(w.batch_deployment.name, w.batch_endpoint.name),
        "list": lambda w: (w.batch_deployment, next(iter(w.ml.batch_deployments.list(w.batch_endpoint.name)))),
        "list_jobs": lambda w: list(
            w.ml.batch_deployments.list_jobs(w.batch_endpoint.name, name=w.batch_deployment.name)
        ),
        "begin_delete": _batch_deployment_gone,
    }
)
REGISTRIES = {
    **works({"list": lambda w: list(w.ml.registries.list()), "get": lambda w: w.ml.registries.get("azureml")}),
    **refused(
        "registries are read only here",
        "emulat|not found|NotFound",
        {
            "begin_create": lambda w: w.ml.registries.begin_create(_registry()).result(),
            "begin_delete": lambda w: w.ml.registries.begin_delete(name="azureml").result(),
        },
    ),
}
CASES: dict[str, dict[str, Case]] = {
    "WorkspaceOperations": WORKSPACES,
    "ComputeOperations": COMPUTES,
    "RegistryOperations": REGISTRIES,
    "JobOperations": JOBS,
    "ScheduleOperations": SCHEDULES,
    "OnlineEndpointOperations": ONLINE_ENDPOINTS,
    "OnlineDeploymentOperations": ONLINE_DEPLOYMENTS,
    "BatchEndpointOperations": BATCH_ENDPOINTS,
    "BatchDeploymentOperations": BATCH_DEPLOYMENTS,
}
