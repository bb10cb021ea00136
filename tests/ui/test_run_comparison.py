"""How two runs differ."""

from core.domain.job import JobState
from core.domain.pipeline import StepKind
from core.domain.run import PipelineRun, StepRun, StepState
from core.ui.pipelines.comparison import Difference, differences, results


def run(number: int, score: float, **more: object) -> PipelineRun:
    step = StepRun(
        "automl", StepKind.AUTOML, StepState.SUCCEEDED, 1, parts={"input data": f"{number}" * 64, "code": "same"},
        outputs={"metrics": {"AUC": score}, "trials": 5, "job": "j"},
    )  # fmt: skip
    parameters = {"timeout_s": 10 * number, "target": "y"}
    return PipelineRun(
        f"r-{number}", "One", number, "e", JobState.SUCCEEDED, (step,), 0.0, number=number, parameters=parameters
    )


def test_what_was_given_otherwise_is_told_of_the_run_and_of_each_step():
    assert differences(run(1, 0.9), run(2, 0.8)) == (
        Difference("", "version", 1, 2),
        Difference("", "timeout_s", 10, 20),
        Difference("automl", "input data", "1" * 12, "2" * 12),
    )
    assert differences(run(1, 0.9), run(1, 0.8)) == ()


def test_the_numbers_that_came_out_stand_side_by_side():
    assert results(run(1, 0.9), run(2, 0.8)) == (
        Difference("automl", "AUC", 0.9, 0.8),
        Difference("automl", "trials", 5.0, 5.0),
    )
