"""What would fail on Azure after twenty minutes is said here at once."""

import pytest
import yaml
from serving_fakes import write_model
from signatures import bank_signature

from core.azure.preflight import check, preflight, requirements
from core.domain.errors import SpecInvalid
from core.domain.monitoring import FindingState
from core.packaging.mlflow import write_flavor

SMALL = bank_signature()
FOREIGN = {
    "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {}},
    "mlflow_version": "2.22.0",
    "signature": {"inputs": "[]"},
}
CONDA = {
    "dependencies": [
        "python=3.11",
        {"pip": ["mlflow==2.22.0", "azureml-ai-monitoring", "azureml-inference-server-http==1.4.1"]},
    ]
}


@pytest.fixture
def ours(tmp_path):
    """A folder as Slipway writes it."""
    folder = write_model(tmp_path / "model", SMALL)
    write_flavor(folder, SMALL, job_id="a-job", created_at=1.0)
    return folder


@pytest.fixture
def foreign(tmp_path):
    """A folder as MLflow writes it."""
    write(tmp_path, FOREIGN, CONDA)
    return tmp_path


def write(folder, model, conda):
    (folder / "MLmodel").write_text(yaml.safe_dump(model))
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda))


def failed(folder):
    found = preflight(folder, dry=False)
    return [finding for finding in found if finding.state is FindingState.FAILED]


def test_a_folder_of_slipway_starts_in_the_local_server_and_scores(ours):
    found = {finding.name: finding for finding in check(ours)}
    assert found["Dry run"].detail == "The local server starts with it and scores two rows"
    assert found["MLflow"].state is FindingState.OK


def test_a_folder_that_the_local_server_cannot_load_is_refused_with_the_cause(ours):
    (ours / "arrays.npz").write_bytes(b"no arrays")
    with pytest.raises(SpecInvalid, match="would not deploy on Azure ML: The local server does not load it"):
        check(ours)


def test_a_sound_folder_of_mlflow_2_has_nothing_against_it(foreign):
    assert [f for f in preflight(foreign) if f.state is not FindingState.OK] == []


@pytest.mark.parametrize(
    ("model", "conda"),
    [
        ({"mlflow_version": "3.1.0", "model_id": "m-1"}, {}),
        ({}, {"dependencies": [{"pip": ["mlflow==3.7.0"]}]}),
        ({}, {"dependencies": [{"pip": ["mlflow-skinny[extra] == 3.0"]}]}),
    ],
    ids=["written by it", "installs it", "installs the small one"],
)
def test_mlflow_3_is_found_before_the_liveness_probe_finds_it(foreign, model, conda):
    write(foreign, FOREIGN | model, CONDA | conda)
    (found,) = failed(foreign)
    assert "502" in found.detail
    assert "mlflow<3" in found.hint


def test_packages_that_azures_server_imports_are_asked_for(foreign):
    write(foreign, FOREIGN, {"dependencies": [{"pip": ["scikit-learn", "azureml-mlflow==1.60.0"]}]})
    said = [f"{finding.detail} {finding.hint}" for finding in preflight(foreign)]
    assert any("azureml-ai-monitoring" in one for one in said)
    assert any("mlflow-skinny up to a fixed version" in one for one in said)
    assert any("scikit-learn without a version" in one for one in said)


def test_pickles_are_named(foreign):
    (foreign / "model.pkl").write_bytes(b"")
    assert any("model.pkl" in finding.detail for finding in preflight(foreign))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "no MLmodel"),
        ("a: [", "cannot be read"),
        ("just text", "names no flavors"),
        ("flavors: {xgboost: {}}", "no python_function"),
    ],
)
def test_a_folder_that_is_no_model_says_why(foreign, written, said):
    (foreign / "MLmodel").unlink()
    if written is not None:
        (foreign / "MLmodel").write_text(written)
    assert said in failed(foreign)[0].detail


def test_requirements_are_read_where_the_conda_file_points(tmp_path):
    (tmp_path / "conda.yaml").write_text("dependencies: [python=3.11, {pip: [-r requirements.txt]}]")
    (tmp_path / "requirements.txt").write_text("# pinned\nnumpy==2.1.0 ; python_version>'3'\nAzureML_AI_Monitoring\n")
    assert requirements(tmp_path) == {"numpy": "2.1.0", "azureml-ai-monitoring": ""}
