"""Why the best trial won, in a sentence that says "better" only beyond luck."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.metrics import TaskKind
from core.domain.training import Algorithm, Trial, TrialState
from core.ml.explain.winner import RIVALS_MAX, difference_of, winner_of
from core.ml.metrics import evaluate

LABELS = np.random.default_rng(1).integers(0, 2, 2000)


def answers(seed: int, noise: float) -> np.ndarray:
    margin = (2 * LABELS - 1) + np.random.default_rng(seed).normal(0, noise, len(LABELS))
    positive = 1 / (1 + np.exp(-margin))
    return np.column_stack((1 - positive, positive))


def judged(
    *said: np.ndarray,
    metric: str = "AUC_weighted",
    ranked: tuple[int, ...] = (),
    members: tuple[int, ...] = (),
    fast: bool = True,
):
    """`members` are of the first one, `fast` is the second one."""
    trials = [
        Trial(n, Algorithm.LIGHTGBM, TrialState.SUCCEEDED, metrics=evaluate(TaskKind.BINARY, LABELS, one))
        for n, one in enumerate(said)
    ]
    trials[0] = replace(trials[0], members=members)
    trials[1:2] = [replace(trial, fast=fast) for trial in trials[1:2]]
    order = ranked or range(len(said))
    return winner_of(metric, LABELS, [trials[n] for n in order], dict(enumerate(said)))


def test_a_winner_far_ahead_is_significantly_better():
    found = judged(answers(1, 0.5), answers(2, 2.0), answers(3, 3.0))
    assert (found.trial, found.beaten, found.level) == (0, (1, 2), ())
    assert found.sentence.startswith("Trial 0 (LightGBM) won with the highest AUC ")
    assert (
        "significantly better than each of the 2 next best, of which the nearest is trial 1 (LightGBM)"
        in found.sentence
    )
    assert "95 % interval" in found.sentence


def test_a_winner_that_others_equal_is_not_called_better():
    good = answers(1, 1.0)
    found = judged(good, good + 0, answers(3, 4.0))
    assert (found.beaten, found.level) == ((2,), (1,))
    assert "but not significantly different from trial 1" in found.sentence
    alone = judged(good, good + 0)
    assert "better" not in alone.sentence
    assert alone.sentence.endswith("not significantly different from trial 1 (LightGBM).")
    several = judged(good, good + 0, good + 0)
    assert (
        "not significantly different from any of the 2 next best, of which the nearest is trial 1" in several.sentence
    )


def test_a_winner_that_was_chosen_by_more_than_its_metric_hides_nothing():
    found = judged(answers(1, 2.0), answers(2, 0.5))
    assert found.beaten == ()
    assert found.level == (1,)
    assert "the highest" not in found.sentence
    assert "significantly worse by this metric than trial 1" in found.sentence


def test_it_is_said_why_a_trial_with_a_higher_score_has_not_won():
    good, better = answers(1, 1.0), answers(2, 0.8)
    assert "owes part of its score to luck" in judged(good, better, members=(1, 2)).sentence
    assert "but it answers slowly" in judged(good, better, fast=False).sentence
    assert "luck" not in judged(better, good, members=(1, 2)).sentence


def test_a_lone_trial_has_won_over_nobody():
    assert judged(answers(1, 1.0)).sentence.endswith("; no other trial succeeded.")


def test_the_lowest_loss_wins():
    found = judged(answers(1, 0.5), answers(2, 2.0), metric="log_loss")
    assert "the lowest Log loss" in found.sentence
    assert found.beaten == (1,)


def test_many_equal_rivals_make_no_winner_by_luck():
    """With ten rivals one in twenty comparisons would be lost by luck, so each must be won by more."""
    found = [judged(*(answers(100 * turn + seed, 1.5) for seed in range(RIVALS_MAX + 1))) for turn in range(20)]
    assert sum(bool(each.beaten) for each in found) <= 4
    assert all(len(each.beaten) + len(each.level) == RIVALS_MAX for each in found)


@pytest.mark.parametrize("metric", ["accuracy", "average_precision_score_weighted"])
def test_a_difference_turns_with_its_sides(metric):
    one, other = answers(1, 0.5), answers(2, 2.0)
    found, turned = difference_of(metric, LABELS, one, other), difference_of(metric, LABELS, other, one)
    assert (found.verdict, turned.verdict) == (1, -1)
    assert found.gain == pytest.approx(-turned.gain)
