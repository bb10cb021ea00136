"""Where the steps of a pipeline stand in its drawing."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ui.pipelines.layout import Line, Place, laid_out


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, list[str]]:
    """Steps, each waiting for some of those before it."""
    made: dict[str, list[str]] = {}
    for number in range(draw(st.integers(1, 25))):
        made[f"s{number}"] = draw(st.lists(st.sampled_from([*made]), max_size=3)) if made else []
    return made


@settings(max_examples=30, deadline=None)
@given(pipelines())
def test_a_step_stands_behind_what_it_waits_for_and_nothing_stands_on_another(waits_for: dict[str, list[str]]):
    drawing = laid_out(waits_for)

    assert list(drawing.places) == list(waits_for)
    for name, needs in waits_for.items():
        assert all(drawing.places[need].layer < drawing.places[name].layer for need in needs)
    for one, other in combinations(drawing.places.values(), 2):
        assert one.layer != other.layer or abs(one.slot - other.slot) > 0.99
    for place in drawing.places.values():
        assert 0 <= place.slot <= drawing.slots
        assert 0 <= place.layer < drawing.layers


@settings(max_examples=30, deadline=None)
@given(pipelines())
def test_the_lines_say_what_waits_for_what_and_pass_every_layer_between(waits_for: dict[str, list[str]]):
    drawing = laid_out(waits_for)

    reached: dict[str, set[str]] = {name: set() for name in waits_for}
    for line in sorted(drawing.lines, key=lambda line: drawing.places[line.target].layer):
        reached[line.target] |= {line.source} | reached[line.source]
        first, last = drawing.places[line.source].layer, drawing.places[line.target].layer
        assert [bend.layer for bend in line.bends] == list(range(first + 1, last))
    for name, needs in waits_for.items():
        assert set(needs) <= reached[name]


def test_a_chain_is_a_straight_line():
    drawing = laid_out({"a": [], "b": ["a"], "c": ["b"]})

    assert [*drawing.places.values()] == [Place(0, 0.0), Place(1, 0.0), Place(2, 0.0)]


def test_what_follows_from_the_rest_is_not_drawn():
    drawing = laid_out({"a": [], "b": ["a"], "c": ["a", "b", "b"]})

    assert drawing.lines == (Line("a", "b"), Line("b", "c"))


def test_two_branches_stand_beside_each_other_and_meet_in_the_middle():
    places = laid_out({"a": [], "left": ["a"], "right": ["a"], "end": ["left", "right"]}).places

    assert {places["left"].slot, places["right"].slot} == {0.0, 1.0}
    assert places["a"].slot == places["end"].slot == 0.5


def test_a_long_line_goes_around_the_steps_between():
    drawing = laid_out({"a": [], "b": ["a"], "c": ["b"], "x": [], "d": ["c", "x"]})

    long = next(line for line in drawing.lines if line.source == "x")
    for bend in long.bends:
        assert all(p.layer != bend.layer or abs(p.slot - bend.slot) > 0.6 for p in drawing.places.values())


def test_so_many_long_lines_that_nobody_can_follow_them_go_straight():
    chain = {f"s{n}": [f"s{n - 1}"] if n else [] for n in range(100)}
    early = {f"e{n}": [] for n in range(60)}
    drawing = laid_out({**chain, **early, "end": ["s99", *early]})

    assert all(not line.bends for line in drawing.lines)
