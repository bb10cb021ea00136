"""What the emulation remembers, over a restart too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.emulator.state import State

KEYS = st.text(min_size=1, max_size=8)


def test_a_key_is_found_in_any_case_and_keeps_the_spelling_that_came_first(tmp_path):
    state = State(tmp_path)
    state.put("/Jobs/Mine", {"n": 1})
    state.put("/jobs/MINE", {"n": 2})
    assert state.get("/JOBS/mine") == {"n": 2}
    assert [*State(tmp_path).below("/jobs/")] == [("/Jobs/Mine", {"n": 2})]


def test_what_was_given_or_got_may_be_changed_without_harm(tmp_path):
    state, given_ = State(tmp_path), {"inner": [1]}
    state.put("a", given_)
    given_["inner"].append(2)
    state.get("a")["inner"].append(3)
    assert state.get("a") == {"inner": [1]}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(KEYS, st.booleans()), max_size=12))
def test_what_was_kept_is_there_after_a_restart_in_the_order_in_which_it_came(tmp_path_factory, story):
    folder = tmp_path_factory.mktemp("state")
    state, model = State(folder), {}
    for number, (key, stays) in enumerate(story):
        if stays:
            state.put(key, {"n": number})
            model[key.lower()] = {"n": number}
        else:
            assert state.delete(key) == (model.pop(key.lower(), None) is not None)
    assert [(key.lower(), kept) for key, kept in State(folder).below("")] == [*model.items()]


def test_a_draft_that_a_kill_has_left_is_no_document(tmp_path):
    state = State(tmp_path)
    state.put("a", {"n": 1})
    (tmp_path / "documents" / "half.draft").write_text("{")
    assert State(tmp_path).get("a") == {"n": 1}


@pytest.mark.parametrize("default", [None, {}, "nothing"])
def test_what_is_not_there_is_the_default(tmp_path, default):
    assert State(tmp_path).get("a", default) == default
