"""The plan: what is tried next, on how many rows, and when nothing more can be gained."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_doubles import Searching
from tables import customers, write_table

from core.domain.algorithms import TASKS
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid, TrainingFailed
from core.domain.metrics import CLASSIFICATION
from core.domain.search_space import Distribution, DistributionKind
from core.domain.training import Algorithm, Sampling, Task, TrainingSpec, Trial, TrialState
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.ml.executor import InProcessExecutor
from core.ml.finished import FinishedTrial, read_finished
from core.ml.hopeless import may_wait, why_hopeless
from core.ml.leaderboard import Leaderboard
from core.ml.learners.learner import Fitted, Learner, Setup, Unmoved
from core.ml.learners.registry import LEARNERS
from core.ml.plan.bayesian import suggest
from core.ml.plan.config import Config
from core.ml.plan.drawing import at, draw, grid, share_of
from core.ml.plan.order import IDLE_MAX, IDLE_PERFECT, REPEATED, REPEATS_MAX, Order
from core.ml.plan.pace import CELLS_FIRST, Pace, work
from core.ml.plan.portfolio import portfolio
from core.ml.plan.spaces import SPACES
from core.ml.task import REPEAT, TRAINING_ROWS, Rows, TrialOutcome, TrialProgress, TrialTask
from core.ml.trial import train

Kind = DistributionKind
PORTFOLIO = tuple(portfolio(TrainingSpec(DataRef("d"), "y")))
NUMBERS = [
    Distribution(Kind.UNIFORM, low=-1, high=2),
    Distribution(Kind.LOG_UNIFORM, low=0.001, high=10),
    Distribution(Kind.NORMAL, mean=3, deviation=0.5),
    Distribution(Kind.Q_UNIFORM, low=0, high=1, step=0.25),
    Distribution(Kind.Q_LOG_UNIFORM, low=4, high=128, step=1),
    Distribution(Kind.Q_NORMAL, mean=10, deviation=3, step=0.5),
]
LISTED = [Distribution(Kind.CHOICE, ("gbdt", 3, None)), Distribution(Kind.RANDINT, high=5)]


@pytest.fixture
def searching(tmp_path) -> Searching:
    return Searching(tmp_path)


def singles(searching) -> list[Trial]:
    return [t for t in searching.ended if not t.members]


@given(st.sampled_from(NUMBERS), st.floats(0, 1), st.floats(0, 1))
def test_more_of_a_distribution_lies_below_a_larger_value(distribution, one, other):
    low, high = sorted((one, other))
    assert at(distribution, low) <= at(distribution, high)


@given(st.sampled_from(NUMBERS), st.floats(0.001, 0.999))
def test_a_value_drawn_has_its_place_in_the_distribution(distribution, share):
    value = at(distribution, share)
    assert at(distribution, share_of(distribution, value)) == pytest.approx(value, rel=1e-4, abs=1e-6)
    if distribution.step:
        assert value / distribution.step == pytest.approx(round(value / distribution.step))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 6))
def test_what_is_suggested_comes_from_the_space_and_is_the_same_again(seed, tried):
    space = {f"p{n}": d for n, d in enumerate((*NUMBERS[:2], NUMBERS[4], *LISTED))}
    random = Random(seed)
    history = [(draw(space, random), random.random()) for _ in range(tried)]
    found = suggest(space, history, seed)
    assert found == suggest(space, history, seed)
    assert -1 <= found["p0"] <= 2
    assert 0.001 <= found["p1"] <= 10
    assert isinstance(found["p2"], int)
    assert found["p3"] in ("gbdt", 3, None)
    assert found["p4"] in range(5)


def test_bayesian_samples_come_nearer_to_what_was_good():
    space = {"x": Distribution(Kind.UNIFORM, low=0, high=1)}
    history = [({"x": n / 20}, -abs(n / 20 - 0.3)) for n in range(21)]
    assert sum(abs(suggest(space, history, seed)["x"] - 0.3) for seed in range(10)) / 10 < 0.15


def test_a_grid_has_every_combination_once():
    space = {"a": LISTED[0], "b": LISTED[1], "c": NUMBERS[3]}
    found = list(grid(space))
    assert len(found) == 3 * 5 * 5
    assert len({tuple(values.items()) for values in found}) == len(found)
    assert found[0] == {"a": "gbdt", "b": 0, "c": 0.0}


@pytest.mark.parametrize("distribution", [d for d in NUMBERS if d.kind is not Kind.Q_UNIFORM])
def test_a_grid_over_numbers_without_a_list_is_refused(distribution):
    with pytest.raises(SpecInvalid, match="A grid cannot go over 'rate'") as refused:
        list(grid({"rate": distribution}))
    assert "choice" in refused.value.hint


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_choice_among_what_is_no_number_is_refused(value):
    with pytest.raises(SpecInvalid, match="takes finite numbers"):
        Distribution(Kind.CHOICE, (0.1, value))


def test_the_portfolio_has_every_fast_learner_and_begins_with_three_of_them():
    tried = {config.algorithm for config in PORTFOLIO}
    assert tried == {a for a in LEARNERS if TASKS[a] & CLASSIFICATION} - {Algorithm.KNN}
    assert len({config.algorithm for config in PORTFOLIO[:3]}) == 3
    assert len({config.key for config in PORTFOLIO}) == len(PORTFOLIO)


def test_a_learner_without_a_fast_path_is_tried_where_it_is_asked_for():
    spec = TrainingSpec(DataRef("d"), "y", allowed_training_algorithms=(Algorithm.KNN,))
    assert {config.algorithm for config in portfolio(spec)} == {Algorithm.KNN}


def test_numbers_are_learned_by_the_learners_for_numbers():
    spec = TrainingSpec(DataRef("d"), "y", task=Task.REGRESSION)
    leading = [config.algorithm for config in portfolio(spec)][:3]
    assert leading == [Algorithm.LIGHTGBM, Algorithm.ELASTIC_NET, Algorithm.XGBOOST_REGRESSOR]


def test_added_columns_are_asked_for_only_where_the_table_has_them():
    found = [c.params.get("features") for c in portfolio(TrainingSpec(DataRef("d"), "y"), ("counts", "cross"))]
    assert "counts" in found
    assert "cross" in found
    assert not [f for f in found if f and "target" in f]


def ordered(skill: Callable[[int], float], count: int, **spec: Any) -> tuple[list[Config], Order]:
    """The first configurations of a search, whose trial `n` has `skill(n)`."""
    wanted = TrainingSpec(DataRef("d"), "y", **spec)
    board = Leaderboard(wanted.primary_metric, "")
    order, tried = Order(wanted, board), []
    while len(tried) < count and (config := order.next()):
        metrics = {wanted.primary_metric: skill(len(tried))}
        done = Trial(len(tried), config.algorithm, TrialState.SUCCEEDED, config.params, metrics, folds=2)
        board.add(FinishedTrial(done, Path()))
        tried.append(config)
    return tried, order


def test_the_portfolio_comes_first_and_samples_around_the_best_follow():
    tried, _ = ordered(lambda n: 0.5 + 0.001 * n, len(PORTFOLIO) + 12)
    assert tuple(tried[: len(PORTFOLIO)]) == PORTFOLIO
    assert {c.algorithm for c in tried[len(PORTFOLIO) :]} <= set(SPACES)
    assert len({c.key for c in tried}) == len(tried)


def test_the_same_seed_orders_alike_and_another_one_samples_otherwise():
    one, again, other = (ordered(lambda n: 0.5, len(PORTFOLIO) + 10, seed=seed)[0] for seed in (5, 5, 6))
    assert one == again
    assert one[: len(PORTFOLIO)] == other[: len(PORTFOLIO)]
    assert one != other


def worse_later(number: int) -> float:
    return 0.9 if number == 0 else 0.6


def test_the_best_are_repeated_on_other_folds_when_new_ones_stop_helping():
    tried, _ = ordered(worse_later, len(PORTFOLIO) + 40)
    repeats = [c for c in tried if REPEAT in c.params]
    assert repeats[0] == Config(tried[0].algorithm, {**tried[0].params, REPEAT: 1})
    assert len(repeats) >= REPEATED


def test_a_search_ends_when_neither_samples_nor_repeats_can_help():
    tried, order = ordered(worse_later, 1000)
    assert len([c for c in tried if REPEAT in c.params]) == REPEATED * REPEATS_MAX
    assert order.why_done == f"the last {IDLE_MAX} configurations brought nothing better"
    assert len(tried) == 1 + IDLE_MAX + REPEATED * REPEATS_MAX


def test_nothing_ends_early_where_that_is_not_wanted():
    wanted = IDLE_MAX + REPEATED * REPEATS_MAX + 10
    tried, order = ordered(worse_later, wanted, enable_early_termination=False, sampling_algorithm=Sampling.RANDOM)
    assert len(tried) == wanted
    assert order.why_done == ""


def test_a_perfect_score_ends_the_search_after_a_few_more():
    tried, order = ordered(lambda n: 1.0, 1000)
    assert len(tried) == 1 + IDLE_PERFECT
    assert "the best score that there is was reached" in order.why_done


def test_the_exit_score_ends_the_search(searching):
    result = searching.run(spec={"exit_score": 0.5, "timeout_s": 500})
    assert len(singles(searching)) == 1
    assert "trial 0 reached the exit score 0.5" in result.notes[-1]


def test_a_trial_that_runs_longer_than_its_limit_is_stopped_with_the_reason(searching):
    searching.trials.lasts_s = 6.0
    searching.run(spec={"trial_timeout_s": 8.0, "timeout_s": 60.0, "max_trials": 2})
    assert {task.seconds for task in searching.trials.tasks} == {8.0}
    searching.trials.lasts_s = 20.0
    searching.run(
        spec={"trial_timeout_s": 8.0, "timeout_s": 60.0, "max_trials": 4},
        finished=read_finished(searching.folder / "trials"),
    )
    assert "It ran longer than its limit of 8 s" in {t.error for t in searching.ended if t.state is TrialState.STOPPED}


def test_the_time_for_which_a_trial_waits_is_not_its_own(searching):
    limits = list[str]()

    class Holding(InProcessExecutor):
        def run(self, tasks, stop, given_up):
            number = next(iter(tasks)).number
            yield TrialProgress(number, (0.5,), waits=True)
            searching.clock.now += 30
            limits.append(given_up(number))
            yield TrialProgress(number, (0.5, 0.5))
            searching.clock.now += 9
            limits.append(given_up(number))
            yield TrialOutcome(number, TrialState.STOPPED, limits[-1])

    with pytest.raises(TrainingFailed):
        searching.run(executor=Holding(train=train), spec={"trial_timeout_s": 8.0, "timeout_s": 60.0})
    assert limits == ["", "It ran longer than its limit of 8 s"]
    assert searching.ended[0].duration_s == 9


SPACE = {"LightGBM": {"num_leaves": Distribution(Kind.CHOICE, (4, 8)), "max_bin": Distribution(Kind.RANDINT, high=2)}}


@pytest.mark.parametrize("sampling", [Sampling.GRID, Sampling.RANDOM, Sampling.BAYESIAN, Sampling.DEFAULT])
def test_a_users_own_space_is_all_that_is_tried(sampling):
    tried, order = ordered(worse_later, 100, sampling_algorithm=sampling, search_space=SPACE)
    values = [(c.params["num_leaves"], c.params["max_bin"]) for c in tried if REPEAT not in c.params]
    assert sorted(values) == [(4, 0), (4, 1), (8, 0), (8, 1)]
    assert {c.algorithm for c in tried} == {Algorithm.LIGHTGBM}
    assert order.why_done == "every configuration that was asked for has been tried"


def test_what_cannot_be_sampled_is_tried_as_it_is_where_it_is_asked_for():
    both = (Algorithm.SVM, Algorithm.LIGHTGBM)
    for allowed in ((Algorithm.SVM,), both):
        tried, _ = ordered(worse_later, 6, sampling_algorithm=Sampling.RANDOM, allowed_training_algorithms=allowed)
        assert [c.params for c in tried if c.algorithm == Algorithm.SVM][:2] == list(LEARNERS[Algorithm.SVM].configs)
        assert {c.algorithm for c in tried} == set(allowed)
    tried, _ = ordered(worse_later, 20, sampling_algorithm=Sampling.RANDOM)
    assert {c.algorithm for c in tried} <= set(SPACES)


def test_a_search_that_ends_early_says_so_in_its_notes(searching):
    one = {"LightGBM": {"num_leaves": Distribution(Kind.CHOICE, (4,))}}
    result = searching.run(spec={"search_space": one, "sampling_algorithm": Sampling.GRID})
    assert result.notes == ("The search ended after 1 of 20 s: every configuration that was asked for has been tried",)


def test_a_small_table_is_never_thinned():
    pace = Pace(rows=1_000, columns=20)
    config = PORTFOLIO[0]
    assert pace.first(config) == config
    pace.note(Trial(0, config.algorithm, TrialState.SUCCEEDED, config.params, duration_s=50.0))
    assert pace.within(config, 3.0) == config


def test_the_first_model_of_a_large_table_comes_from_some_of_its_rows():
    config, pace = PORTFOLIO[0], Pace(rows=1_000_000, columns=20)
    rows = pace.first(config).params[TRAINING_ROWS]
    assert rows * 20 <= CELLS_FIRST < 2 * rows * 20


@pytest.mark.parametrize(("most", "small"), [(1, False), (2, True)])
def test_a_trial_that_cannot_be_tried_again_sees_all_rows_at_once(searching, monkeypatch, most, small):
    monkeypatch.setattr("core.ml.plan.pace.CELLS_FIRST", 800)
    monkeypatch.setattr("core.ml.plan.pace.ROWS_MIN", 50)
    searching.run(spec={"max_trials": most})
    assert (TRAINING_ROWS in singles(searching)[0].params) == small


@pytest.mark.parametrize("odd", ["fast", -0.1, 0, None, True])
def test_what_is_no_number_above_0_in_a_users_space_stops_no_plan(odd):
    usual = work(Algorithm.LIGHTGBM, {"num_leaves": 16, "learning_rate": 0.1})
    assert 0 < work(Algorithm.LIGHTGBM, {"num_leaves": 16, "learning_rate": odd}) <= usual
    assert work(Algorithm.XGBOOST, {"max_depth": odd, "eta": 0.1}) > 0
    assert work(Algorithm.LIGHTGBM, {"num_leaves": odd, "learning_rate": 0.1}) > 0


def test_a_trial_is_given_the_rows_that_its_time_allows():
    config, pace = PORTFOLIO[0], Pace(rows=1_000_000, columns=20)
    pace.note(Trial(0, config.algorithm, TrialState.SUCCEEDED, config.params, duration_s=100.0))
    sized = [pace.within(config, left).params.get(TRAINING_ROWS, pace.rows) for left in (5.0, 20.0, 60.0, 200.0)]
    assert all(less < more for less, more in pairwise(sized))
    assert sized[-1] == pace.rows
    assert pace.expected_s(pace.within(config, 20.0)) <= 20.0


def test_a_slow_trial_does_not_start_when_it_could_not_end():
    pace = Pace(rows=1_000, columns=20)
    linear = Config(Algorithm.LOGISTIC_REGRESSION, {"C": 1.0})
    pace.note(Trial(0, linear.algorithm, TrialState.SUCCEEDED, linear.params, duration_s=10.0))
    assert pace.fits(linear, 11.0)
    assert not pace.fits(linear, 9.0)


def test_one_trial_at_a_time_gives_the_same_figures_for_the_same_seed(tmp_path):
    def figures(name: str) -> list[dict[str, float]]:
        (tmp_path / name).mkdir()
        searching = Searching(tmp_path / name)
        spec = {"max_trials": 3, "max_concurrent_trials": 1, "n_cross_validations": 2, "timeout_s": 300.0}
        searching.run(spec=spec, executor=InProcessExecutor(train=train))
        return [dict(t.metrics) for t in searching.ended]

    first, second = figures("a"), figures("b")
    assert len(first) >= 3
    for one, other in zip(first, second, strict=True):
        assert one == pytest.approx(other, abs=1e-9)


@dataclass
class SlowFits:
    """A learner whose fits take a second for each hundred rows, of a clock that only they move."""

    learner: Learner
    now: float = 0.0
    rows: list[int] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def fit(self, setup: Setup, rows: Rows, held_out: Sequence[Rows], rounds: int) -> Fitted:
        self.rows.append(len(rows[1]))
        self.now += len(rows[1]) / 100
        return self.learner.fit(setup, rows, held_out, rounds)


@pytest.mark.parametrize(
    ("seconds", "first", "later"), [(1_000.0, 2_400, 2_400), (30.0, 2_400, 1_000), (0.0, 1_000, 1_000)]
)
def test_a_trial_that_is_late_finishes_its_folds_on_fewer_rows(tmp_path, monkeypatch, seconds, first, later):
    name = Algorithm.LOGISTIC_REGRESSION
    slow = SlowFits(LEARNERS[name])
    monkeypatch.setattr("core.ml.trial.time", slow)
    monkeypatch.setattr("core.ml.trial.LEARNERS", {name: replace(slow.learner, fit=slow.fit)})
    table = write_table(tmp_path / "t.parquet", customers(3_000))
    spec = TrainingSpec(DataRef("t"), "answer", n_cross_validations=5)
    problem = prepare(table, spec, profile_table(table, "answer")).problem
    train(TrialTask(0, name, slow.learner.configs[0], problem, tmp_path / "0", 1, seconds), bool, lambda _: None)
    assert slow.rows == [first, *[later] * 4]
    assert len(read_finished(tmp_path)[0].oof()) == 3_000


def test_answers_that_are_no_numbers_fail_their_trial(tmp_path, monkeypatch):
    name = Algorithm.ELASTIC_NET
    nothing = replace(LEARNERS[name], fit=lambda *_: Unmoved(np.array([math.nan])))
    monkeypatch.setattr("core.ml.trial.LEARNERS", {name: nothing})
    table = write_table(tmp_path / "t.parquet", customers())
    spec = TrainingSpec(DataRef("t"), "age", task=Task.REGRESSION, n_cross_validations=2)
    problem = prepare(table, spec, profile_table(table)).problem
    with pytest.raises(TrainingFailed, match="no numbers"):
        train(TrialTask(0, name, {}, problem, tmp_path / "0", 1), bool, lambda _: None)


def test_a_repeat_answers_every_row_by_other_models(tmp_path):
    searching = Searching(tmp_path)
    one = {"LogisticRegression": {"C": Distribution(Kind.CHOICE, (1.0,))}}
    spec = {"n_cross_validations": 2, "timeout_s": 300.0, "search_space": one, "max_trials": 2}
    searching.run(spec=spec, executor=InProcessExecutor(train=train))
    first, repeat = read_finished(searching.folder / "trials")[:2]
    assert repeat.trial.params == {**first.trial.params, REPEAT: 1}
    assert repeat.oof().shape == first.oof().shape
    assert abs(repeat.oof() - first.oof()).max() > 1e-6
    assert len(repeat.trial.fold_scores) == 2
    assert repeat.problem == first.problem


def test_what_would_take_too_much_of_the_time_waits_for_what_is_cheaper():
    pace = Pace(rows=10_000, columns=20)
    cheap, dear = Config(Algorithm.LIGHTGBM, {"num_leaves": 16, "learning_rate": 0.1}), Config(Algorithm.CATBOOST, {})
    assert pace.affordable(dear, 1.0), "while nothing is known nothing waits"
    pace.note(Trial(0, cheap.algorithm, TrialState.SUCCEEDED, cheap.params, duration_s=2.0))
    slow = Config(Algorithm.LIGHTGBM, {"num_leaves": 3, "learning_rate": 0.05})
    assert pace.expected_s(slow) > 3 * pace.expected_s(cheap)
    assert pace.affordable(cheap, 30.0)
    assert not pace.affordable(dear, 30.0)
    assert pace.affordable(dear, 300.0)


def test_nothing_that_waited_is_forgotten():
    spec = TrainingSpec(DataRef("t"), "y")
    plain, patient = Order(spec, Leaderboard("AUC_weighted", "")), Order(spec, Leaderboard("AUC_weighted", ""))
    count = len(list(portfolio(spec)))
    first = [plain.next() for _ in range(count)]
    later = [patient.next(lambda config: config.algorithm != Algorithm.CATBOOST) for _ in range(count)]
    assert {config.key for config in first} == {config.key for config in later}
    assert [c.algorithm for c in later if c.algorithm == Algorithm.CATBOOST] == [
        c.algorithm for c in later[-sum(c.algorithm == Algorithm.CATBOOST for c in later) :]
    ]


def test_an_algorithm_that_is_far_behind_waits_for_the_others():
    board = Leaderboard("AUC_weighted", "")
    order = Order(TrainingSpec(DataRef("t"), "y"), board)
    for number, value in enumerate((0.93, 0.80)):
        config = order.next()
        trial = Trial(
            number, config.algorithm, TrialState.SUCCEEDED, config.params, {"AUC_weighted": value},
            fold_scores=(value - 0.002, value, value + 0.002),
        )  # fmt: skip
        board.add(FinishedTrial(trial, Path(), ""))
    assert board.ranked[-1].trial.algorithm == Algorithm.LOGISTIC_REGRESSION
    rest = [order.next().algorithm for _ in range(12)]
    assert Algorithm.LOGISTIC_REGRESSION not in rest


@pytest.mark.parametrize("name", [Algorithm.LIGHTGBM, Algorithm.EXTRA_TREES])
def test_an_algorithm_of_which_a_trial_waits_is_sampled_after_the_others(name):
    space = {a: SPACES[a] for a in (Algorithm.LIGHTGBM, Algorithm.EXTRA_TREES)}
    _, order = ordered(lambda n: 0.5, 0, search_space=space)
    order.behind.add(name)
    assert order.next().algorithm is not name


@pytest.mark.parametrize(
    ("scores", "waits"),
    [([0.80], True), ([0.895], False), ([0.92], False), ([0.88, 0.86], True), ([0.7, 0.7, 0.7], False)],
)
def test_a_trial_waits_whose_first_folds_are_two_spreads_behind_the_best_ones(scores, waits):
    assert may_wait(scores, (0.90, 0.91, 0.89)) is waits
    assert not why_hopeless(scores, (0.90, 0.91, 0.89))


def test_the_first_model_of_a_wide_table_sees_some_of_its_columns_in_each_tree_and_is_tried_on_all_of_them_later():
    config = next(c for c in PORTFOLIO if c.algorithm is Algorithm.LIGHTGBM)
    first = Pace(rows=1_000, columns=2_000).first(config)
    assert first.params == {**config.params, "feature_fraction": 0.25}
    assert first.key != config.key
