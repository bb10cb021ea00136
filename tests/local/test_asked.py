"""What a training names that its tables do not have is refused as soon as it is submitted."""

from pathlib import Path
from typing import Any

import backends
import pytest

from core.domain.data import DataRef
from core.domain.errors import Conflict, DataNotFound, SpecInvalid, TableUnusable
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.search_space import Distribution, DistributionKind
from core.domain.training import Algorithm, Cost, Sampling, TrainingSpec
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.ml.executor import InProcessExecutor
from core.ml.trial import train
from core.workspace import Workspace

FEW = Distribution(DistributionKind.CHOICE, (4, 8))
WIDE = Distribution(DistributionKind.LOG_UNIFORM, low=0.01, high=0.3)


def table(name: str, columns: str, answers: tuple[str, ...], folder: Path, workspace: Workspace) -> None:
    rows = [f"{20 + n * 7 % 50},{n % 3},{answers[n * 7 % 50 // 25 % len(answers)]}" for n in range(60)]
    (folder / f"{name}.csv").write_text("\n".join([columns, *rows]) + "\n")
    workspace.data.register(name, str(folder / f"{name}.csv"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("asked")
    made = backends.MAKE["local"](folder / "home")
    table("people", "age,red,bought", ("no", "yes"), folder, made)
    table("judges", "age,red,bought", ("yes", "no"), folder, made)
    table("strangers", "age,red,bought", ("yes", "perhaps"), folder, made)
    table("narrow", "age,blue,bought", ("yes", "no"), folder, made)
    table("unanswered", "age,red,bought", ("", ""), folder, made)
    for name, row in (("spoken", "old,1,yes"), ("painted", "30,very,no")):
        (folder / f"{name}.csv").write_text(f"age,red,bought\n{row}\n" + "20,1,no\n30,2,yes\n" * 9)
        made.data.register(name, str(folder / f"{name}.csv"))
    return made


def custom(**given: Any) -> Featurization:
    return Featurization(FeaturizationMode.CUSTOM, **given)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"featurization": custom(column_purposes={"size": Purpose.NUMERIC})}, "names 'size', which is no column"),
        ({"featurization": custom(imputations={"bought": Imputation.MEAN})}, "names 'bought', which is no column"),
        ({"class_weights": {"maybe": 2.0}}, "A weight is given for class 'maybe'"),
        ({"cost_matrix": (Cost("yes", "maybe", 5.0),)}, "The cost matrix names a class 'maybe'"),
        ({"target": "age", "cost_matrix": (Cost("20", "999", 5.0),)}, "The cost matrix names a class '999'"),
        ({"search_space": {"LightGBM": {"num_leafs": FEW}}}, "LightGBM has no hyperparameter 'num_leafs'"),
        ({"search_space": {"LogisticRegression": {"C": FEW, "l1": FEW}}}, "LogisticRegression has no hyperparameter"),
        (
            {
                "search_space": {"LightGBM": {"num_leaves": FEW, "learning_rate": WIDE}},
                "sampling_algorithm": Sampling.GRID,
            },
            "A grid cannot go over 'learning_rate'",
        ),
        ({"featurization": Featurization(constants={"age": 0})}, "A constant is given for column 'age'"),
        ({"validation_data": DataRef("spoken")}, "spoken:1 has 'old' in 'age', which holds no text in people:1"),
        ({"target": "red", "validation_data": DataRef("painted")}, "painted:1 has 'very' in 'red', which holds no"),
        ({"validation_data": DataRef("narrow")}, "narrow:1 has no column 'red'"),
        ({"validation_data": DataRef("unanswered")}, "unanswered:1 has no value of 'bought'"),
        ({"validation_data": DataRef("strangers")}, "strangers:1 has 'perhaps' as 'bought', which never occurs in peo"),
    ],
)
def test_what_the_tables_do_not_have_is_refused_at_once(workspace: Workspace, asked: dict[str, Any], said: str):
    with pytest.raises((SpecInvalid, TableUnusable), match=said) as refused:
        workspace.jobs.submit(TrainingSpec(**{"data": DataRef("people"), "target": "bought", **asked}))
    assert refused.value.hint
    assert workspace.jobs.list() == ()


