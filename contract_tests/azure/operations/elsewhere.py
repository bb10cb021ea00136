"""Operations on what the emulation does not have: each is called once all the same, and must be refused in words."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from contract_tests.azure.operations.case import Case, refused, works
from contract_tests.azure.operations.world import World

REFUSED = "emulat|not found|NotFound|no host|no resource type|could not find|cannot be found|not exist"
"""Whatever is missing is named by the emulation, or by its proxy where another host is asked."""
BEFORE = "No value for given attribute|should be either|registry|has no attribute|must be|Must provide|provide"
"""The SDK itself refuses some before it asks anybody: without a registry, a hub, or a package of Microsoft's."""
FOREIGN: Mapping[str, tuple[str, str]] = {
    "AzureOpenAIDeploymentOperations": ("azure_openai_deployments", "no language models are emulated"),
    "CapabilityHostsOperations": ("capability_hosts", "agents of language models are not emulated"),
    "DeploymentTemplateOperations": ("deployment_templates", "they live in registries alone, which are read only"),
    "FeatureSetOperations": ("feature_sets", "feature stores are not emulated"),
    "FeatureStoreEntityOperations": ("feature_store_entities", "feature stores are not emulated"),
    "FeatureStoreOperations": ("feature_stores", "feature stores are not emulated"),
    "IndexOperations": ("indexes", "indexes of texts for language models are not emulated"),
    "MarketplaceSubscriptionOperations": ("marketplace_subscriptions", "nothing is sold here"),
    "ServerlessEndpointOperations": ("serverless_endpoints", "no language models are emulated"),
    "WorkspaceOutboundRuleOperations": ("workspace_outbound_rules", "there is no network to guard"),
}
"""Class -> its place on the client, and why none of its operations is done."""


def calling(place: str, name: str) -> Callable[[World], Any]:
    """A call with whatever its signature asks for."""

    def run(world: World) -> Any:
        operation = getattr(getattr(world.ml, place), name)
        asked = inspect.signature(operation).parameters.values()
        needed = [
            each
            for each in asked
            if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        ]
        given = {each.name: _value(world, each) for each in needed}
        if any(each.name == "version" for each in asked):
            given["version"] = "1"
        answer = operation(**given)
        return answer.result() if hasattr(answer, "result") else list(answer) if hasattr(answer, "__next__") else answer

    return run


def _value(world: World, parameter: inspect.Parameter) -> Any:
    from azure.ai.ml import entities

    name = str(parameter.annotation).rpartition(".")[2].strip("'>]\"")
    makers: Mapping[str, Callable[[], Any]] = {
        "FeatureSet": lambda: entities.FeatureSet(
            name="f", version="1", entities=["azureml:e:1"],
            specification=entities.FeatureSetSpecification(path=str(_specification(world))),
        ),
        "FeatureStoreEntity": lambda: entities.FeatureStoreEntity(
            name="e", version="1", index_columns=[entities.DataColumn(name="a", type="string")]
        ),
        "FeatureStore": lambda: entities.FeatureStore(name="store", location="westeurope"),
        "Index": lambda: entities.Index(name="i", version="1", path=str(world.other("index"))),
        "MarketplaceSubscription": lambda: entities.MarketplaceSubscription(name="m", model_id="azureml://registries/r/models/m"),
        "ServerlessEndpoint": lambda: entities.ServerlessEndpoint(name="s", model_id="azureml://registries/r/models/m"),
        "OutboundRule": lambda: entities.FqdnDestination(name="rule", destination="example.org"),
        "CapabilityHost": lambda: entities.CapabilityHost(name="host"),
    }  # fmt: skip
    return makers[name]() if name in makers else "nothing"


def _specification(world: World) -> Any:
    folder = world.other("features")
    (folder / "FeatureSetSpec.yaml").write_text(
        "source:\n  type: parquet\n  path: here\n  timestamp_column:\n    name: at\nfeatures: []\nindex_columns: []\n"
    )
    return folder


def operations_of(kind: type) -> list[str]:
    """The public operations of a class of the SDK."""
    return [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]


def cases() -> dict[str, dict[str, Case]]:
    from azure.ai.ml import operations

    found = {
        owner: refused(
            why,
            f"{REFUSED}|{BEFORE}",
            {name: calling(place, name) for name in operations_of(getattr(operations, owner))},
        )
        for owner, (place, why) in FOREIGN.items()
    }
    found["FeatureStoreOperations"] |= works({"list": lambda w: list(w.ml.feature_stores.list())})
    found["FeatureSetOperations"] |= works(
        {
            "list_materialization_operations": lambda w: list(
                w.ml.feature_sets.list_materialization_operations("nothing", version="1")
            )
        }
    )
    return found
