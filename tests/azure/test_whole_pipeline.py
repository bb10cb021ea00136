"""From a table to all traffic by one pipeline on Azure ML: each step is a job that runs Slipway with the real SDK."""

import random

import emulating
import living
import pytest
from waiting import wait_until

from core.azure.workspace import open_azure
from core.domain.job import JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.emulator.emulation import Options

STEPS = (
    PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people:1", "target": "y"}),
    PipelineStep("check", StepKind.GUARDRAILS, ("prepare",), {"target": "y"}),
    PipelineStep("train", StepKind.AUTOML, ("check",), {"target": "y", "timeout_s": 900, "max_trials": 2}),
    PipelineStep("register", StepKind.REGISTER, ("train",), {"model": "people"}),
    PipelineStep("deploy", StepKind.DEPLOY, ("register",), {"endpoint": "people-live"}),
    PipelineStep("gate", StepKind.GATE, ("deploy",)),
    PipelineStep("promote", StepKind.PROMOTE, ("gate",)),
)
pytestmark = pytest.mark.full


def test_a_pipeline_trains_deploys_proves_and_promotes(tmp_path):
    chosen = random.Random(1)
    rows = [f"{chosen.randint(18, 80)},{chosen.choice('abc')},{chosen.choice(['yes', 'no'])}" for _ in range(400)]
    (tmp_path / "people.csv").write_text("\n".join(["age,job,y", *rows]))
    home = tmp_path / "emulated"
    with emulating.emulation(home, Options(allow_code=True, scale=120)) as running:
        running.emulation.workspace.service.start()
        try:
            workspace = open_azure(emulating.client_settings(tmp_path / "client"))
            workspace.data.register("people", str(tmp_path / "people.csv"))
            workspace.pipelines.publish(PipelineSpec("whole", STEPS))
            run = workspace.pipelines.trigger("whole", "nightly")
            ended = wait_until(
                lambda: (now := workspace.pipelines.get_run(run.id)).state.final and now, timeout_s=400, every_s=2
            )
            assert (ended.state, ended.message) == (JobState.SUCCEEDED, "")
            assert ended.steps[-1].outputs["traffic"] == {"d-v1": 100}
            assert workspace.endpoints.get("people-live").traffic == {"d-v1": 100}
        finally:
            living.close(home)
