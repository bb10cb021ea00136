"""What explains the trials of a local workspace: against the metrics that the trials themselves have left."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import backends
import numpy as np
import pytest

from core.domain.data import DataRef
from core.domain.errors import Conflict, JobNotFound, ModelNotFound, PayloadInvalid, SpecInvalid
from core.domain.explanation import CurveName, Scale
from core.domain.job import Job, JobState
from core.domain.training import Algorithm, Cost, Task, TrainingSpec, Trial, TrialState
from core.local.context import Context
from core.local.paths import Paths
from core.local.store import Store
from core.local.trial_files import TrialFiles
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.ml.data.folds import folds_of
from core.ml.executor import InProcessExecutor
from core.ml.explain.judged import folds_again
from core.ml.trial import train
from core.predict.folder import load_model
from core.workspace import Workspace

NOT_USED = "note"
NOTE = {NOT_USED: "a"}


@dataclass(frozen=True)
class Trained:
    """A workspace with one training of a few trials that succeeded."""

    workspace: Workspace
    store: Store
    paths: Paths
    job: Job

    @property
    def trials(self) -> tuple[Trial, ...]:
        return self.workspace.jobs.trials(self.job.id)

    @property
    def best(self) -> Trial:
        return max(self.trials, key=lambda trial: trial.metrics["AUC_weighted"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    home = tmp_path_factory.mktemp("explaining")
    workspace = backends.MAKE["local"](home / "home")
    rng = np.random.default_rng(3)
    lines = ["age,colour,luck,day,note,bought"]
    for place, (age, red) in enumerate(zip(rng.integers(20, 70, 400), rng.random(400) < 0.5, strict=True)):
        bought = rng.random() < (0.1 + 0.7 * red) * (age / 70)
        day = f"2024-{1 + place % 12:02}-{1 + place % 28:02}"
        lines.append(
            f"{age},{'red' if red else 'blue'},{rng.random():.3f},{day},{'ab'[place % 2]},{'yes' if bought else 'no'}"
        )
    (home / "people.csv").write_text("\n".join(lines) + "\n")
    data = workspace.data.register("people", str(home / "people.csv"))
    algorithms = (Algorithm.LOGISTIC_REGRESSION, Algorithm.LIGHTGBM)
    spec = TrainingSpec(
        data.ref,
        "bought",
        max_trials=3,
        allowed_training_algorithms=algorithms,
        n_cross_validations=2,
        exclude=(NOT_USED,),
    )
    store = Store(Paths(workspace.settings.home).store)
    yield done(workspace, store, spec)
    store.close()


def done(workspace: Workspace, store: Store, spec: TrainingSpec) -> Trained:
    """The job that a spec asks for, done."""
    job_id = workspace.jobs.submit(spec).id
    store.jobs.start_attempt(job_id, 1.0)
    assert run_job(job_id, workspace, tools=Tools(executors=lambda *_: InProcessExecutor(train))) == 0
    return Trained(workspace, store, Paths(workspace.settings.home), workspace.jobs.get(job_id))


def test_the_charts_of_every_trial_agree_with_its_metrics(trained):
    jobs = trained.workspace.jobs
    for trial in trained.trials:
        charts = jobs.curves(trained.job.id, trial.number)
        assert charts.of(CurveName.ROC).area == pytest.approx(trial.metrics["AUC_weighted"])
        right = sum(charts.confusion[place][place] for place in range(2))
        assert right / charts.rows == pytest.approx(trial.metrics["accuracy"])
        assert charts.rows == 400


def test_the_threshold_table_agrees_with_the_metrics_at_one_half(trained):
    table = trained.workspace.jobs.thresholds(trained.job.id, trained.best.number)
    assert (table.class_name, table.threshold) == ("yes", 0.5)
    assert table.rates(table.place(0.5))["accuracy"] == pytest.approx(trained.best.metrics["accuracy"], abs=0.006)
    other = trained.workspace.jobs.thresholds(trained.job.id, trained.best.number, "no")
    assert other.class_name == "no"
    assert sum(other.counts(0)) == sum(table.counts(0)) == 400


def test_the_winner_is_shown_with_the_threshold_that_stands_in_its_model(trained):
    spec = replace(trained.job.spec, cost_matrix=(Cost("yes", "no", 4),))
    found = done(trained.workspace, trained.store, spec)
    model = trained.workspace.models.register("costly", found.job.id)

    shown = trained.workspace.jobs.thresholds(found.job.id, model.trial)

    assert shown.threshold == model.signature.threshold == found.job.result.threshold
    assert shown.threshold < 0.5


def test_every_metric_has_its_folds(trained):
    for trial in trained.trials:
        found = {m.name: m for m in trained.workspace.jobs.fold_metrics(trained.job.id, trial.number)}
        assert {name: metric.value for name, metric in found.items()} == pytest.approx(dict(trial.metrics))
        assert len(found) == 21
        assert len(found["AUC_weighted"].by_fold) == 2
        if trial.fold_scores:
            assert found["AUC_weighted"].by_fold == pytest.approx(trial.fold_scores)
        assert found["log_loss"].deviation == pytest.approx(np.std(found["log_loss"].by_fold, ddof=1))


def test_groups_may_be_of_any_column_of_the_table(trained):
    jobs = trained.workspace.jobs
    colours = jobs.fairness(trained.job.id, trained.best.number, "colour")
    assert {group.name for group in colours.groups} == {"red", "blue"}
    rates = {group.name: group.positive_rate for group in colours.groups}
    assert rates["red"] > rates["blue"]
    assert sum(group.rows for group in jobs.fairness(trained.job.id, trained.best.number, NOT_USED).groups) == 400
    strict = jobs.fairness(trained.job.id, trained.best.number, "colour", 1.0)
    assert all(group.predicted_rate == 0 for group in strict.groups)
    with pytest.raises(SpecInvalid, match="nothing"):
        jobs.fairness(trained.job.id, trained.best.number, "nothing")


def test_a_trial_is_better_than_another_only_beyond_luck(trained):
    jobs, numbers = trained.workspace.jobs, [trial.number for trial in trained.trials]
    one, other = (trained.job.id, trained.best.number), (trained.job.id, min(set(numbers) - {trained.best.number}))
    found, turned = jobs.compare_pair(one, other), jobs.compare_pair(other, one)
    assert found.metric == "AUC_weighted"
    assert found.gain == pytest.approx(found.first - found.second) == pytest.approx(-turned.gain)
    assert found.low <= found.gain <= found.high
    assert found.verdict == -turned.verdict
    same = jobs.compare_pair(one, one)
    assert (same.gain, same.verdict) == (0, 0)
    assert jobs.compare_pair(one, other, "log_loss").metric == "log_loss"
    with pytest.raises(SpecInvalid, match="r2_score"):
        jobs.compare_pair(one, other, "r2_score")


def test_one_sentence_says_why_the_winner_won(trained):
    found = trained.workspace.jobs.winner(trained.job.id)
    assert found.trial == trained.best.number
    assert found.sentence.startswith(f"Trial {found.trial} (")
    assert "AUC" in found.sentence
    assert {found.trial, *found.beaten, *found.level} == {trial.number for trial in trained.trials}


def test_what_was_computed_is_kept_as_figures_alone_and_not_computed_again(trained, monkeypatch):
    number = trained.best.number
    first = trained.workspace.jobs.curves(trained.job.id, number)
    kept = trained.paths.trials(trained.job.id) / str(number) / "explained"
    assert all(file.stat().st_size < 60_000 for file in kept.iterdir())
    monkeypatch.setattr("core.ml.explain.curves.curves_of", None)
    assert trained.workspace.jobs.curves(trained.job.id, number) == first
    other = backends.MAKE["local"](trained.workspace.settings.home)
    assert other.jobs.curves(trained.job.id, number) == first


def test_figures_that_are_damaged_are_computed_again(trained):
    number = trained.best.number
    first = trained.workspace.jobs.curves(trained.job.id, number)
    for file in (trained.paths.trials(trained.job.id) / str(number) / "explained").glob("curves*"):
        file.write_text("{")
    assert trained.workspace.jobs.curves(trained.job.id, number) == first


def test_what_cannot_be_explained_says_why(trained):
    jobs = trained.workspace.jobs
    with pytest.raises(JobNotFound, match="99"):
        jobs.curves(trained.job.id, 99)
    with pytest.raises(SpecInvalid, match="maybe"):
        jobs.thresholds(trained.job.id, trained.best.number, "maybe")
    job_id = f"{trained.job.id}-failed"
    trained.store.jobs.add(replace(trained.job, id=job_id, state=JobState.RUNNING, result=None))
    trained.store.trials.put(job_id, Trial(0, Algorithm.LIGHTGBM, TrialState.FAILED, error="out of memory"))
    with pytest.raises(Conflict, match="out of memory"):
        jobs.curves(job_id, 0)
    with pytest.raises(Conflict, match="No trial"):
        jobs.winner(job_id)


def test_what_matters_is_important_and_luck_is_not(trained):
    for trial in trained.trials:
        found = trained.workspace.jobs.importance(trained.job.id, trial.number)
        drops = {column.column: column.permutation for column in found.columns}
        assert set(drops) == {"age", "colour", "luck", "day"}
        assert found.columns[0].column == "colour"
        assert drops["luck"] < drops["colour"] / 3
        assert all(column.shap is not None for column in found.columns)
        assert found.class_name == "yes"


def test_the_answer_moves_with_a_column_as_the_table_does(trained):
    jobs = trained.workspace.jobs
    colours = jobs.partial_dependence(trained.job.id, trained.best.number, "colour")
    average = dict(zip(colours.values, colours.averages, strict=True))
    assert average["red"] > average["blue"] + 0.1
    ages = jobs.partial_dependence(trained.job.id, trained.best.number, "age", "no")
    assert ages.averages[0] > ages.averages[-1]
    assert all(isinstance(value, int) for value in ages.values)
    days = jobs.partial_dependence(trained.job.id, trained.best.number, "day")
    assert list(days.values) == sorted(days.values)
    assert str(days.values[0]).startswith("2024-")
    with pytest.raises(SpecInvalid, match=NOT_USED):
        jobs.partial_dependence(trained.job.id, trained.best.number, NOT_USED)


ROW = {"age": 60, "colour": "red", "luck": 0.5, "day": "2024-05-05"}


def test_one_row_is_explained_by_any_trial_and_what_if(trained):
    jobs = trained.workspace.jobs
    for trial in trained.trials:
        found = jobs.explain(trained.job.id, trial.number, ROW)
        assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)
        assert set(found.contributions) == set(ROW)
        assert found.contributions["colour"] > 0
        assert not found.estimated
        assert found.class_name == "yes"
        other = jobs.explain(trained.job.id, trial.number, ROW | {"colour": "blue"})
        assert other.contributions["colour"] < 0
        assert other.base == pytest.approx(found.base, abs=1e-5)
        against = jobs.explain(trained.job.id, trial.number, ROW, "no")
        assert against.contributions["colour"] == pytest.approx(-found.contributions["colour"], abs=1e-9)
    with pytest.raises(PayloadInvalid, match="age"):
        jobs.explain(trained.job.id, trained.best.number, ROW | {"age": "old"})
    with pytest.raises(SpecInvalid, match="maybe"):
        jobs.explain(trained.job.id, trained.best.number, ROW, "maybe")


def test_a_registered_model_explains_what_it_answers(trained, tmp_path):
    models = trained.workspace.models
    model = models.register("explained", trained.job.id)
    folder = models.package("explained", 0, tmp_path / "folder")
    answers = load_model(folder)
    said = answers.probabilities([[value] for value in ROW.values()])[0]
    found = models.explain("explained", 0, ROW)
    assert found.probabilities == pytest.approx(tuple(said))
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)
    assert found == models.explain("explained", model.version, ROW)
    models.import_folder("brought", folder)
    elsewhere = models.explain("brought", 0, ROW)
    assert elsewhere.score == pytest.approx(found.score), "its table is not needed"
    with pytest.raises(ModelNotFound):
        models.explain("nothing", 0, ROW)


def test_a_table_that_is_gone_is_said(trained):
    job_id = f"{trained.job.id}-gone"
    spec = replace(trained.job.spec, data=DataRef("gone", 1))
    trained.store.jobs.add(replace(trained.job, id=job_id, spec=spec))
    with pytest.raises(Conflict, match="gone"):
        trained.workspace.jobs.signature(job_id)


def test_a_job_knows_what_its_models_take(trained):
    signature = trained.workspace.jobs.signature(trained.job.id)
    assert [column.name for column in signature.used] == ["age", "colour", "luck", "day"]
    assert signature.classes == ("no", "yes")


def test_a_registered_model_has_the_charts_of_its_trial(trained, tmp_path):
    model = trained.workspace.models.register("people", trained.job.id)
    charts = trained.workspace.jobs.curves(trained.job.id, model.trial)
    assert trained.workspace.models.curves("people", 0) == charts.curves
    folder = trained.workspace.models.package("people", 0, tmp_path / "folder")
    imported = trained.workspace.models.import_folder("foreign", Path(folder))
    with pytest.raises(Conflict, match=imported.ref):
        trained.workspace.models.curves("foreign", 0)


@pytest.fixture(scope="module")
def of_ages(trained):
    """A regression on the same table."""
    spec = TrainingSpec(
        trained.job.spec.data,
        "age",
        task=Task.REGRESSION,
        max_trials=1,
        allowed_training_algorithms=(Algorithm.LIGHTGBM,),
        n_cross_validations=2,
    )
    return done(trained.workspace, trained.store, spec)


def test_a_regression_is_explained_on_the_scale_of_its_numbers(of_ages):
    jobs, job_id, (trial, *_) = of_ages.workspace.jobs, of_ages.job.id, of_ages.trials
    charts = jobs.curves(job_id, trial.number)
    assert {curve.name for curve in charts.curves} == {CurveName.RESIDUALS, CurveName.PREDICTED_TRUE}
    assert {m.name for m in jobs.fold_metrics(job_id, trial.number)} >= {"r2_score", "root_mean_squared_error"}
    assert jobs.importance(job_id, trial.number).columns[0].column in {"bought", "colour", "luck", "day"}
    assert jobs.partial_dependence(job_id, trial.number, "bought").class_name is None
    found = jobs.explain(
        job_id, trial.number, {"bought": "yes", "colour": "red", "luck": 0.5, "day": "2024-05-05"} | NOTE
    )
    assert found.scale is Scale.VALUE
    assert found.base + sum(found.contributions.values()) == pytest.approx(found.score, abs=1e-6)
    assert 20 < found.score < 70
    assert jobs.winner(job_id).level == ()
    for needs_classes in (jobs.thresholds, lambda *of: jobs.fairness(*of, "colour")):
        with pytest.raises(SpecInvalid, match="no classes"):
            needs_classes(job_id, trial.number)


def test_trials_that_are_judged_on_other_rows_are_not_compared(trained, of_ages):
    with pytest.raises(SpecInvalid, match="different rows"):
        trained.workspace.jobs.compare_pair((trained.job.id, 0), (of_ages.job.id, 0))


def test_groups_of_rows_are_those_of_each_repeats_own_folds(trained):
    judged = TrialFiles(Context(trained.workspace.settings)).judged(trained.job.id)
    folds = folds_again(judged, (0, 2, 0))
    assert folds.shape == (400, 3)
    assert np.array_equal(folds[:, 0], judged.folds.fold)
    assert np.array_equal(folds[:, 0], folds[:, 2])
    assert np.array_equal(folds[:, 1], folds_of(judged.problem, judged.target, repeat=2).fold)
    assert not np.array_equal(folds[:, 0], folds[:, 1])
