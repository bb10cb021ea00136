"""Runs of pipelines in every state, for the pages: one with all kinds of steps, one with 200 steps, many past ones."""

from dataclasses import replace

from fakes import FakeWorkspace

from core.domain.job import JobState, LogLine
from core.domain.pipeline import Parameter, ParameterType, PipelineEndpoint, PipelineSpec, PipelineStep, StepKind
from core.domain.pipeline import ValueType as Type
from core.domain.run import PipelineRun, RunOrigin, StepRun, StepState

TABLE = "bankmarketing-train:1"
SPEC = PipelineSpec(
    "Nightly scores",
    (
        PipelineStep("prepare", StepKind.PREPARE, settings={"data": "${data}"}),
        PipelineStep(
            "score", StepKind.COMMAND, inputs={"table": "prepare.data"}, settings={"command": ["score"]}, retries=2,
            outputs={"report": Type.FILE, "rows": Type.INTEGER, "enough": Type.BOOLEAN},
        ),
        PipelineStep("check", StepKind.GUARDRAILS, settings={"target": "y"}),
        PipelineStep("send", StepKind.PYTHON, inputs={"rows": "score.rows"}, settings={"function": "mail:send"}),
        PipelineStep("archive", StepKind.PYTHON, needs=("send",), settings={"function": "mail:archive"}),
        PipelineStep("publish", StepKind.PYTHON, when="score.enough", settings={"function": "mail:publish"}),
    ),
    "Score the newest customers every night.",
    (
        Parameter("data", ParameterType.DATA, description="The table to score."),
        Parameter("limit", ParameterType.INTEGER, 100, "Rows at most.", 1, 1000),
        Parameter("urgent", ParameterType.BOOLEAN, False),
    ),
)  # fmt: skip


def publish(fake: FakeWorkspace, now: float, spec: PipelineSpec = SPEC) -> PipelineEndpoint:
    """Put a pipeline beside the others."""
    uri = f"http://127.0.0.1:8700/pipelines/{len(fake.published) + 1}"
    made = PipelineEndpoint(f"p-{len(fake.published) + 1}", spec.name, 1, spec, uri, True, now - 900, "1")
    fake.published.append(made)
    return made


def failed(fake: FakeWorkspace, now: float) -> PipelineRun:
    """A run with a step in every state but running: one failed after three attempts."""
    publish(fake, now)
    steps = (
        StepRun(
            "prepare", StepKind.PREPARE, StepState.SUCCEEDED, 1, reused_from="r-0", outputs={"data": TABLE},
            why="reused: same inputs as run 4", started_at=now - 60, ended_at=now - 59,
        ),
        StepRun(
            "score", StepKind.COMMAND, StepState.SUCCEEDED, 2, "j-1", started_at=now - 59, ended_at=now - 30,
            outputs={"report": "j-1/report.csv", "rows": 12, "enough": False}, note="12 rows were scored",
        ),
        StepRun("check", StepKind.GUARDRAILS, StepState.CANCELED, 1, started_at=now - 59, ended_at=now - 20),
        StepRun(
            "send", StepKind.PYTHON, StepState.FAILED, 3, "j-2", started_at=now - 30, ended_at=now - 21,
            message="The mail server did not answer", hint="Look at its address", why="ran: parameter limit changed",
        ),
        StepRun("archive", StepKind.PYTHON, StepState.SKIPPED, why="skipped: step send failed"),
        StepRun("publish", StepKind.PYTHON, StepState.SKIPPED, why="skipped: score.enough is false"),
    )  # fmt: skip
    run = PipelineRun(
        "r-failed", SPEC.name, 1, "nightly", JobState.FAILED, steps, now - 61, now - 20, "Step 'send' failed", 5,
        RunOrigin.SCHEDULE, "every-night", parameters={"data": TABLE, "limit": 50, "urgent": False}, spec=SPEC,
        started_at=now - 60,
    )  # fmt: skip
    fake.runs.insert(0, run)
    fake.logs[f"{run.id}/send"] = [LogLine(now - 30, "out", "connecting"), LogLine(now - 21, "err", "no answer")]
    return run


def waiting_to_retry(fake: FakeWorkspace, now: float) -> PipelineRun:
    """A run whose step has failed and is tried again in a while."""
    run = failed(fake, now)
    again = replace(run.steps[3], state=StepState.QUEUED, ended_at=None, retry_at=now + 40)
    later = tuple(StepRun(step.name, step.kind) for step in run.steps[4:])
    return fake.move(run.id, state=JobState.RUNNING, steps=(*run.steps[:3], again, *later), ended_at=None, message="")


def wide(fake: FakeWorkspace, now: float, steps: int = 200) -> PipelineRun:
    """A run of many steps: some done, some going on, most waiting."""
    defined = tuple(
        PipelineStep(
            f"part-{n}", StepKind.PYTHON, needs=(f"part-{n - 1 - n % 7}", f"part-{max(0, n - 9)}") if n > 8 else (),
            settings={"function": "m:f"},
        )
        for n in range(steps)
    )  # fmt: skip
    spec = PipelineSpec("Many parts", defined)
    publish(fake, now, spec)
    going = tuple(
        StepRun(s.name, s.kind, StepState.SUCCEEDED, 1, started_at=now - 90, ended_at=now - 88)
        if n < steps // 3
        else StepRun(s.name, s.kind, StepState.RUNNING, 1, started_at=now - 12)
        if n < steps // 3 + 4
        else StepRun(s.name, s.kind)
        for n, s in enumerate(defined)
    )
    run = PipelineRun(
        "r-wide", spec.name, 1, "wide", JobState.RUNNING, going, now - 95, number=1, spec=spec, started_at=now - 91
    )
    fake.runs.insert(0, run)
    return run


def many(fake: FakeWorkspace, now: float, runs: int) -> None:
    """Past runs of the first pipeline, the newest first."""
    like = next(run for run in fake.runs if run.state is JobState.SUCCEEDED)
    fake.runs = [
        replace(like, id=f"past-{n}", number=n, created_at=now - 100 * (runs - n), experiment_name=f"week-{n % 4}")
        for n in range(runs, 0, -1)
    ]
