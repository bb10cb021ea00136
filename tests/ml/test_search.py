"""The search's bookkeeping, with trials that cost nothing."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from search_doubles import Searching

from core.domain.algorithms import ENSEMBLES
from core.domain.errors import TrainingFailed
from core.domain.training import Algorithm, TrialState
from core.ml.executor import InProcessExecutor
from core.ml.finished import FinishedTrial, commit, read_finished, stage
from core.ml.task import TrialOutcome


@pytest.fixture
def searching(tmp_path) -> Searching:
    return Searching(tmp_path)


def test_every_trial_is_told_when_it_starts_and_when_it_ended(searching):
    searching.run(spec={"max_trials": 3})
    single = [(t.number, t.state) for t in searching.heard if t.algorithm not in ENSEMBLES]
    running, done = TrialState.RUNNING, TrialState.SUCCEEDED
    assert single == [(0, running), (0, done), (1, running), (1, done), (2, running), (2, done)]


def test_a_trial_is_on_disk_before_it_is_told(searching):
    def look(trial):
        if trial.state is not TrialState.RUNNING:
            kept = json.loads((searching.folder / "trials" / str(trial.number) / "trial.json").read_text())
            assert kept["trial"]["metrics"] == dict(trial.metrics)
            searching.heard.append(trial)

    searching.run(spec={"max_trials": 3}, on_trial=look)
    assert len(searching.heard) >= 3


def test_the_best_trial_wins_alone_where_a_vote_does_not_help(searching):
    searching.trials.skill = lambda number: 1.0 if number == 1 else 0.1
    result = searching.run(spec={"max_trials": 4})
    assert result.best.number == 1
    assert result.members == ((1, 1.0),)


def test_a_vote_of_the_best_is_a_trial_of_its_own(searching):
    result = searching.run(spec={"max_trials": 5, "enable_stack_ensemble": False})
    assert result.best.algorithm == Algorithm.VOTING_ENSEMBLE
    assert result.best.members == tuple(number for number, _ in result.members)
    assert sum(weight for _, weight in result.members) == pytest.approx(1.0)
    singles = [t.metrics["AUC_weighted"] for t in searching.ended if not t.members]
    assert result.best.metrics["AUC_weighted"] > max(singles)


def test_a_vote_is_there_while_the_search_runs_and_is_one_trial_until_its_end(searching):
    result = searching.run(spec={"max_trials": 7, "enable_stack_ensemble": False})
    votes = [t for t in searching.heard if t.algorithm == Algorithm.VOTING_ENSEMBLE]
    assert {t.number for t in votes} == {result.best.number} == {3}
    assert searching.heard.index(votes[1]) < len(searching.heard) - 3
    assert votes[-1].metrics["AUC_weighted"] > votes[1].metrics["AUC_weighted"]
    assert sorted({t.number for t in searching.ended}) == list(range(8))


def test_a_stack_is_held_only_where_it_surely_beats_the_vote(searching):
    searching.trials.skill = lambda number: 0.6
    searching.run(spec={"max_trials": 5})
    stack = next(t for t in searching.ended if t.algorithm == Algorithm.STACK_ENSEMBLE)  # all are far too unsure
    vote = next(t for t in searching.ended if t.algorithm == Algorithm.VOTING_ENSEMBLE)
    assert stack.metrics["log_loss"] < vote.metrics["log_loss"]


def test_no_vote_is_held_where_the_job_wants_none(searching):
    result = searching.run(spec={"max_trials": 4, "enable_vote_ensemble": False, "enable_stack_ensemble": False})
    assert not {t.algorithm for t in searching.ended} & set(ENSEMBLES)
    assert len(result.members) == 1


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_the_primary_metric_decides_what_is_best(searching, metric):
    best = searching.run(spec={"max_trials": 5, "primary_metric": metric}).best.metrics[metric]
    values = [t.metrics[metric] for t in searching.ended]
    assert best == (min(values) if metric == "log_loss" else max(values))


def test_a_failed_trial_is_kept_with_its_cause_and_the_others_go_on(searching):
    searching.trials.fails = {1: "too hot"}
    searching.run(spec={"max_trials": 4})
    failed = [t for t in searching.ended if t.state is TrialState.FAILED]
    assert [(t.number, t.error) for t in failed] == [(1, "ValueError: too hot")]
    assert (searching.folder / "trials" / "1" / "trial.json").exists()


def test_a_search_without_any_success_says_why(searching):
    searching.trials.fails = dict.fromkeys(range(9), "no memory left")
    with pytest.raises(TrainingFailed, match="no memory left"):
        searching.run(spec={"max_trials": 3})


def test_a_search_in_which_every_trial_fails_ends_early(searching):
    searching.trials.fails = dict.fromkeys(range(99), "It used 141 MB of memory")
    with pytest.raises(TrainingFailed, match="the first of 20 failed") as raised:
        searching.run(spec={"timeout_s": 600.0})
    assert "more memory" in raised.value.hint


def test_the_time_is_kept_and_what_runs_at_its_end_is_stopped(searching):
    searching.trials.lasts_s = 3.7
    before = searching.clock.now
    searching.run(spec={"timeout_s": 20.0})
    assert 17 <= searching.clock.now - before <= 20
    assert TrialState.STOPPED in {t.state for t in searching.ended}


def test_time_that_earlier_starts_used_counts(searching):
    before = searching.clock.now
    searching.run(spec={"timeout_s": 20.0}, time_used_s=12.0)
    assert searching.clock.now - before <= 8


@pytest.mark.parametrize("lasts_s", [5.9, 40.0])
def test_a_first_trial_may_run_over_since_late_is_better_than_never(searching, lasts_s):
    searching.trials.lasts_s = lasts_s
    assert searching.run(spec={"timeout_s": 5.0}).best.number == 0


def test_a_first_trial_that_takes_for_ever_ends_the_search_in_time(searching):
    searching.trials.lasts_s = 600
    before = searching.clock.now
    with pytest.raises(TrainingFailed, match="No trial ended within 5 s"):
        searching.run(spec={"timeout_s": 5.0})
    assert searching.clock.now - before < 5 * 1.1 + 5 + 60  # one tenth of the trial


def test_trials_that_all_run_over_their_own_limit_are_not_told_that_the_job_was_short(searching):
    searching.trials.lasts_s = 30
    with pytest.raises(TrainingFailed, match="No trial ended within its own limit of 1 s") as raised:
        searching.run(spec={"timeout_s": 60.0, "trial_timeout_s": 1.0})
    assert "Give each trial more time" in raised.value.hint


def test_where_every_trial_was_canceled_the_search_says_so(searching):
    with pytest.raises(TrainingFailed, match="the first of 2 was stopped: Canceled"):
        searching.run(spec={"max_trials": 2}, given_up=lambda number: "Canceled")


def test_time_is_kept_for_the_last_ensembles_by_what_those_before_took(searching):
    def slow_ensembles(trial):
        searching.clock.now += 3.0 if trial.members and trial.state is TrialState.SUCCEEDED else 0.0

    searching.trials.skill = lambda number: 0.7
    before = searching.clock.now
    searching.run(spec={"timeout_s": 30.0}, on_trial=slow_ensembles)
    assert 20 < searching.clock.now - before <= 30


def test_no_trial_starts_that_could_not_end(searching):
    searching.trials.lasts_s = 8.0
    searching.run(spec={"timeout_s": 20.0})
    assert [t.state for t in searching.ended if not t.members] == [TrialState.SUCCEEDED] * 2


def test_a_trial_knows_how_much_time_it_has(searching):
    searching.run(spec={"max_trials": 2})
    assert [round(task.seconds) for task in searching.trials.tasks] == [9, 8]
    # The first one plans to be done at half of the time, so that there is a model even where all takes longer.


def test_a_stopped_search_gives_what_it_has(searching):
    result = searching.run(should_stop=lambda: len(searching.ended) >= 2)
    assert [t.number for t in searching.ended] == [0, 1]
    assert result.best.number in (0, 1)


def test_finished_trials_are_not_trained_again_and_numbers_go_on(searching):
    searching.trials.fails = {1: "once is enough"}
    searching.run(should_stop=lambda: len(searching.ended) >= 3)
    tried = [(task.algorithm, task.params) for task in searching.trials.tasks]
    searching.heard.clear()
    finished = read_finished(searching.folder / "trials")
    assert [f.trial.number for f in finished] == [0, 1, 2]
    result = searching.run(spec={"max_trials": 6}, finished=finished)
    assert [t.number for t in searching.ended if not t.members] == [3, 6, 7]
    again = [(task.algorithm, task.params) for task in searching.trials.tasks[len(tried) :]]
    assert not [config for config in again if config in tried]
    assert result.best.metrics["AUC_weighted"] >= max(f.trial.metrics.get("AUC_weighted", 0) for f in finished)


def test_a_search_killed_before_its_last_word_gives_the_same_again(searching):
    first = searching.run(spec={"max_trials": 4})
    searching.heard.clear()
    again = searching.run(spec={"max_trials": 4}, finished=read_finished(searching.folder / "trials"))
    assert again.members == first.members
    assert again.best == first.best
    assert searching.heard == []


def test_trials_of_another_problem_do_not_vote(searching):
    searching.run(spec={"max_trials": 2})
    finished = read_finished(searching.folder / "trials")
    result = searching.run(spec={"max_trials": 5, "exclude": ("age",)}, finished=finished)
    assert all(number > 2 for number, _ in result.members)


def test_a_half_written_trial_is_not_read(searching):
    searching.run(spec={"max_trials": 2})
    partial = searching.folder / "trials" / ".7.partial"
    partial.mkdir()
    (partial / "trial.json").write_text("{}")
    assert 7 not in [f.trial.number for f in read_finished(searching.folder / "trials")]


def test_what_takes_the_place_of_a_trial_never_empties_it_under_its_own_name(tmp_path, monkeypatch):
    removed = list[str]()
    monkeypatch.setattr("core.ml.finished.shutil.rmtree", lambda path, **_: removed.append(Path(path).name))
    for text in ("first", "second"):
        staged = stage(tmp_path / "3")
        (staged / "trial.json").write_text(text)
        commit(staged, tmp_path / "3")
    assert (tmp_path / "3" / "trial.json").read_text() == "second"
    assert "3" not in removed


def test_no_folder_holds_no_trials(tmp_path):
    assert read_finished(tmp_path / "nowhere") == []


def test_the_result_carries_what_was_found_out_of_the_table(searching):
    result = searching.run(spec={"max_trials": 2})
    assert result.signature.classes == ("no", "yes")
    assert "useless_columns" in {g.name for g in result.guardrails}


class CountingExecutor:
    """Another executor behind the same seam: it runs everything backwards in pairs, and counts."""

    threads = 3

    def __init__(self, inner: InProcessExecutor) -> None:
        self.inner, self.taken = inner, 0

    slots = 2

    def run(self, tasks, stop, given_up):
        waiting = iter(tasks)
        while pair := list(islice(waiting, 2)):
            self.taken += len(pair)
            yield from reversed(list(self.inner.run(reversed(pair), stop, given_up)))


def test_another_executor_takes_the_place_of_the_first(searching):
    executor = CountingExecutor(InProcessExecutor(train=searching.trials))
    result = searching.run(executor=executor, spec={"max_trials": 4})
    assert executor.taken == 4
    assert {task.threads for task in searching.trials.tasks} == {3}
    assert result.best.state is TrialState.SUCCEEDED


def test_an_executor_may_lose_a_trial_to_a_crash(searching):
    class Crashing(InProcessExecutor):
        def run(self, tasks, stop, given_up):
            for outcome in super().run(tasks, stop, given_up):
                yield TrialOutcome(outcome.number, TrialState.FAILED, "killed") if outcome.number == 0 else outcome

    result = searching.run(executor=Crashing(train=searching.trials), spec={"max_trials": 3})
    assert 0 not in [number for number, _ in result.members]


def test_out_of_fold_answers_are_kept_for_every_row(searching):
    searching.run(spec={"max_trials": 1})
    assert np.load(searching.folder / "trials" / "0" / "oof.npy").shape == (400, 2)


def slow(finished: list[FinishedTrial], *numbers: int) -> list[FinishedTrial]:
    """The same trials, of which these have no fast path."""
    return [replace(f, trial=replace(f.trial, fast=f.trial.number not in numbers)) for f in finished]


def test_a_trial_without_a_fast_path_neither_wins_nor_votes_unless_it_was_asked_for(searching):
    searching.trials.skill = lambda number: 0.95 if number == 1 else 0.6
    searching.run(spec={"max_trials": 4})
    kept = slow([f for f in read_finished(searching.folder / "trials") if not f.trial.members], 1)
    algorithm = kept[1].trial.algorithm
    result = searching.run(spec={"max_trials": 4}, finished=kept)
    assert 1 not in dict(result.members)
    assert 1 not in result.best.members
    asked = {"max_trials": 4, "allowed_training_algorithms": tuple({f.trial.algorithm for f in kept} | {algorithm})}
    result = searching.run(spec=asked, finished=kept)
    assert 1 in dict(result.members)
    assert not any("slowly" in note for note in result.notes)


def test_where_nothing_faster_succeeded_a_slow_one_wins_and_the_notes_say_so(searching):
    searching.run(spec={"max_trials": 2})
    kept = slow([f for f in read_finished(searching.folder / "trials") if not f.trial.members], 0, 1)
    result = searching.run(spec={"max_trials": 2}, finished=kept)
    assert set(dict(result.members)) <= {0, 1}
    assert any("no faster algorithm succeeded" in note for note in result.notes)
