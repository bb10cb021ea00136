"""What Azure, its SDK and the network say, as errors of ours: one sentence, and the way out."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import emulating
import httpx
import pytest

from core.azure.errors import translate
from core.azure.workspace import open_azure
from core.domain.compute import Compute
from core.domain.data import DataRef
from core.domain.errors import (
    Conflict,
    DataNotFound,
    Forbidden,
    JobNotFound,
    NotFound,
    ServiceUnavailable,
    SlipwayError,
    SpecInvalid,
)
from core.domain.training import TrainingSpec
from core.emulator.faults import Fault, Faults, of_folder
from core.emulator.server import Running
from core.workspace import Workspace


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated")) as started:
        yield started


@pytest.fixture(scope="module")
def workspace(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_azure(emulating.client_settings(tmp_path_factory.mktemp("client")))


@pytest.fixture
def faults(running: Running) -> Iterator[Faults]:
    found = of_folder(running.emulation.folder)
    yield found
    found.clear()


def refusal(status: int, code: str = "", message: str = "It is so") -> Exception:
    from azure.core.exceptions import HttpResponseError, ODataV4Format

    error = HttpResponseError(message=f"({code}) {message}\nCode: {code}\nMessage: {message}")
    error.status_code = status
    error.error = ODataV4Format({"error": {"code": code, "message": message}})
    return error


MISSING = "The Resource 'Microsoft.MachineLearningServices/workspaces/w' under resource group 'g' was not found. More"


@pytest.mark.parametrize(
    ("error", "kind", "hint"),
    [
        (refusal(403, "AuthorizationFailed"), Forbidden, "role commands"),
        (refusal(401, "ExpiredAuthenticationToken"), Forbidden, "doctor"),
        (refusal(404, "SubscriptionNotFound"), SpecInvalid, "SLIPWAY_AZURE_SUBSCRIPTION"),
        (refusal(404, "ResourceGroupNotFound"), SpecInvalid, "SLIPWAY_AZURE_RESOURCE_GROUP"),
        (refusal(404, "ResourceNotFound", MISSING), SpecInvalid, "SLIPWAY_AZURE_WORKSPACE"),
        (refusal(404, "UserError"), NotFound, ""),
        (refusal(409, "Anything"), Conflict, ""),
        (refusal(429, "TooManyRequests"), ServiceUnavailable, "in a minute"),
        (refusal(500, "InternalServerError"), ServiceUnavailable, "Try again"),
        (refusal(400, "BadArgument"), SpecInvalid, ""),
        (refusal(200, "ClusterCoreQuotaReached"), SpecInvalid, "Quotas"),
        (refusal(200, "UserError", "Not enough quota available for Standard_DS3_v2"), SpecInvalid, "Quotas"),
        (refusal(200, "VMSizeNotSupported", "The VM size is not available here"), SpecInvalid, "COMPUTE_SIZE"),
        (httpx.ConnectError("refused"), ServiceUnavailable, "network"),
    ],
)
def test_an_error_is_told_by_its_code_before_its_status(error, kind, hint):
    ours = translate(error)
    assert type(ours) is kind
    assert hint in ours.hint
    assert "\n" not in ours.message
    assert "Code:" not in ours.message, "what the SDK repeats is left out"


def test_what_is_not_there_is_named_by_its_noun():
    assert str(translate(refusal(404, "UserError"), "job", "x1")) == "There is no job 'x1' in this workspace"
    assert type(translate(refusal(404, "UserError"), "job", "x1")) is JobNotFound


def test_a_bug_of_ours_stays_one():
    assert translate(KeyError("ours")) is None
    assert translate(TypeError("ours")) is None


@pytest.mark.parametrize(("fault", "kind"), [("forbidden", Forbidden), ("not-found", NotFound), ("conflict", Conflict)])
def test_a_fault_of_azures_is_an_error_of_ours_and_goes_by(workspace, faults, fault, kind):
    faults.add(Fault(fault, method="GET", path="*/data", times=1))
    with pytest.raises(kind):
        workspace.data.list()
    assert workspace.data.list() == ()


@pytest.mark.parametrize("field", ["properties", "value", "name", "systemData"])
def test_a_field_of_another_type_is_an_error_of_ours_or_nothing(workspace, faults, tmp_path: Path, field):
    path = tmp_path / "typed.csv"
    path.write_text("a,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(40)))
    asset = workspace.data.register("typed", str(path))
    job = workspace.jobs.submit(TrainingSpec(asset.ref, "y"))
    for place, look in (
        ("*/data/typed/versions", lambda: workspace.data.get(asset.ref)),
        ("*/data", workspace.data.list),
        ("*/jobs", workspace.jobs.list),
        (f"*/jobs/{job.id}", lambda: workspace.jobs.get(job.id)),
        ("*/computes", workspace.computes.list),
    ):
        faults.add(Fault("wrong-type", method="GET", path=place, field=field, times=1))
        with suppress(SlipwayError):
            look()
        faults.clear()
    assert workspace.data.get(asset.ref) == asset
    assert workspace.jobs.get(job.id) == job


def test_a_cluster_beyond_the_quota_says_so(workspace, faults):
    faults.add(Fault("quota", method="PUT", path="*/computes/*", times=1))
    with pytest.raises(SpecInvalid, match="quota") as refused:
        workspace.computes.create(Compute("too-large"))
    assert "Quotas" in refused.value.hint


def test_a_cluster_whose_making_fails_says_so(workspace, faults):
    faults.add(Fault("failed-operation", method="PUT", path="*/computes/*", times=1))
    with pytest.raises(SlipwayError) as failed:
        workspace.computes.create(Compute("failing"))
    assert failed.value.message


def test_a_name_that_is_not_there_says_what_is(workspace):
    with pytest.raises(DataNotFound, match="nothing"):
        workspace.data.get(DataRef("nothing"))
