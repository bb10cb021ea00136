"""Models of chosen trials: packaged with the same proof as the best, also where the training was stopped."""

import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import backends
import numpy as np
import pytest

from core.contract.payload import Decoder
from core.domain.errors import Conflict, JobNotFound, SpecInvalid
from core.domain.job import Job, JobState
from core.domain.model import Model
from core.domain.signature import PARITY_LIMIT
from core.domain.training import Algorithm, TrainingSpec, TrialState
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.run import run_job
from core.local.worker.tools import Tools
from core.ml import final
from core.ml.ensembles.allowance import Allowance
from core.ml.executor import InProcessExecutor
from core.ml.trial import train
from core.predict.folder import load_model
from core.workspace import Workspace


@dataclass(frozen=True)
class Trained:
    """A workspace with one training of three trials that succeeded."""

    workspace: Workspace
    store: Store
    paths: Paths
    job: Job

    def stopped(self) -> str:
        """The id of a job like it that was canceled when its trials had ended, and has packaged nothing."""
        job_id = f"{self.job.id}-stopped"
        self.store.jobs.add(replace(self.job, id=job_id, state=JobState.RUNNING, result=None))
        self.paths.job(job_id).mkdir(parents=True)
        self.paths.trials(job_id).symlink_to(self.paths.trials(self.job.id))
        for trial in self.store.trials.list(self.job.id):
            self.store.trials.put(job_id, trial)
        self.store.jobs.cancel(job_id, 1.0)
        self.store.jobs.end(job_id, JobState.CANCELED, 2.0, message="Canceled")
        return job_id

    def folder(self, model: Model) -> Path:
        return self.paths.model(model.name, model.job_id, model.trial)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    home = tmp_path_factory.mktemp("registration")
    workspace = backends.MAKE["local"](home / "home")
    rng = np.random.default_rng(3)
    lines = ["age,colour,bought"]
    for age, red in zip(rng.integers(20, 70, 300), rng.random(300) < 0.5, strict=True):
        bought = rng.random() < (0.2 + 0.5 * red) * (age / 70)
        lines.append(f"{age},{'red' if red else 'blue'},{'yes' if bought else 'no'}")
    (home / "people.csv").write_text("\n".join(lines) + "\n")
    data = workspace.data.register("people", str(home / "people.csv"))
    algorithms = (Algorithm.LOGISTIC_REGRESSION, Algorithm.EXTRA_TREES)
    spec = TrainingSpec(data.ref, "bought", max_trials=3, allowed_training_algorithms=algorithms, n_cross_validations=2)
    paths = Paths(workspace.settings.home)
    store = Store(paths.store)
    job_id = workspace.jobs.submit(spec).id
    store.jobs.start_attempt(job_id, 1.0)
    assert run_job(job_id, workspace, tools=Tools(executors=lambda *_: InProcessExecutor(train))) == 0
    yield Trained(workspace, store, paths, workspace.jobs.get(job_id))
    store.close()


def answers_as_it_was_trained(folder: Path) -> bool:
    """Whether the folder gives the learners' own answers on the rows that lie beside it."""
    with np.load(folder / "parity.npz") as kept:
        body, own = kept["body"].tobytes(), kept["probabilities"]
    model = load_model(folder)
    given = model.probabilities(Decoder(model.signature)(body).columns)
    return float(np.abs(given - own).max()) <= PARITY_LIMIT


def test_every_trial_that_succeeded_is_registered_and_answers_as_it_was_trained(trained: Trained):
    trials = trained.workspace.jobs.trials(trained.job.id)
    assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
    for trial in trials:
        model = trained.workspace.models.register("any", trained.job.id, trial.number)
        best = trained.workspace.jobs.get(trained.job.id).result.best
        told = best.metrics if trial.number == best.number else trial.metrics
        assert (model.trial, model.algorithm, model.metrics) == (trial.number, trial.algorithm, told)
        assert answers_as_it_was_trained(trained.folder(model))
        assert trained.workspace.models.register("any", trained.job.id, trial.number) == model
    assert len(trained.workspace.models.list(job_id=trained.job.id)) == len(trials)


def test_a_stopped_training_gives_the_models_of_what_it_finished_ensembles_too(trained: Trained):
    job_id = trained.stopped()
    stopped = trained.workspace.jobs.get(job_id)
    assert (stopped.cancel_requested, stopped.stopping) == (True, False)
    best = trained.workspace.models.register("kept", job_id)
    assert best.metrics["AUC_weighted"] == max(t.metrics["AUC_weighted"] for t in trained.workspace.jobs.trials(job_id))
    assert answers_as_it_was_trained(trained.folder(best))
    other = next(t.number for t in trained.workspace.jobs.trials(job_id) if t.number != best.trial)
    alone = trained.workspace.models.register("kept", job_id, other)
    assert (alone.version, alone.signature) == (2, best.signature)
    packaged = trained.workspace.models.package("kept", alone.version, trained.paths.home.parent / "packaged")
    assert (packaged / "MLmodel").exists()


@pytest.mark.parametrize(("state", "said"), [(TrialState.FAILED, "failed"), (TrialState.STOPPED, "was cut off")])
def test_a_trial_that_left_no_model_is_refused_in_a_sentence(trained: Trained, state: TrialState, said: str):
    trial = replace(trained.store.trials.list(trained.job.id)[0], number=50, state=state, metrics={})
    trained.store.trials.put(trained.job.id, trial)
    with pytest.raises(Conflict, match=f"Trial 50 of job .* {said} and did not produce a model"):
        trained.workspace.models.register("any", trained.job.id, 50)
    with pytest.raises(JobNotFound, match="no trial 51"):
        trained.workspace.models.register("any", trained.job.id, 51)


