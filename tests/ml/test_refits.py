"""One model of all rows in the place of a bag of folds, where the bag would be too large or too slow to serve."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from search_doubles import Searching

from core.domain.data import DataAsset, DataSource
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialState
from core.ml import final
from core.ml.ensembles.allowance import PREDICT_MAX_MS, SIZE_MAX_BYTES, Allowance
from core.ml.executor import InProcessExecutor
from core.ml.finished import ARRAYS, MEMBER, FinishedTrial, read_finished, refit_folder
from core.ml.result import SearchResult
from core.ml.task import Stop, Tell, TrialTask
from core.ml.trial import train
from core.packaging import model_card
from core.packaging.write import write_model
from core.predict.folder import load_model

ALONE = {
    "max_trials": 1,
    "n_cross_validations": 2,
    "timeout_s": 60.0,
    "allowed_training_algorithms": (Algorithm.LIGHTGBM,),
}


def member(number: int, *, ms: float = 0.1, size: int = 1_000, folds: int = 5, measured: float = 0.0) -> FinishedTrial:
    trial = Trial(
        number, Algorithm.LIGHTGBM, TrialState.SUCCEEDED, folds=folds, size_bytes=size, predict_ms=measured or ms
    )
    return FinishedTrial(trial, Path(str(number)), estimated_ms=ms)


def test_what_fits_is_served_as_the_mean_of_its_folds():
    assert Allowance().refits([member(0), member(1)]) == ()


def test_a_model_over_a_millisecond_has_its_slowest_members_refitted():
    members = [member(0, ms=0.3), member(1, ms=0.7), member(2, ms=0.2)]
    assert Allowance().refits(members) == (1,)
    assert Allowance().admits(members, (1,))
    assert not Allowance().admits([member(0, ms=PREDICT_MAX_MS)])


def test_a_model_that_is_too_large_has_its_largest_members_refitted():
    assert Allowance().refits([member(0), member(1, size=SIZE_MAX_BYTES), member(2)]) == (1,)


def test_what_is_too_much_even_when_refitted_is_no_model():
    assert Allowance().refits([member(0, ms=20.0)]) is None
    assert Allowance().refits([member(0, ms=2.0, folds=1)]) is None


def test_a_limit_that_was_asked_for_counts_by_what_was_measured_and_the_default_does_not():
    slow_here = member(0, ms=0.1, measured=30.0)
    assert Allowance().refits([slow_here]) == ()
    assert Allowance(predict_ms=10.0).refits([slow_here]) == (0,)
    assert Allowance(predict_ms=10.0).refits([member(0, ms=4.0)]) == ()


class Tight:
    """A search of real trials, whose models have as little room as is said."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searching = Searching(folder)
        self.monkeypatch = monkeypatch
        self.tasks: list[TrialTask] = []
        self.spoil: Callable[[TrialTask], None] = lambda task: None

    def room(self, share: float) -> None:
        """Room for this share of the largest trial that there is."""
        size = max(f.trial.size_bytes for f in self.finished)
        self.monkeypatch.setattr(final, "Allowance", lambda ms: Allowance(ms, int(share * size)))

    @property
    def finished(self) -> list[FinishedTrial]:
        return read_finished(self.searching.folder / "trials")

    def run(self, spec: dict | None = None, **options) -> SearchResult:
        def real(task: TrialTask, stop: Stop, tell: Tell) -> None:
            self.tasks.append(task)
            self.spoil(task)
            train(task, stop, tell)

        self.tasks.clear()
        executor = InProcessExecutor(real)
        return self.searching.run(executor=executor, spec={**ALONE, **(spec or {})}, finished=self.finished, **options)

    def package(self, result: SearchResult) -> Path:
        folder = self.searching.folder / "model"
        spec = TrainingSpec(ASSET.ref, "answer")
        write_model(folder, result, spec=spec, data=ASSET, job_id="job", created_at=1.0)
        return folder


ASSET = DataAsset("customers", 1, DataSource.FILE, "x", 100, (), "ab" * 32, 1, 0.0)


@pytest.fixture
def tight(tmp_path, monkeypatch) -> Tight:
    made = Tight(tmp_path, monkeypatch)
    made.run()
    made.room(0.8)
    return made


def test_a_bag_that_is_too_large_is_refitted_on_all_rows_after_as_many_rounds_and_packaged_with_its_proof(tight):
    result = tight.run()
    assert result.refitted == (0,)
    assert [task.refit for task in tight.tasks] == [True]
    one, bag = refit_folder(result.folder / "0"), result.folder / "0"
    assert [len(json.loads((f / MEMBER).read_bytes())["parts"]) for f in (one, bag)] == [1, 2]
    with np.load(one / ARRAYS) as arrays:
        assert len(arrays["f0_roots"]) == tight.finished[0].trial.params["rounds"]
    folder = tight.package(result)  # raises where it does not answer as the learner did
    model, card = load_model(folder), json.loads((folder / "card.json").read_bytes())
    assert [len(bag) for bag in model.bags] == [1]
    assert card["members"][0]["refitted"]
    assert "refitted on all rows" in (folder / model_card.FILE).read_text()


def test_catboost_which_refuses_what_it_does_not_know_is_refitted_too(tmp_path, monkeypatch):
    made, catboost = Tight(tmp_path, monkeypatch), {"allowed_training_algorithms": (Algorithm.CATBOOST,)}
    made.run(catboost)
    made.room(0.8)
    assert made.run(catboost).refitted == (0,)


def test_the_figures_of_a_refitted_model_are_those_of_its_folds(tight):
    assert tight.run().best.metrics == tight.run().best.metrics == tight.finished[0].trial.metrics


def test_a_search_that_goes_on_takes_the_refits_that_are_done(tight):
    tight.run()
    assert tight.run().refitted == (0,)
    assert tight.tasks == []


def test_a_refit_that_fails_leaves_the_bag_and_says_so(tight):
    def fails(task: TrialTask) -> None:
        raise ValueError("no memory")

    tight.spoil = fails
    result = tight.run()
    assert result.refitted == ()
    assert any("since no smaller one was ready in time" in note for note in result.notes)
    assert [len(bag) for bag in load_model(tight.package(result)).bags] == [2]
    assert not refit_folder(result.folder / "0").exists()


def test_without_time_nothing_is_refitted(tight):
    result = tight.run(time_used_s=59.5)
    assert (result.refitted, tight.tasks) == ((), [])
    assert [len(bag) for bag in load_model(tight.package(result)).bags] == [2]


def test_a_refit_is_ended_when_the_job_is(tight):
    assert tight.run(should_stop=lambda: True).refitted == ()
    assert tight.tasks == []


def test_a_trials_estimate_is_the_same_at_every_run(tmp_path, monkeypatch):
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        again = Tight(tmp_path / name, monkeypatch)
        again.run()
        found.append(again.finished[0].estimated_ms)
    assert found[0] == found[1] > 0.005