def test_a_hyperparameter_is_refused_with_those_that_the_algorithm_has_the_likely_one_first(workspace: Workspace):
    with pytest.raises(SpecInvalid) as refused:
        workspace.jobs.submit(TrainingSpec(DataRef("people"), "bought", search_space={"LightGBM": {"num_leafs": FEW}}))
    assert refused.value.hint.startswith("It has: num_leaves, ")
    assert "learning_rate" in refused.value.hint


@pytest.mark.parametrize(
    ("algorithm", "name", "said"),
    [
        ("LightGBM", "reg_lambda", "reg_lambda is lambda_l2 here. It has: "),
        ("LightGBM", "n_estimators", "How many trees it grows is decided by early stopping. It has: "),
        ("XGBoostClassifier", "learning_rate", "learning_rate is eta here. It has: "),
        ("RandomForest", "min_data_in_leaf", "min_data_in_leaf is min_samples_leaf here. It has: "),
    ],
)
def test_a_hyperparameter_by_its_name_in_another_library_is_told_by_its_own(
    workspace: Workspace, algorithm: str, name: str, said: str
):
    with pytest.raises(SpecInvalid) as refused:
        workspace.jobs.submit(TrainingSpec(DataRef("people"), "bought", search_space={algorithm: {name: FEW}}))
    assert refused.value.hint.startswith(said)


def test_a_validation_table_that_is_not_there_is_named(workspace: Workspace):
    with pytest.raises(DataNotFound, match="nowhere"):
        workspace.jobs.submit(TrainingSpec(DataRef("people"), "bought", validation_data=DataRef("nowhere")))


def test_columns_are_meant_as_the_table_writes_them(workspace: Workspace):
    wanted = custom(column_purposes={" age ": Purpose.NUMERIC}, imputations={"red ": Imputation.MEDIAN})
    spec = TrainingSpec(
        DataRef("people"),
        " bought",
        featurization=wanted,
        class_weights={"yes": 2.0},
        validation_data=DataRef("judges"),
    )
    job = workspace.jobs.submit(spec)
    workspace.jobs.cancel(job.id)
    assert dict(job.spec.featurization.column_purposes) == {"age": Purpose.NUMERIC}
    assert dict(job.spec.featurization.imputations) == {"red": Imputation.MEDIAN}
    assert (job.spec.target, job.spec.validation_data) == ("bought", DataRef("judges", 1))


def test_any_trial_that_was_judged_on_a_table_of_its_own_can_be_registered(workspace: Workspace):
    spec = TrainingSpec(
        DataRef("people"),
        "bought",
        max_trials=2,
        allowed_training_algorithms=(Algorithm.LOGISTIC_REGRESSION,),
        validation_data=DataRef("judges"),
    )
    job, store = workspace.jobs.submit(spec), Store(Paths(workspace.settings.home).store)
    store.jobs.start_attempt(job.id, 1.0)
    assert run_job(job.id, workspace, tools=Tools(executors=lambda *_: InProcessExecutor(train))) == 0
    store.close()
    numbers = [trial.number for trial in workspace.jobs.trials(job.id) if trial.metrics]
    assert [workspace.models.register("any", job.id, number).trial for number in numbers] == numbers
    assert len(numbers) >= 2


def test_a_table_that_a_training_is_judged_on_is_in_use_as_the_one_it_learns_from(workspace: Workspace):
    spec = TrainingSpec(DataRef("people"), "bought", validation_data=DataRef("judges"))
    job = workspace.jobs.submit(spec)
    workspace.jobs.cancel(job.id)
    with pytest.raises(Conflict, match=f"judges:1 is in use: .*job {job.id}"):
        workspace.data.delete(DataRef("judges"))
    assert job.id in [each.id for each in workspace.jobs.list(data=DataRef("judges", 1))]
