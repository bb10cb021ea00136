"""The leaderboard a search keeps, against the same questions answered by looking through all trials."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.domain.training import Algorithm, Trial, TrialState
from core.ml.finished import FinishedTrial
from core.ml.leaderboard import Leaderboard, best_first

PROBLEM, OTHER = "problem", "another"

ended = st.builds(
    lambda number, algorithm, state, value, duration_s, problem: FinishedTrial(
        Trial(number, algorithm, state, metrics={"AUC_weighted": value}, duration_s=duration_s),
        Path("unused"),
        problem,
    ),
    st.integers(0, 99),
    st.sampled_from([str(Algorithm.LIGHTGBM), str(Algorithm.VOTING_ENSEMBLE)]),
    st.sampled_from([TrialState.SUCCEEDED, TrialState.FAILED, TrialState.STOPPED]),
    st.one_of(st.floats(0, 1), st.just(float("nan"))),
    st.floats(0, 60),
    st.sampled_from([PROBLEM, OTHER]),
)


@given(st.lists(ended, unique_by=lambda f: f.trial.number, max_size=30))
def test_it_ranks_the_single_models_that_succeeded_on_its_problem_whatever_the_order_they_ended_in(trials):
    board = Leaderboard("AUC_weighted", PROBLEM)
    board.add_all(trials)
    singles = [f for f in trials if f.problem == PROBLEM and f.trial.algorithm != Algorithm.VOTING_ENSEMBLE]
    succeeded = [f for f in singles if f.trial.state is TrialState.SUCCEEDED]
    assert board.trials == trials
    assert board.singles == singles
    assert board.ranked == sorted(succeeded, key=lambda f: best_first(f, "AUC_weighted"))
    assert board.shortest_s == min((f.trial.duration_s for f in succeeded), default=float("inf"))
    assert board.last_number == max((f.trial.number for f in trials), default=-1)
