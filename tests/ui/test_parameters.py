"""A field for each parameter, from the definition alone."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.pipeline import Parameter, ParameterType
from core.ui.pipelines.parameters import limits, problem, start

TEXT, WHOLE, LIST = ParameterType.STRING, ParameterType.INTEGER, ParameterType.LIST


@pytest.mark.parametrize(
    ("parameter", "value", "wrong"),
    [
        (Parameter("rows", WHOLE), None, "Give a value."),
        (Parameter("name", TEXT), "", "Give a value."),
        (Parameter("rows", WHOLE, 5), None, ""),
        (Parameter("rows", WHOLE, 5, minimum=1, maximum=9), 0, "At least 1."),
        (Parameter("rows", WHOLE, 5, minimum=1, maximum=9), 10, "At most 9."),
        (Parameter("name", TEXT, "ab", minimum=2), "a", "At least 2 characters."),
        (Parameter("columns", LIST, [], maximum=1), ["a", "b"], "At most 1 entry."),
        (Parameter("depth", TEXT, "quick", choices=("quick", "deep")), "other", "Choose among quick, deep."),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_a_sentence(parameter: Parameter, value: Any, wrong: str):
    assert problem(parameter, value) == wrong


def test_a_field_begins_with_an_earlier_value_unless_the_definition_no_longer_takes_it():
    rows = Parameter("rows", WHOLE, 5, minimum=1, maximum=9)

    assert start(rows, {"rows": 7}) == 7
    assert start(rows, {"rows": 70}) == 5
    assert start(rows, {"rows": "seven"}) == 5
    assert start(rows, {}) == 5


def test_limits_read_as_people_say_them():
    assert limits(Parameter("rows", WHOLE, 5, minimum=1, maximum=900)) == "1 to 900"
    assert limits(Parameter("rows", WHOLE, 5, minimum=1)) == "at least 1"
    assert limits(Parameter("name", TEXT, "a", maximum=20)) == "at most 20 characters"
    assert limits(Parameter("name", TEXT, "a")) == ""


def _form() -> None:
    import streamlit as st

    from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
    from core.ui.pipelines.parameters import fields

    parameters = (
        Parameter("limit_s", ParameterType.INTEGER, 60, "How long to search.", 5, 600),
        Parameter("share", ParameterType.NUMBER, 0.25),
        Parameter("careful", ParameterType.BOOLEAN, True),
        Parameter("exclude", ParameterType.LIST, ["duration"]),
        Parameter("depth", ParameterType.STRING, "quick", choices=("quick", "deep")),
        Parameter("model", ParameterType.STRING),
    )
    spec = PipelineSpec("All kinds", (PipelineStep("one", StepKind.REGISTER),), parameters=parameters)
    st.session_state.values = fields(spec, {"limit_s": 30}, key="form", told=True)


def test_each_type_has_its_own_field_with_default_limits_and_what_is_wrong():
    app = AppTest.from_function(_form).run()

    assert not app.exception
    assert app.session_state["values"] == {
        "limit_s": 30, "share": 0.25, "careful": True, "exclude": ["duration"], "depth": "quick", "model": "",
    }  # fmt: skip
    limit = app.number_input[0]
    assert (limit.min, limit.max, limit.value) == (5, 600, 30)
    assert limit.help == "How long to search. · 5 to 600 · Default: 60"
    assert app.checkbox[0].value
    assert app.multiselect[0].value == ["duration"]
    assert app.selectbox[0].options == ["quick", "deep"]
    assert app.text_input[0].label == "model :red[\\*]"
    assert [each.value for each in app.markdown] == [":red[:material/error: Give a value.]"]
