"""The order of a leaderboard, and which trials are worth their time."""

from hypothesis import given
from hypothesis import strategies as st

from core.domain.ranking import frontier, standing
from core.domain.trial import Trial, TrialState


def trial(number: int, score: float, predict_ms: float, metric: str = "AUC_weighted") -> Trial:
    return Trial(number, "LightGBM", TrialState.SUCCEEDED, metrics={metric: score}, predict_ms=predict_ms)


def test_only_what_nothing_beats_in_both_is_on_the_frontier():
    fast, good, both_worse, slow = trial(0, 0.8, 0.1), trial(1, 0.9, 1.0), trial(2, 0.85, 2.0), trial(3, 0.9, 3.0)
    assert frontier([slow, both_worse, good, fast], "AUC_weighted") == (fast, good)


def test_a_lower_log_loss_is_better():
    fast, good = trial(0, 0.5, 0.1, "log_loss"), trial(1, 0.3, 1.0, "log_loss")
    assert frontier([fast, good, trial(2, 0.4, 2.0, "log_loss")], "log_loss") == (fast, good)


def test_what_was_not_measured_has_no_part_in_it():
    assert frontier([trial(0, 0.9, 0.0), Trial(1, "LightGBM", TrialState.FAILED, predict_ms=1.0)], "AUC_weighted") == ()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 10)), max_size=30))
def test_every_trial_is_on_the_frontier_or_beaten_by_one_that_is(pairs):
    trials = [trial(number, score, ms) for number, (score, ms) in enumerate(pairs)]
    kept = frontier(trials, "AUC_weighted")
    for one in trials:
        score = standing(one, "AUC_weighted")
        beaten = (k.predict_ms <= one.predict_ms and standing(k, "AUC_weighted") >= score for k in kept)
        assert one in kept or any(beaten)
