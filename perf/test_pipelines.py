"""The measurement of many runs measures: a small one runs through, and what it promises holds."""

import pytest

from perf import pipelines


def test_a_small_measurement_runs_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert pipelines.main(["--runs", "40", "--steps", "12", "--triggers", "12", "--waiting", "12"]) == 0
    said = capsys.readouterr().out
    assert "40 past runs, 12 steps in one" in said
    assert "12 triggers at once: {200: 12} by status" in said
