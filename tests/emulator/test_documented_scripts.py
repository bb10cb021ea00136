"""Small things that scripts of Microsoft's documentation and examples rely on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulating
import living
import pytest
from waiting import wait_until

from core.emulator.emulation import Options
from core.emulator.server import Running

entities = pytest.importorskip("azure.ai.ml.entities", reason="the SDK of Azure ML is not here")
ENVIRONMENT = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("scripts")
    with emulating.emulation(home, Options(allow_code=True)) as started:
        yield started
    living.close(home)


def command(ml: Any, **said: Any) -> Any:
    from azure.ai.ml import command as made

    return ml.jobs.create_or_update(made(**{"command": "echo 1", "environment": ENVIRONMENT, **said}))


def test_a_component_without_a_version_is_its_newest(ml: Any) -> None:
    for version in ("1", "2"):
        wanted = entities.CommandComponent(name="step", version=version, command="echo 1", environment=ENVIRONMENT)
        ml.components.create_or_update(wanted)

    assert ml.components.get("step").version == "2"


def test_a_build_context_says_where_its_dockerfile_is(ml: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    wanted = entities.Environment(name="built", build=entities.BuildContext(path=str(tmp_path)))

    assert ml.environments.create_or_update(wanted).build.dockerfile_path == "Dockerfile"


def test_whoever_asks_for_hubs_alone_finds_none(ml: Any) -> None:
    assert [*ml.workspaces.list(filtered_kinds=["hub"])] == []
    assert [each.name for each in ml.workspaces.list(filtered_kinds="default")] == [ml.workspace_name]


def test_a_job_that_names_an_asset_that_nobody_made_is_refused_when_it_is_submitted(ml: Any) -> None:
    from azure.ai.ml import Input
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="Could not find asset with ID: azureml://environments/ghost"):
        command(ml, environment="azureml:ghost:1")
    with pytest.raises(HttpResponseError, match="Could not find asset with ID: azureml://data/ghost/versions/1"):
        command(ml, inputs={"table": Input(type="uri_file", path="azureml:ghost:1")})


def test_the_command_of_a_job_cannot_be_changed_under_its_name(ml: Any) -> None:
    from azure.core.exceptions import ResourceExistsError

    command(ml, name="once")
    with pytest.raises(ResourceExistsError, match="A job with this name already exists"):
        command(ml, name="once", command="echo 2")

    assert command(ml, name="once", display_name="renamed").display_name == "renamed"


def test_an_output_that_a_job_registers_is_a_model_like_any_other(ml: Any) -> None:
    from azure.ai.ml import Output

    made = "mkdir -p ${{outputs.it}} && echo 'flavors: {sklearn: {pickled_model: m.pkl}}' > ${{outputs.it}}/MLmodel"
    job = command(ml, command=made, outputs={"it": Output(type="mlflow_model", name="made")})
    wait_until(lambda: ml.jobs.get(job.name).status in ("Completed", "Failed"), timeout_s=30)
    model = ml.models.get("made", version="1")

    assert (model.type, model.job_name, list(model.flavors)) == ("mlflow_model", job.name, ["sklearn"])
    assert model.path.startswith("azureml://subscriptions/")


@pytest.mark.parametrize("name", ["j\u00f6b", "n" * 256])
def test_a_name_that_no_job_may_have_is_refused(ml: Any, name: str) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="The name of a job has 1 to 255 letters"):
        command(ml, name=name)
