"""`python -m core.azure.step`: one step of a pipeline, on a machine of Azure ML, as the pipeline's component calls it.

It reads what the steps before it left, does its kind, and leaves `outputs.json` (and files) in its output's folder.
"""

import argparse
import base64
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.azure.arm import ask
from core.azure.context import Context
from core.azure.pipelines import words
from core.azure.pipelines.documents import API, document, runs
from core.azure.pipelines.doing import KINDS, Doing, Done
from core.azure.workspace import open_azure
from core.definitions.graph import outputs_of
from core.definitions.pipelines import plan
from core.domain.errors import SlipwayError
from core.domain.pipeline import ParameterType, PipelineSpec, PipelineStep
from core.domain.plain import plain
from core.domain.run import StepState
from core.domain.schedule import Overlap
from core.settings import Settings, read_settings

LEFT = "outputs.json"
log = logging.getLogger("core.azure.step")


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 where the step has succeeded, or was skipped."""
    parser = argparse.ArgumentParser(prog="python -m core.azure.step")
    parser.add_argument("--definition", required=True)
    parser.add_argument("--step", required=True)
    parser.add_argument("--parameter", action="append", default=[])
    parser.add_argument("--source", action="append", default=[], type=Path)
    parser.add_argument("--outputs", required=True, type=Path)
    given = parser.parse_args(arguments)
    spec = msgspec.json.decode(base64.urlsafe_b64decode(given.definition), type=PipelineSpec)
    texts = dict(each.partition("=")[::2] for each in given.parameter)
    step = words.as_value(ParameterType.STRING, given.step)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("core").setLevel(logging.INFO)
    try:
        left = perform(spec, step, texts, [read(folder) for folder in given.source], given.outputs, settings_here())
    except SlipwayError as e:
        log.error("%s. %s", e.message, e.hint)
        return 1
    given.outputs.mkdir(parents=True, exist_ok=True)
    (given.outputs / LEFT).write_text(json.dumps(plain(left)), "utf-8")
    return 0


def read(folder: Path) -> Mapping[str, Any]:
    """What a step left."""
    found: Mapping[str, Any] = json.loads((folder / LEFT).read_text("utf-8")) | {"folder": str(folder)}
    return found


def settings_here() -> Settings:
    """The workspace that the job runs in, by the variables that Azure sets; signed in as the cluster's identity."""
    principal = all(os.environ.get(name) for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"))
    home = os.environ.get("SLIPWAY_HOME") or str(Path.cwd() / ".slipway")
    way = os.environ.get("SLIPWAY_AZURE_CREDENTIAL") or ("environment" if principal else "managed-identity")
    return read_settings(os.environ, home=home, workspace="azure", azure_credential=way)


def perform(
    spec: PipelineSpec,
    name: str,
    texts: Mapping[str, str],
    left: Sequence[Mapping[str, Any]],
    outputs: Path,
    settings: Settings,
) -> Mapping[str, Any]:
    """What the step leaves. Raises what its kind raises."""
    step = next(each for each in plan(spec, words.values(spec, texts)) if each.name == name)
    before = {str(each["step"]): each for each in left}
    if why := skipped(step, before):
        log.info("Skipped: %s", why)
        return {"step": name, "state": StepState.SKIPPED.value, "why": why, "outputs": {}}
    inputs = {given: _value(before, source) for given, source in step.inputs.items()}
    if not step.waits_for and (why := overlapping(settings, os.environ.get("AZUREML_ROOT_RUN_ID", ""))):
        log.info("Skipped: %s", why)
        return {"step": name, "state": StepState.SKIPPED.value, "why": why, "outputs": {}}
    experiment = os.environ.get("AZUREML_ARM_PROJECT_NAME") or "pipelines"
    done = KINDS[step.kind](Doing(settings, step, inputs, before, outputs, experiment, open_azure))
    return _left(step, done)


def overlapping(settings: Settings, run_id: str) -> str:
    """Why a scheduled run has nothing to do: the one before it goes on, and the schedule says `overlap: skip`.

    Azure starts a run whenever it is due, so the run itself looks. Only runs that a schedule has started are asked of.
    """
    if not run_id:
        return ""
    context = Context(settings)
    answer = ask(context, f"{context.target.path}/jobs/{run_id}", API)
    tags = document(answer.body).tags if answer.found else {}
    schedule = tags.get(words.SCHEDULE)
    if not schedule or tags.get(words.OVERLAP) != Overlap.SKIP.value:
        return ""
    ours = [run for run in runs(context) if run.tags.get(words.SCHEDULE) == schedule]
    older = ours[next((n for n, run in enumerate(ours) if run.id == run_id), len(ours)) + 1 :]
    before = next((run.id for run in older if not run.state.final), "")
    return f"run {before} of the schedule '{schedule}' goes on" if before else ""


def skipped(step: PipelineStep, before: Mapping[str, Mapping[str, Any]]) -> str:
    """Why a step has nothing to do; empty where it has."""
    for name in step.waits_for:
        if before[name].get("state") == StepState.SKIPPED.value:
            return f"'{name}' was skipped"
    if step.when and not _value(before, step.when):
        return f"{step.when} is false"
    return ""


def _value(before: Mapping[str, Mapping[str, Any]], source: str) -> Any:
    step, _, output = source.partition(".")
    return before[step]["outputs"][output]


def _left(step: PipelineStep, done: Done) -> Mapping[str, Any]:
    declared = outputs_of(step)
    return {
        "step": step.name,
        "state": StepState.SUCCEEDED.value,
        "outputs": {name: value for name, value in done.outputs.items() if name in declared},
        "note": done.note,
        "started_job_id": done.job_id,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
