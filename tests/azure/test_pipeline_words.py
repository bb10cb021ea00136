"""Names and values of pipelines, as Azure ML takes them."""

import re
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.azure.pipelines import words
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
VALUES = {
    ParameterType.STRING: TEXTS,
    ParameterType.INTEGER: st.integers(-(2**53), 2**53),
    ParameterType.NUMBER: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    ParameterType.BOOLEAN: st.booleans(),
    ParameterType.LIST: st.lists(TEXTS, max_size=4),
    ParameterType.DATA: TEXTS,
}
TYPED = st.sampled_from(list(ParameterType)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))


@given(TYPED)
def test_a_value_comes_back_from_its_text(typed):
    kind, value = typed
    if value == "" or (kind in (ParameterType.STRING, ParameterType.DATA) and "\x00" in value):
        return
    assert words.as_value(kind, words.as_text(value)) == value


@given(TEXTS)
def test_a_text_stands_in_a_shells_single_quotes_as_it_is(text):
    packed = words.as_text(text)
    assert shlex.split(f"'{packed}'") == [packed]
    assert "${{" not in packed


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (ParameterType.NUMBER, "15", 15),
        (ParameterType.BOOLEAN, "True", True),
        (ParameterType.STRING, "15", "15"),
        (ParameterType.LIST, '["a", "b"]', ["a", "b"]),
    ],
)
def test_what_somebody_writes_by_hand_is_understood(kind, text, value):
    assert words.as_value(kind, text) == value


def test_what_is_no_value_of_its_type_is_left_out():
    spec = PipelineSpec(
        "p", (PipelineStep("a", StepKind.COMMAND),), parameters=(Parameter("n", ParameterType.INTEGER, 1),)
    )
    assert words.values(spec, {"n": "many", "other": "1"}) == {}
    assert words.values(spec, {"n": "7"}) == {"n": 7}


NAMES = st.from_regex(re.compile(r"\w(?:[\w -]{0,30}\w)?"), fullmatch=True)


@settings(max_examples=50)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_every_step_has_a_node_of_its_own_that_azure_takes(names):
    spec = PipelineSpec("p", tuple(PipelineStep(name, StepKind.COMMAND) for name in names))
    found = words.nodes(spec)
    assert len(set(found.values())) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", node) for node in found.values())


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=60))
def test_every_pipeline_has_an_endpoint_name_that_azure_takes(name):
    found = words.endpoint_of("/subscriptions/s", name)
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,30}[a-z0-9]", found)
    assert found == words.endpoint_of("/SUBSCRIPTIONS/s", name)
    assert found != words.endpoint_of("/subscriptions/another", name)


def test_a_version_is_named_by_its_id():
    assert words.parted("train:3") == ("train", 3)
    assert words.parted("train") == ("train", 0)
    assert words.version_of(words.deployment_of(12)) == 12
    assert words.version_of("somebody-elses") == 0
