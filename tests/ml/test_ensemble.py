"""What is made of the answers of several models, and what is said of it: on rows that had no part in making it."""

import numpy as np
import pytest

from core.domain.metrics import TaskKind
from core.ml.ensembles.making import Ensemble, Judged, calibrated, chosen, stacked, vote_of
from core.ml.ensembles.weighing import FIRST_MAX, MEMBERS_MAX, evidence, first_picks, loss_of
from core.ml.metrics import score
from core.predict.combination import Calibration, Vote

ROWS = 600
LABELS = np.random.default_rng(1).integers(0, 2, ROWS)
BLOCKS = np.random.default_rng(2).permutation(np.arange(ROWS) % 5)


def judged(metric: str = "AUC_weighted", **options) -> Judged:
    values = {"kind": TaskKind.BINARY, "target": LABELS, "blocks": BLOCKS, "seed": 7, **options}
    return Judged(metric=metric, **values)


def answers(seed: int, noise: float, labels: np.ndarray = LABELS) -> np.ndarray:
    margin = (2 * labels - 1) + np.random.default_rng(seed).normal(0, noise, len(labels))
    positive = 1 / (1 + np.exp(-2 * margin / noise**2))  # the true chance
    return np.column_stack((1 - positive, positive))


def by_chance(seed: int) -> np.ndarray:
    positive = np.random.default_rng(seed).uniform(0.2, 0.8, ROWS)
    return np.column_stack((1 - positive, positive))


def test_independent_models_vote_better_than_the_best_of_them():
    said = np.array([answers(seed, 2.0) for seed in range(6)])
    vote, _ = vote_of(judged(), said)
    assert sum(vote.weights) == pytest.approx(1)
    best = max(score("AUC_weighted", LABELS, one) for one in said)
    assert score("AUC_weighted", LABELS, vote.said) > best + 0.01


def test_a_weaker_model_helps_with_a_small_weight():
    vote, _ = vote_of(judged(), np.array([answers(1, 1.5), answers(2, 2.0)]))
    assert vote.weights[0] > 0.6


def test_a_single_model_copies_of_one_and_a_useless_second_are_no_vote():
    same = answers(1, 2.0)
    assert vote_of(judged(), np.array([same])) is None
    assert vote_of(judged(), np.array([same, same])) is None
    assert vote_of(judged(), np.array([answers(1, 0.2), by_chance(2)])) is None


def test_no_more_members_than_a_server_can_afford():
    vote, _ = vote_of(judged(), np.array([answers(seed, 4.0) for seed in range(12)]))
    assert len(vote.members) == MEMBERS_MAX


def test_a_selection_begins_with_good_models_of_several_kinds():
    said = np.array([*(answers(seed, 2.0) for seed in range(4)), answers(4, 2.0), answers(5, 2.0), by_chance(6)])
    own = evidence(TaskKind.BINARY, "AUC_weighted", LABELS, said)
    loss = loss_of(TaskKind.BINARY, "AUC_weighted")
    first = first_picks(own, loss, ["trees"] * 4 + ["linear", "network", "linear"])
    assert len(set(first) & {0, 1, 2, 3}) == 2
    assert {4, 5} < set(first), "others of their kind are as good"
    assert 6 not in first, "it is surely worse"
    assert len(first_picks(np.repeat(own[:1], 3, axis=0), loss)) == 1, "copies"
    assert len(first_picks(np.array([own[at % 6] + at * 1e-3 for at in range(12)]), loss)) <= FIRST_MAX


def test_few_rows_do_not_make_the_luckiest_of_equal_models_the_only_one():
    fresh = np.random.default_rng(9).integers(0, 2, 4_000)
    equal = range(20, 26)
    said = np.array([answers(seed, 3.0) for seed in equal])
    later = np.array([answers(seed + 100, 3.0, fresh) for seed in equal])
    vote, _ = vote_of(judged(), said)
    assert max(vote.weights) < 0.4
    mean = vote.combination.combined(list(later[list(vote.members)]))
    assert score("AUC_weighted", fresh, mean) > max(score("AUC_weighted", fresh, one) for one in later) + 0.01


def test_what_a_vote_says_of_a_block_is_weighed_by_the_other_blocks_alone():
    said = np.array([answers(seed, 2.0) for seed in range(4)])
    vote, by_block = vote_of(judged(), said)
    changed = said.copy()
    changed[0][BLOCKS == 3] = changed[0][BLOCKS == 3][:, ::-1]  # wrong in one block
    _, others = vote_of(judged(), changed)
    assert by_block[3] == pytest.approx(others[3])
    assert by_block[0] != pytest.approx(others[0])
    expected = np.tensordot(by_block[3], said[:, BLOCKS == 3], 1)
    assert vote.said[BLOCKS == 3] == pytest.approx(expected)


def test_class_weights_count_in_the_vote():
    labels = (np.random.default_rng(3).random(ROWS) < 0.2).astype(np.int64)
    for_many, for_few = (np.column_stack((1 - p, p)) for p in (np.full(ROWS, 0.05), np.full(ROWS, 0.9)))
    said = np.array([for_many, for_few])
    plain, _ = vote_of(judged("log_loss", target=labels), said)
    weighed, _ = vote_of(judged("log_loss", target=labels, class_weights=(0.5, 3.0)), said)
    assert weighed.weights[1] > plain.weights[1] + 0.1


