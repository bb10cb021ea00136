"""The folds of a bag, and the bags of a model, answer at once what they answer one by one."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_forests import COLUMNS, TREES, random_forest, random_rows

from core.predict.ensemble import Ensemble
from core.predict.linear import Linear
from core.predict.merging import answers, merged
from core.predict.network import Network
from core.predict.part import Part, bagged
from core.predict.scores import Scores
from core.predict.steps import Arithmetic, Lookup, Step

ONE_BY_ONE = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEEDS = st.integers(0, 2**32)


def lookup(rng: np.random.Generator, columns: int) -> Lookup:
    """A key of one column and a key of two; how many edges a part has is each fold's own."""
    size, edges = rng.integers(1, 4, 3), int(rng.integers(1, 4))
    cells = [size[0] + 1, (size[1] + 1) * (size[2] + 1)]
    return Lookup(
        column=rng.integers(0, columns, 3),
        size=size,
        edges=np.sort(rng.integers(-4, 5, (3, edges)) / 2.0, axis=1),
        numeric=np.array([True, False, True]),
        first=np.array([0, 1]),
        start=np.array([0, cells[0]]),
        table=rng.normal(size=(sum(cells), 2)),
    )


def sums(rng: np.random.Generator, columns: int) -> Arithmetic:
    return Arithmetic(rng.integers(0, columns, 4), rng.integers(0, columns, 4), np.arange(4))


def scores(rng: np.random.Generator, columns: int) -> Scores:
    starts = np.concatenate(([0], np.cumsum(rng.integers(1, 6, 2))))
    return Scores(rng.integers(0, columns, 2), starts, np.arange(float(starts[-1])), rng.normal(size=starts[-1]))


def steps_of(rng: np.random.Generator, kinds: list[str]) -> tuple[Step, ...]:
    """Each may read what the earlier ones have added."""
    made: list[Step] = []
    columns = COLUMNS
    for kind in kinds:
        made.append({"lookup": lookup, "arithmetic": sums, "scores": scores}[kind](rng, columns))
        columns += len(made[-1].sources)
    return tuple(made)


def linear(rng: np.random.Generator, columns: int, outputs: int) -> Linear:
    """The first column is text of up to 4 levels; the last ones are numbers."""
    text, numbers, places = np.array([0], np.int32), np.arange(1, columns, dtype=np.int32), int(rng.integers(1, 5))
    return Linear(
        numbers, rng.normal(size=columns - 1), rng.uniform(0.5, 2, columns - 1),
        rng.normal(size=(columns - 1, outputs)), rng.normal(size=(columns - 1, outputs)),
        text, np.zeros(1, np.int32), np.array([places], np.int32), rng.normal(size=(places + 1, outputs)),
        rng.normal(size=outputs), "softmax" if outputs > 1 else "sigmoid",
    )  # fmt: skip


def network(rng: np.random.Generator, columns: int, outputs: int) -> Network:
    layers = (rng.normal(size=(6, 4)), rng.normal(size=(4, outputs)))
    active = "cos" if outputs == 3 else "relu"
    return Network(linear(rng, columns, 6), layers, (rng.normal(size=4), rng.normal(size=outputs)), active, "softmax")


STEPS = st.lists(st.sampled_from(["lookup", "arithmetic", "scores"]), max_size=3)


@given(
    seed=SEEDS,
    kinds=st.lists(st.sampled_from(list(TREES)), min_size=1, max_size=3),
    count=st.sampled_from([0, 1, 2, 9, 70]),
    sets=st.booleans(),
    steps=STEPS,
)
@ONE_BY_ONE
def test_all_bags_of_trees_answer_in_one_call_with_the_same_bits(evaluator, seed, kinds, count, sets, steps):
    rng, bags = np.random.default_rng(seed), []
    for kind in kinds:
        parts = []
        for at, share in enumerate(rng.random(rng.integers(1, 6))):
            own = steps_of(rng, steps)
            columns = COLUMNS + sum(len(step.sources) for step in own)
            parts.append(Part(random_forest(rng, kind, 5 + at, sets, columns), share, own))
        bags.append(tuple(parts))
    rows = random_rows(rng, count)
    ensemble = Ensemble.of(bags, COLUMNS)
    assert (len(ensemble.others) == 0) is (evaluator == "compiled")
    with np.errstate(all="ignore"):
        wanted = [bagged(parts, rows) for parts in bags]
        for made in (ensemble, pickle.loads(pickle.dumps(ensemble))):
            assert all(map(np.array_equal, made.said(rows), wanted))