def test_a_table_that_another_job_coded_otherwise_refuses_its_trial(trained: Trained):
    job_id = f"{trained.job.id}-other"
    spec = replace(trained.job.spec, exclude=("age",))
    trained.store.jobs.add(replace(trained.job, id=job_id, spec=spec, result=None))
    trained.paths.job(job_id).mkdir(parents=True)
    trained.paths.trials(job_id).symlink_to(trained.paths.trials(trained.job.id))
    trained.store.trials.put(job_id, trained.store.trials.list(trained.job.id)[0])
    with pytest.raises(Conflict, match="another version of Slipway"):
        trained.workspace.models.register("any", job_id, 0)


@pytest.fixture
def packaged(trained: Trained, tmp_path: Path) -> Path:
    """A folder that somebody packaged, to be spoiled."""
    model = trained.workspace.models.register("people", trained.job.id)
    return trained.workspace.models.package("people", model.version, tmp_path / "packaged")


def test_an_imported_model_lies_complete_and_answers_as_it_was_trained(trained: Trained, packaged: Path):
    brought = trained.workspace.models.import_folder("brought", packaged)
    folder = trained.folder(brought)
    assert answers_as_it_was_trained(folder)
    assert {path.name for path in packaged.iterdir()} == {path.name for path in folder.iterdir()}
    assert trained.workspace.models.get("brought") == brought


def test_code_that_lies_in_an_imported_folder_is_not_taken(trained: Trained, packaged: Path):
    (packaged / "code" / "core" / "packaging" / "pyfunc.py").write_text("raise SystemExit('it ran')")
    (packaged / "hook.py").write_text("raise SystemExit('it ran')")
    folder = trained.folder(trained.workspace.models.import_folder("coded", packaged))
    assert not (folder / "hook.py").exists()
    assert "it ran" not in (folder / "code" / "core" / "packaging" / "pyfunc.py").read_text()


def _with_a_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"anything")


def _with_a_disguised_pickle(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(pickle.dumps({"a": 1}))


def _with_a_link(folder: Path) -> None:
    (folder / "native").mkdir(exist_ok=True)
    (folder / "native" / "passwords").symlink_to("/etc/passwd")


def _with_another_model(folder: Path) -> None:
    with np.load(folder / "parity.npz") as kept:
        np.savez(folder / "parity.npz", body=kept["body"], probabilities=kept["probabilities"][:, ::-1])


def _with_nothing_of_ours(folder: Path) -> None:
    (folder / "model.json").unlink()


def _cut_off(folder: Path) -> None:
    (folder / "arrays.npz").write_bytes((folder / "arrays.npz").read_bytes()[:100])


def _without_a_card(folder: Path) -> None:
    (folder / "card.json").write_text("{}")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_with_a_pickle, r"model\.pkl is a pickle"),
        (_with_a_disguised_pickle, r"weights\.bin is a pickle"),
        (_with_a_link, "passwords is a link"),
        (_with_another_model, "apart from the model that was trained"),
        (_with_nothing_of_ours, "is not a model folder"),
        (_cut_off, "cannot be imported"),
        (_without_a_card, r"card\.json"),
        (shutil.rmtree, "no folder"),
    ],
)
def test_a_folder_that_is_no_sound_model_of_ours_is_refused_and_leaves_nothing(
    trained: Trained, packaged: Path, spoil: Callable[[Path], None], said: str
):
    spoil(packaged)
    with pytest.raises(SpecInvalid, match=said) as caught:
        trained.workspace.models.import_folder("refused", packaged)
    assert caught.value.hint
    assert not list(trained.paths.incoming.glob("*"))
    assert "refused" not in {model.name for model in trained.workspace.models.list()}


def cards(trained: Trained, job_id: str, number: int | None = None) -> list[bool]:
    """Whether each member of the registered model is one of all rows."""
    model = trained.workspace.models.register("refits", job_id, number)
    folder = trained.folder(model)
    assert answers_as_it_was_trained(folder)
    return [member["refitted"] for member in json.loads((folder / "card.json").read_bytes())["members"]]


def test_refitted_members_are_registered_by_number_after_a_stop_and_without_their_refit(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    largest = max(trained.store.trials.list(trained.job.id), key=lambda t: (not t.members) * t.size_bytes)
    room = int(0.8 * largest.size_bytes)
    monkeypatch.setattr(final, "Allowance", lambda ms: Allowance(ms, room))
    job_id = trained.workspace.jobs.submit(trained.job.spec).id
    trained.store.jobs.start_attempt(job_id, 1.0)
    assert run_job(job_id, trained.workspace, tools=Tools(executors=lambda *_: InProcessExecutor(train))) == 0
    again = replace(trained, job=trained.workspace.jobs.get(job_id))
    assert any(cards(again, job_id))
    small = next(t for t in trained.store.trials.list(job_id) if t.size_bytes < room)
    assert cards(again, job_id, small.number) == [False]
    stopped = again.stopped()
    assert cards(again, stopped, largest.number) == [True]
    lost = again.paths.trials(job_id) / f"{largest.number}-refit"
    shutil.rmtree(lost)
    model = trained.workspace.models.register("lost", stopped, largest.number)
    assert [len(bag) for bag in load_model(trained.folder(model)).bags] == [2]
