"""Operations on what is kept with versions: data, models, environments, components; and datastores and connections."""

from typing import Any

from contract_tests.azure.operations.case import Case, refused, works
from contract_tests.azure.operations.world import World


def _store(world: World, name: str) -> Any:
    from azure.ai.ml.entities import AzureBlobDatastore

    wanted = AzureBlobDatastore(name=name, account_name="elsewhere", container_name="files")
    return world.ml.datastores.create_or_update(wanted)


def _import(world: World) -> Any:
    from azure.ai.ml.data_transfer import Database
    from azure.ai.ml.entities import DataImport

    source = Database(connection="azureml:c", query="select 1")
    path = "azureml://datastores/workspaceblobstore/paths/imported"
    return world.ml.data.import_data(DataImport(name="imported", source=source, path=path, type="mltable"))


def _package(world: World) -> Any:
    from azure.ai.ml.entities import AzureMLOnlineInferencingServer, ModelPackage

    assert world.model
    wanted = ModelPackage(target_environment="packaged", inferencing_server=AzureMLOnlineInferencingServer())
    return world.ml.models.package("model", "1", wanted)


DATA = {
    **works(
        {
            "create_or_update": lambda w: w.table,
            "get": lambda w: w.ml.data.get(w.table.name, version="1"),
            "list": lambda w: (w.table, next(iter(w.ml.data.list(name="rows")))),
            "archive": lambda w: w.ml.data.archive(w.table.name, version="1"),
            "restore": lambda w: w.ml.data.restore(w.table.name, version="1"),
        }
    ),
    **refused(
        "data of other systems would have to be fetched from the network",
        "emulat|not support|not found",
        {"import_data": _import},
    ),
    **refused(
        "follows imports of data, which are refused; in 1.35 the SDK's own call breaks off",
        "unexpected keyword|emulat",
        {"list_materialization_status": lambda w: list(w.ml.data.list_materialization_status("rows"))},
    ),
    **refused(
        "needs Microsoft's package azureml-dataprep, which mounts by FUSE",
        "dataprep|rslex|mount|MlException",
        {"mount": lambda w: w.ml.data.mount(f"azureml:{w.table.name}:1")},
    ),
    **refused(
        "there is no registry to share with",
        "registr|emulat|not found",
        {
            "share": lambda w: w.ml.data.share(
                "rows", "1", registry_name="r", share_with_name="x", share_with_version="1"
            )
        },
    ),
}
MODELS = {
    **works(
        {
            "create_or_update": lambda w: w.model,
            "get": lambda w: w.ml.models.get(w.model.name, version="1"),
            "list": lambda w: (w.model, next(iter(w.ml.models.list(name="model")))),
            "archive": lambda w: w.ml.models.archive(w.model.name, version="1"),
            "restore": lambda w: w.ml.models.restore(w.model.name, version="1"),
            "download": lambda w: w.ml.models.download(w.model.name, "1", download_path=str(w.folder / "downloaded")),
        }
    ),
    **refused("no image is built here", "emulat|action|not found", {"package": _package}),
    **refused(
        "there is no registry to share with",
        "registr|emulat|not found",
        {
            "share": lambda w: w.ml.models.share(
                "model", "1", registry_name="r", share_with_name="x", share_with_version="1"
            )
        },
    ),
}
ENVIRONMENTS = {
    **works(
        {
            "create_or_update": lambda w: w.environment,
            "get": lambda w: w.ml.environments.get(w.environment.name, version="1"),
            "list": lambda w: (w.environment, next(iter(w.ml.environments.list(name="env")))),
            "archive": lambda w: w.ml.environments.archive(w.environment.name, version="1"),
            "restore": lambda w: w.ml.environments.restore(w.environment.name, version="1"),
        }
    ),
    **refused(
        "there is no registry to share with",
        "registr|emulat|not found",
        {
            "share": lambda w: w.ml.environments.share(
                "env", "1", registry_name="r", share_with_name="x", share_with_version="1"
            )
        },
    ),
}
COMPONENTS = {
    **works(
        {
            "create_or_update": lambda w: w.component,
            "get": lambda w: w.ml.components.get(w.component.name, version="1"),
            "list": lambda w: (w.component, next(iter(w.ml.components.list(name="hello")))),
            "archive": lambda w: w.ml.components.archive(w.component.name, version="1"),
            "restore": lambda w: w.ml.components.restore(w.component.name, version="1"),
            "download": lambda w: w.ml.components.download(
                w.component.name, version="1", download_path=str(w.folder / "component")
            ),
            "validate": lambda w: w.ml.components.validate(w.new_component("checked")),
            "prepare_for_sign": lambda w: w.ml.components.prepare_for_sign(_signed(w)),
        }
    ),
}


def _signed(world: World) -> Any:
    from azure.ai.ml import load_component

    folder = world.other("signed")
    (folder / "component.yml").write_text(
        "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
        "type: command\nname: signed\nversion: '1'\ncommand: echo it\ncode: .\n"
        "environment: azureml:env:1\n"
    )
    return load_component(folder / "component.yml")


DATASTORES = {
    **works(
        {
            "create_or_update": lambda w: _store(w, "theirs"),
            "get": lambda w: w.ml.datastores.get("workspaceblobstore", include_secrets=True),
            "get_default": lambda w: w.ml.datastores.get_default(),
            "list": lambda w: next(iter(w.ml.datastores.list())),
            "delete": lambda w: (_store(w, "gone"), w.ml.datastores.delete("gone")),
        }
    ),
    **refused(
        "needs Microsoft's package azureml-dataprep, which mounts by FUSE",
        "dataprep|rslex|mount|MlException",
        {"mount": lambda w: w.ml.datastores.mount("workspaceblobstore")},
    ),
}
CONNECTIONS = works(
    {
        "create_or_update": lambda w: w.connection,
        "get": lambda w: w.ml.connections.get(w.connection.name),
        "list": lambda w: (w.connection, next(iter(w.ml.connections.list()))),
        "delete": lambda w: w.ml.connections.delete(w.connection.name),
    }
)
EVALUATORS = works(
    {
        "create_or_update": lambda w: w.evaluator,
        "get": lambda w: w.ml.evaluators.get(w.evaluator.name, version="1"),
        "list": lambda w: (w.evaluator, next(iter(w.ml.evaluators.list(name=w.evaluator.name)))),
        "download": lambda w: w.ml.evaluators.download(
            w.evaluator.name, "1", download_path=str(w.folder / "evaluator-down")
        ),
    }
)
CASES: dict[str, dict[str, Case]] = {
    "DataOperations": DATA,
    "ModelOperations": MODELS,
    "EnvironmentOperations": ENVIRONMENTS,
    "ComponentOperations": COMPONENTS,
    "DatastoreOperations": DATASTORES,
    "EvaluatorOperations": EVALUATORS,
    "WorkspaceConnectionsOperations": CONNECTIONS,
}