@given(
    seed=SEEDS,
    make=st.sampled_from([linear, network]),
    folds=st.integers(2, 6),
    outputs=st.integers(1, 3),
    count=st.sampled_from([1, 2, 9, 70]),
    steps=STEPS,
)
@settings(ONE_BY_ONE, max_examples=30)
def test_linear_models_and_networks_answer_at_once_to_the_last_digits(
    evaluator, seed, make, folds, outputs, count, steps
):
    rng = np.random.default_rng(seed)
    parts = []
    for share in rng.dirichlet(np.ones(folds)):
        own = steps_of(rng, steps)
        parts.append(Part(make(rng, COLUMNS + sum(len(step.sources) for step in own), outputs), share, own))
    rows = rng.choice([np.nan, -2.0, 0.0, 0.5, 1.0], (count, COLUMNS))
    rows[:, 0] = rng.choice([np.nan, 0.0], count)
    bag, ensemble = merged(parts, COLUMNS), Ensemble.of([tuple(parts)], COLUMNS)
    assert bag is not None
    with np.errstate(all="ignore"):
        for made in (bag.answers(rows), answers(parts, bag, rows), ensemble.said(rows)[0]):
            np.testing.assert_allclose(made, bagged(parts, rows), rtol=1e-9, atol=1e-12)
        if make is linear and evaluator == "compiled":
            assert np.array_equal(np.vstack([ensemble.said(row[None])[0] for row in rows]), ensemble.said(rows)[0])


def test_bags_of_every_kind_answer_in_their_order(evaluator):
    rng = np.random.default_rng(6)
    rows = rng.choice([np.nan, 0.0, 1.0], (3, COLUMNS))
    made = [linear(rng, COLUMNS, 1), network(rng, COLUMNS, 2), *(random_forest(rng, "plain", 4, False) for _ in "ab")]
    mixed = (Part(made[0], 0.5), Part(made[2], 0.5))
    bags = [mixed, *((Part(member),) for member in made)]
    wanted = [bagged(bag, rows) for bag in bags]
    for said, one in zip(Ensemble.of(bags, COLUMNS).said(rows), wanted, strict=True):
        np.testing.assert_allclose(said, one, rtol=1e-12)


def test_what_all_folds_add_alike_is_added_once():
    rng = np.random.default_rng(5)
    added = sums(rng, COLUMNS)
    bag = merged([Part(linear(rng, COLUMNS + 4, 1), 0.5, (added,)) for _ in range(2)], COLUMNS)
    assert bag is not None
    assert sum(len(step.sources) for step in bag.steps) == 4


def test_what_a_bag_cannot_say_in_one_call_it_says_one_by_one():
    rng = np.random.default_rng(1)
    lines = [Part(linear(rng, COLUMNS, outputs), 0.5) for outputs in (1, 2)]
    added = (sums(rng, COLUMNS),)
    assert merged(lines[:1], COLUMNS) is None
    assert merged(lines, COLUMNS) is None
    assert merged([lines[0], Part(lines[0].member, 0.5, added)], COLUMNS) is None
    assert merged([lines[0], Part(random_forest(rng, "plain", 4, False), 0.5)], COLUMNS) is None


@pytest.mark.parametrize("damaged", ["trees", "lines", "lookup", "arithmetic", "scores"])
def test_columns_that_are_not_there_are_left_to_whoever_checks_a_model(evaluator, damaged):
    rng = np.random.default_rng(2)
    members = {"trees": random_forest(rng, "plain", 4, False, columns=9), "lines": linear(rng, 9, 1)}
    member = members.get(damaged) or random_forest(rng, "plain", 4, False)
    numbers = np.array([COLUMNS])
    steps = {
        "lookup": Lookup(numbers, numbers, np.ones((1, 1)), numbers > 0, numbers * 0, numbers * 0, np.ones((9, 0))),
        "arithmetic": Arithmetic(numbers * 0, numbers, numbers * 0),
        "scores": Scores(numbers, np.array([0, 1]), np.ones(1), np.ones(1)),
    }
    ensemble = Ensemble.of([(Part(member, 1.0, (steps[damaged],) if damaged in steps else ()),)], COLUMNS)
    assert ensemble.programs == ()
    with pytest.raises(IndexError):
        ensemble.said(np.ones((1, COLUMNS)))


def test_a_matrix_of_other_width_is_refused_before_the_library_reads_it(evaluator):
    rng = np.random.default_rng(3)
    ensemble = Ensemble.of([(Part(random_forest(rng, "plain", 60, False)),)], COLUMNS)
    with pytest.raises(IndexError):
        ensemble.said(np.ones((1, COLUMNS - 2)))
