"""The same command on other people's tables, with only --data and --target changed: one of them every third day.

On the days between other whole lifecycles or gates are tried (test_odd_tables.py, and that of tests/gate).
"""

import pytest
from turns import other_day


@pytest.mark.parametrize(
    ("name", "target", "timeout_s", "classes", "auc_min"),
    [
        pytest.param("german_credit", "credit_risk", 8, {"good", "bad"}, 0.70, marks=other_day(2, 3)),
        pytest.param("adult", "income", 20, {"<=50K", ">50K"}, 0.90, marks=pytest.mark.full),
        pytest.param("telco_churn", "churn", 20, {"Yes", "No"}, 0.80, marks=pytest.mark.full),
        pytest.param("online_shoppers", "revenue", 20, {True, False}, 0.90, marks=pytest.mark.full),
    ],
)
def test_the_quickstart_runs_on(run_quickstart, shared, name, target, timeout_s, classes, auc_min):
    report = run_quickstart("--data", name, "--target", target, "--timeout", str(timeout_s))
    assert report["job"]["best"]["metrics"]["AUC_weighted"] >= auc_min
    assert report["gate"]["passed"] is True, [c for c in report["gate"]["checks"] if c["passed"] is False]
    assert set(report["score"]["body"]["result"]) <= classes
    assert len(report["score"]["body"]["result"]) == 2
