"""Clusters through the unmodified SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def cluster(name: str, size: str = "Standard_DS3_v2", nodes: int = 4) -> object:
    from azure.ai.ml.entities import AmlCompute

    return AmlCompute(name=name, size=size, min_instances=0, max_instances=nodes, idle_time_before_scale_down=180)


def test_a_cluster_is_made_changed_and_deleted(ml: MLClient) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError):
        ml.compute.get("cpu-cluster")
    made = ml.compute.begin_create_or_update(cluster("cpu-cluster")).result()
    assert (made.size, made.max_instances, made.provisioning_state) == ("STANDARD_DS3_V2", 4, "Succeeded")
    made.max_instances = 2
    assert ml.compute.begin_update(made).result().max_instances == 2
    assert [each.name for each in ml.compute.list(compute_type="AmlCompute")] == ["cpu-cluster"]
    assert list(ml.compute.list_nodes("CPU-cluster")) == []
    ml.compute.begin_delete("cpu-cluster").result()
    assert list(ml.compute.list()) == []


def test_an_instance_stops_and_starts(ml: MLClient) -> None:
    from azure.ai.ml.entities import ComputeInstance

    ml.compute.begin_create_or_update(ComputeInstance(name="desk-of-mine", size="Standard_DS3_v2")).result()
    ml.compute.begin_stop("desk-of-mine").result()
    assert ml.compute.get("desk-of-mine").state == "Stopped"
    ml.compute.begin_start("desk-of-mine").result()
    ml.compute.begin_restart("desk-of-mine").result()
    assert ml.compute.get("desk-of-mine").state == "Running"
    ml.compute.begin_delete("desk-of-mine").result()


@pytest.mark.parametrize("name", ["cpu-1", "1cpu", "a", "x" * 25])
def test_names_that_azure_refuses_are_refused(ml: MLClient, name: str) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="3 to 24 letters"):
        ml.compute.begin_create_or_update(cluster(name))


def test_a_size_that_the_region_lacks_is_named(ml: MLClient) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="'Standard_XL' is not available"):
        ml.compute.begin_create_or_update(cluster("huge", "Standard_XL"))


def test_more_cores_than_one_may_have_fail_the_operation(ml: MLClient) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError) as failed:
        ml.compute.begin_create_or_update(cluster("greedy", nodes=26)).result()
    assert failed.value.error.code == "ClusterCoreQuotaReached"
    assert failed.value.status_code == 200
    assert ml.compute.get("greedy").provisioning_state == "Failed"
    ml.compute.begin_delete("greedy").result()


def test_sizes_and_usage_are_listed(ml: MLClient) -> None:
    sizes = {each.name: each.family for each in ml.compute.list_sizes(compute_type="AmlCompute")}
    assert sizes["Standard_DS3_v2"] == "standardDSv2Family"
    assert {each.unit for each in ml.compute.list_usage()} == {"Count"}
