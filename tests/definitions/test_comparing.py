"""Two runs side by side: what differs, and what a reader wants beside it."""

from dataclasses import replace

from core.definitions.comparing import Aspect, RunDifference, compare_runs
from core.domain.job import JobState
from core.domain.pipeline import StepKind
from core.domain.run import PipelineRun, StepRun, StepState

TRAINED = StepRun(
    "train",
    StepKind.AUTOML,
    StepState.SUCCEEDED,
    started_at=10.0,
    ended_at=70.5,
    parts={"code": "a", "parameter target": "y"},
    outputs={"job": "j1", "score": 0.9, "metrics": {"AUC": 0.9, "log_loss": 0.2}, "alerts": [1, 2], "better": True},
)
SCORED = StepRun(
    "score",
    StepKind.COMMAND,
    StepState.SUCCEEDED,
    reused_from="r0",
    outputs={"file": "job-1/f"},
    files={"file": "same"},
)
FIRST = PipelineRun(
    "r1", "p", 1, "x", JobState.SUCCEEDED, (TRAINED, SCORED), 0.0, 80.0, number=1, parameters={"a": 1, "b": [2]}
)


def of(rows: tuple[RunDifference, ...], aspect: Aspect) -> dict[tuple[str, str], tuple[object, object]]:
    return {(row.step, row.name): (row.first, row.second) for row in rows if row.aspect is aspect}


def test_a_run_beside_itself_differs_in_nothing() -> None:
    rows = compare_runs(FIRST, FIRST)
    assert not any(row.differs for row in rows)
    assert of(rows, Aspect.METRIC) == {
        ("train", "score"): (0.9, 0.9), ("train", "AUC"): (0.9, 0.9), ("train", "log_loss"): (0.2, 0.2),
    }  # fmt: skip


def test_what_differs_is_told_by_aspect_and_step() -> None:
    train = replace(
        TRAINED,
        state=StepState.FAILED,
        ended_at=20.0,
        parts={"code": "b", "parameter target": "y"},
        outputs={"job": "j2", "score": 0.8, "metrics": {"AUC": 0.8, "recall": 0.5}, "alerts": [1], "better": True},
    )
    score = replace(SCORED, reused_from="", outputs={"file": "job-2/f"})
    other = replace(FIRST, id="r2", version=2, number=2, steps=(train, score), parameters={"a": 1, "c": 3})
    rows = compare_runs(FIRST, other)
    assert of(rows, Aspect.PARAMETER) == {("", "b"): ([2], None), ("", "c"): (None, 3)}
    assert of(rows, Aspect.RUN)["", "version"] == (1, 2)
    assert of(rows, Aspect.PART) == {("train", "code"): ("a", "b")}
    assert of(rows, Aspect.STATE)["train", "state"] == ("succeeded", "failed")
    assert of(rows, Aspect.DURATION)["train", "duration"] == (60.5, 10.0)
    assert of(rows, Aspect.REUSE)["score", "reused"] == (True, False)
    assert of(rows, Aspect.METRIC)["train", "recall"] == (None, 0.5)
    assert of(rows, Aspect.OUTPUT) == {("train", "job"): ("j1", "j2"), ("train", "alerts"): ([1, 2], [1])}


def test_a_step_that_one_run_does_not_have_is_told() -> None:
    rows = compare_runs(FIRST, replace(FIRST, steps=(TRAINED,)))
    assert of(rows, Aspect.STATE)["score", "state"] == ("succeeded", None)
    assert of(rows, Aspect.OUTPUT) == {("score", "file"): ("same", None)}
