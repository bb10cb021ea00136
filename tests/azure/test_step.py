"""One step on a machine of Azure ML: what is told to it, what it leaves, and what the next one finds."""

import base64
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import emulating
import pytest
from serving_fakes import write_model
from signatures import bank_signature

from core.azure import step as module
from core.azure.pipelines import words
from core.azure.pipelines.package import OWN, archive, code_folder
from core.definitions.code import pack
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.plain import plain
from core.packaging.mlflow import write_flavor

CODE = """
import pathlib
def measure(rows, factor=1):
    pathlib.Path("report.txt").write_text("measured")
    return {"size": rows * factor, "big": rows > 10, "report": "report.txt"}
def read(report, size):
    return {"said": pathlib.Path(report).read_text() + f" {size}"}
"""
SPEC = PipelineSpec(
    "own",
    (
        PipelineStep(
            "Measure it",
            StepKind.PYTHON,
            settings={"function": "steps:measure", "arguments": {"rows": "${rows}", "factor": 2}},
            outputs={"size": ValueType.INTEGER, "big": ValueType.BOOLEAN, "report": ValueType.FILE},
        ),
        PipelineStep(
            "read",
            StepKind.PYTHON,
            settings={"function": "steps:read"},
            inputs={"report": "Measure it.report", "size": "Measure it.size"},
            outputs={"said": ValueType.STRING},
            when="Measure it.big",
        ),
        PipelineStep("after", StepKind.COMMAND, ("read",), {"command": ["python", "--version"]}),
    ),
    parameters=(Parameter("rows", ParameterType.INTEGER, 5),),
)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Where the job of a step begins: the code's folder."""
    (tmp_path / "steps.py").write_text(CODE)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / OWN).write_bytes(pack(tmp_path / "steps.py"))
    monkeypatch.chdir(tmp_path / "job")
    for name in ("AZUREML_ROOT_RUN_ID",):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "settings_here", lambda: emulating.client_settings(tmp_path))
    return tmp_path


def do(place: Path, name: str, *sources: str, **parameters: str) -> tuple[int, dict]:
    """The exit code of a step, and what it left."""
    definition = base64.urlsafe_b64encode(json.dumps(plain(SPEC)).encode()).decode()
    arguments = ["--definition", definition, "--step", words.as_text(name), "--outputs", str(place / name)]
    arguments += [each for given, text in parameters.items() for each in ("--parameter", f"{given}={text}")]
    arguments += [each for source in sources for each in ("--source", str(place / source))]
    code = module.main(arguments)
    left = place / name / "outputs.json"
    return code, json.loads(left.read_text()) if left.exists() else {}


def test_a_step_leaves_its_outputs_and_the_next_one_finds_them(place):
    code, left = do(place, "Measure it", rows="11")
    assert (code, left["outputs"]) == (0, {"size": 22, "big": True, "report": "report"})
    assert (place / "Measure it" / "files" / "report").read_text() == "measured"
    assert do(place, "read", "Measure it", rows="11")[1]["outputs"] == {"said": "measured 22"}
    assert do(place, "after", "read", rows="11")[1]["state"] == "succeeded"


def test_a_step_whose_condition_is_false_is_skipped_with_all_that_wait_for_it(place):
    assert do(place, "Measure it")[1]["outputs"]["big"] is False
    code, left = do(place, "read", "Measure it")
    assert (code, left["state"], left["why"]) == (0, "skipped", "Measure it.big is false")
    assert do(place, "after", "read")[1]["why"] == "'read' was skipped"


def test_a_step_that_fails_leaves_nothing_and_says_why(place, caplog):
    (place / "steps.py").write_text("def measure(rows, factor): raise ValueError('no rows')")
    (place / "job" / OWN).write_bytes(pack(place / "steps.py"))
    code, left = do(place, "Measure it")
    assert (code, left) == (1, {})
    assert "exit code 1" in caplog.text


def test_the_code_of_a_step_is_the_same_bytes_each_time(tmp_path):
    assert archive() == archive.__wrapped__()
    folder = code_folder(tmp_path)
    assert folder == code_folder(tmp_path)
    assert folder != code_folder(tmp_path, b"own")
    assert (code_folder(tmp_path, b"own") / OWN).read_bytes() == b"own"


def test_the_archive_holds_all_that_a_step_needs_also_the_scoring_server(tmp_path):
    """A step that deploys tries the model in the local server before it is sent."""
    zipfile.ZipFile(code_folder(tmp_path) / "slipway.zip").extractall(tmp_path / "slipway")
    write_flavor(write_model(tmp_path / "model", bank_signature()), bank_signature(), job_id="a-job", created_at=1.0)
    tried = "import sys; from pathlib import Path; from core.azure import step, dry_run;"
    tried += f"print(repr(dry_run.dry_run(Path({str(tmp_path / 'model')!r}), 20)))"
    ran = subprocess.run(
        [sys.executable, "-c", tried],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "slipway"), "PATH": "/usr/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout.strip()) == (0, "''"), ran.stderr
