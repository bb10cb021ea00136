import numpy as np
import pytest

from core.domain.metrics import TaskKind
from core.domain.training import Trial, TrialState
from core.ml.ensemble import MEMBERS_MAX, vote
from core.ml.finished import OOF, FinishedTrial
from core.ml.metrics import evaluate, score

LABELS = np.random.default_rng(1).integers(0, 2, 600)


def answers(seed: int, noise: float) -> np.ndarray:
    margin = (2 * LABELS - 1) + np.random.default_rng(seed).normal(0, noise, len(LABELS))
    positive = 1 / (1 + np.exp(-margin))
    return np.column_stack((1 - positive, positive))


@pytest.fixture
def trials(tmp_path):
    def trials(*out_of_fold: np.ndarray) -> list[FinishedTrial]:
        made = []
        for number, values in enumerate(out_of_fold):
            folder = tmp_path / str(number)
            folder.mkdir()
            np.save(folder / OOF, values)
            trial = Trial(number, "LightGBM", TrialState.SUCCEEDED, metrics=evaluate(TaskKind.BINARY, LABELS, values))
            made.append(FinishedTrial(trial, folder))
        return made

    return trials


def never() -> bool:
    return False


def test_independent_trials_vote_better_than_the_best_of_them(trials):
    found = trials(*(answers(seed, 2.0) for seed in range(6)))
    result = vote(found, LABELS, "AUC_weighted", never)
    assert sum(weight for _, weight in result.members) == pytest.approx(1)
    best = max(f.trial.metrics["AUC_weighted"] for f in found)
    assert score("AUC_weighted", LABELS, result.out_of_fold) > best + 0.01


def test_the_votes_probabilities_are_the_weighted_mean(trials):
    found = trials(*(answers(seed, 2.0) for seed in range(4)))
    result = vote(found, LABELS, "log_loss", never)
    assert result.out_of_fold == pytest.approx(sum(w * found[n].oof() for n, w in result.members))


def test_a_weaker_trial_helps_with_a_small_weight(trials):
    strong, weak = answers(1, 1.0), answers(2, 3.5)
    result = vote(trials(strong, weak), LABELS, "AUC_weighted", never)
    weights = dict(result.members)
    assert weights[0] > 0.7
    assert score("AUC_weighted", LABELS, result.out_of_fold) > score("AUC_weighted", LABELS, strong)


def test_one_trial_or_copies_of_one_are_no_vote(trials):
    same = answers(1, 2.0)
    assert vote(trials(same), LABELS, "AUC_weighted", never) is None
    assert vote([], LABELS, "AUC_weighted", never) is None


def test_copies_of_one_trial_are_no_vote(trials):
    same = answers(1, 2.0)
    assert vote(trials(same, same), LABELS, "AUC_weighted", never) is None


def test_no_more_members_than_a_server_can_afford(trials):
    found = trials(*(answers(seed, 4.0) for seed in range(12)))
    assert len(vote(found, LABELS, "AUC_weighted", never).members) == MEMBERS_MAX


def test_a_vote_without_time_is_none(trials):
    assert vote(trials(answers(1, 2.0), answers(2, 2.0)), LABELS, "accuracy", lambda: True) is None