def test_a_regressions_vote_is_the_weighted_mean_with_the_smallest_error():
    target = np.random.default_rng(1).normal(50, 10, ROWS)
    said = np.array([target + np.random.default_rng(seed).normal(0, 3, ROWS) for seed in range(4)])[:, :, None]
    of = judged("normalized_root_mean_squared_error", kind=TaskKind.REGRESSION, target=target)
    vote, _ = vote_of(of, said)
    assert vote.weights == pytest.approx((0.25,) * 4, abs=0.1)
    assert np.abs(vote.said[:, 0] - target).mean() < 0.7 * np.abs(said[0, :, 0] - target).mean()


def test_a_regressions_stack_mends_what_a_mean_cannot():
    target = np.random.default_rng(1).normal(50, 10, ROWS)
    said = np.array([40 + 0.2 * target + np.random.default_rng(s).normal(0, 1, ROWS) for s in range(2)])[:, :, None]
    of = judged("r2_score", kind=TaskKind.REGRESSION, target=target)
    vote = Ensemble((0, 1), Vote((0.5, 0.5)), said.mean(axis=0))
    stack = stacked(of, said, vote, [np.array([0.5, 0.5])] * 5)
    assert score("r2_score", target, stack.said) > 0.6 > score("r2_score", target, vote.said)
    assert stack.combination.combined(list(said)) == pytest.approx(stack.said, abs=3.0)


def test_a_vote_that_is_far_too_unsure_is_calibrated():
    said = np.array([0.5 + (answers(seed, 1.0) - 0.5) / 5 for seed in range(2)])
    vote, _ = vote_of(judged(), said)
    better = calibrated(judged(), vote)
    assert better.combination.calibration.slope > 1.5
    assert score("log_loss", LABELS, better.said) < score("log_loss", LABELS, vote.said) - 0.02


def true_chances(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    positive = random.uniform(0.05, 0.95, ROWS)
    return (random.random(ROWS) < positive).astype(np.int64), np.column_stack((1 - positive, positive))


def test_probabilities_that_are_right_are_hardly_touched():
    lost = []
    for seed in range(20):
        labels, chances = true_chances(seed)
        made = calibrated(judged(target=labels), Ensemble((0, 1), Vote((0.5, 0.5)), chances))
        said = made.combination.combined([chances.copy(), chances])
        lost.append((chances * np.log(chances / said)).sum(axis=1).mean())
    assert np.mean(lost) < 0.002
    assert max(lost) < 0.008


def test_a_calibration_that_is_surely_worse_is_not_kept():
    of = judged()
    labels, chances = true_chances(1)
    # Half of the blocks need what would be wrong for the other half, so that each is misled by the others.
    upwards = of.blocks == 0
    labels = np.where(upwards, np.maximum(labels, chances[:, 1] > 0.4), labels)
    vote = Ensemble((0, 1), Vote((0.5, 0.5)), chances)
    one_against_four = judged(target=labels)
    assert calibrated(one_against_four, vote, always=True) is not vote
    assert calibrated(one_against_four, vote) is vote


def test_a_stack_that_does_not_surely_win_is_not_kept():
    kept = 0
    for seed in range(20):
        labels, chances = true_chances(seed)
        of, said = judged(target=labels), np.array([chances, chances])
        vote = Ensemble((0, 1), Vote((0.5, 0.5)), chances)
        kept += stacked(of, said, vote, [np.array([0.5, 0.5])] * 5) is not None
    assert kept <= 2


def test_what_class_weights_have_moved_is_not_calibrated_back():
    said = np.array([0.5 + (answers(seed, 1.0) - 0.5) / 5 for seed in range(2)])
    of = judged(class_weights=(0.5, 1.5))
    vote, by_block = vote_of(of, said)
    assert calibrated(of, vote) is vote
    assert stacked(of, said, vote, by_block) is None


def test_the_figures_of_a_winner_do_not_tell_of_its_luck():
    told, nested = [], []
    for draw in range(30):
        labels = np.random.default_rng(draw).integers(0, 2, ROWS)
        lucky = [by_chance(1_000 * draw + seed) for seed in range(20)]  # none knows anything
        at, crossed = chosen(judged(target=labels), lucky)
        told.append(score("AUC_weighted", labels, lucky[at]))
        nested.append(score("AUC_weighted", labels, crossed))
    assert np.mean(told) > 0.53
    assert np.mean(nested) == pytest.approx(0.5, abs=0.012)


def test_of_equals_the_first_is_chosen_and_a_block_without_a_metric_does_not_count():
    same = answers(1, 1.0)
    assert chosen(judged(), [same, same])[0] == 0
    one_class = judged(target=np.where(BLOCKS == 2, 0, LABELS))
    assert chosen(one_class, [by_chance(1), answers(2, 0.5)])[0] == 1


def test_a_single_block_decides_by_its_own_rows():
    of = judged(blocks=np.zeros(ROWS, dtype=np.int64))
    said = np.array([answers(seed, 2.0) for seed in range(3)])
    vote, by_block = vote_of(of, said)
    assert vote.said == pytest.approx(np.tensordot(by_block[0], said, 1))
    assert stacked(of, said, vote, by_block) is None
    assert isinstance(calibrated(of, vote).combination.calibration, Calibration | None)
