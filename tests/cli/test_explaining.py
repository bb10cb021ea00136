"""The commands that explain a trial or a model: what they print for people and for programs."""

import io
import json
from dataclasses import replace

import pytest
from quickstart_fakes import SIGNATURE, LifecycleFake

from core.cli.command import Context
from core.cli.main import main
from core.domain.errors import SpecInvalid
from core.domain.explanation import (
    ColumnImportance,
    Curve,
    Explanation,
    Fairness,
    Group,
    Importance,
    Method,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    Scale,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.training import Algorithm, Comparison, Trial, TrialState
from core.workspace.jobs import Jobs

TABLE = ThresholdTable("yes", tuple(at / 1000 for at in range(1001)), *[tuple(range(1001))] * 4)
FOUND = Explanation(-2.0, {"age": 0.5, "job": -1.5}, -3.0, Scale.LOG_ODDS, Method.TREE_SHAP, "yes", (0.95, 0.05))
ROW = {"age": 30, "job": "admin"}


class ExplainedJobs(Jobs):
    """Answers with what was put in, and notes the rows and classes that it is asked for."""

    def __init__(self):
        self.asked = []

    def signature(self, job_id):
        return SIGNATURE

    def winner(self, job_id):
        return Winner(3, "Trial 3 won.", "AUC_weighted", (1,), (2,))

    def curves(self, job_id, number):
        return TrialCurves(10, ("no", "yes"), (Curve("roc", (0.0, 1.0), (0.0, 1.0), "yes", 0.9),), ((5, 1), (2, 2)))

    def thresholds(self, job_id, number, class_name=None):
        self.asked.append(class_name)
        return TABLE

    def fold_metrics(self, job_id, number):
        return (MetricSpread("accuracy", 0.9, (0.8, 1.0)),)

    def importance(self, job_id, number):
        return Importance("AUC_weighted", 100, (ColumnImportance("age", 0.2, 0.01, 0.5),), Scale.LOG_ODDS, "yes")

    def partial_dependence(self, job_id, number, column, class_name=None):
        return PartialDependence(column, (20, 60), (0.1, 0.4), (0.0, 0.2), (0.2, 0.6), 100, "yes")

    def fairness(self, job_id, number, column, threshold=None, class_name=None):
        self.asked.append(threshold)
        return Fairness(column, "yes", 0.5, (Group("f", 10, 0.2, 0.3, 1.0, 0.1, 0.6, 0.9),))

    def explain(self, job_id, number, row, class_name=None):
        self.asked.append((row, class_name))
        return FOUND

    def compare(self, picks):
        trials = tuple(Trial(number, Algorithm.LIGHTGBM, TrialState.SUCCEEDED) for _, number in picks)
        return Comparison(("accuracy",), trials, tuple((0.9,) for _ in picks))

    def compare_pair(self, first, second, metric=""):
        if first[0] != second[0]:
            raise SpecInvalid("These trials are judged on different rows")
        return PairedDifference("accuracy", 0.9, 0.91, -0.01, -0.02, -0.005, 0.001, "McNemar, exact")


@pytest.fixture
def jobs():
    return ExplainedJobs()


@pytest.fixture
def cli(jobs, capsys):
    def run(line: str) -> tuple[int, str]:
        def context(settings):
            made = Context(settings, {})
            made.__dict__["workspace"] = replace(LifecycleFake(settings).workspace, jobs=jobs)
            return made

        return main(line.split(), context), capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("job winner j", "Trial 3 won."),
        ("job curves j 1", "roc"),
        ("job curves j 1", "true class down, predicted class across"),
        ("job thresholds j 1", "true_positives"),
        ("job thresholds j 1", "from a probability of 0.5 up"),
        ("job fold-metrics j 1", "deviation"),
        ("job importance j 1", "permutation"),
        ("job partial-dependence j 1 age", "average"),
        ("job fairness j 1 sex", "true_positive_rate"),
    ],
)
def test_people_get_a_table_and_programs_all_there_is(cli, line, said):
    code, out = cli(line)
    assert code == 0
    assert said in out
    code, out = cli(f"{line} --json")
    assert code == 0
    assert json.loads(out)


def test_people_see_some_thresholds_and_programs_all(cli):
    assert len(cli("job thresholds j 1")[1].splitlines()) == 2 + 1 + 21
    assert len(json.loads(cli("job thresholds j 1 --json")[1])["thresholds"]) == 1001


def test_a_class_is_named_as_text_and_meant_as_it_is_in_the_table(cli, jobs):
    known = SIGNATURE.classes[-1]
    cli(f"job thresholds j 1 --class {known}")
    cli("job thresholds j 1 --class maybe")
    assert jobs.asked == [known, "maybe"], "what is no class is refused by the workspace, with those that are"


def test_a_threshold_may_be_chosen_for_groups(cli, jobs):
    cli("job fairness j 1 sex --threshold 0.3")
    cli("job fairness j 1 sex")
    assert jobs.asked == [0.3, None]


def test_a_row_is_explained_column_by_column_with_the_whole_below(cli, jobs, tmp_path, monkeypatch):
    file = tmp_path / "row.json"
    file.write_text(json.dumps(ROW))
    code, out = cli(f"job explain j 1 --row {file}")
    assert code == 0
    head, average, job, age, whole = out.splitlines()
    assert head.split() == ["column", "contribution"]
    assert average.endswith("-2")
    assert (job.split(), age.split()) == (["job", "-1.5"], ["age", "0.5"]), "the largest first"
    assert whole == "(together: log odds of yes)  -3"
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(ROW)))
    code, out = cli("job explain j 1 --row - --json")
    assert json.loads(out)["contributions"] == {"age": 0.5, "job": -1.5}
    assert jobs.asked == [(ROW, None)] * 2


@pytest.mark.parametrize("content", ["no JSON", "[1, 2]"])
def test_what_is_no_row_is_wrong_use(cli, tmp_path, content):
    file = tmp_path / "row.json"
    file.write_text(content)
    code, out = cli(f"job explain j 1 --row {file} --json")
    assert code == 2
    assert "JSON object" in json.loads(out)["error"]["message"]


def test_compared_trials_are_better_or_worse_than_the_first_only_beyond_luck(cli):
    first, second, elsewhere = json.loads(cli("job compare j:1 j:2 k:3 --json")[1])
    assert first["against_first"] is None
    assert (second["against_first"], second["gain"], second["gain_low"]) == ("worse", -0.01, -0.02)
    assert elsewhere["against_first"] is None, "other rows judge it"
    told = cli("job compare j:1 j:2 k:3")[1].splitlines()
    assert "is worse than the first" in told[-2]
    assert told[-1].endswith("cannot be compared with the first row by row, so nobody can say which is better")
