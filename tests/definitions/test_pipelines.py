"""Pipeline definitions: what YAML gives, and how each mistake is named."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions import parse_pipeline, shipped
from core.definitions.pipelines import bind
from core.domain.errors import SpecInvalid
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind

SMALL = """
name: Small
parameters: {target: y, seconds: 60}
steps:
  - {kind: prepare, settings: {data: "table-${target}"}}
  - {name: search, kind: automl, needs: [prepare], settings: {target: "${target}", timeout_s: "${seconds}"}}
"""


def test_the_shipped_pipeline_prepares_searches_and_registers():
    (train,) = [spec for spec in shipped() if spec.name == "Bankmarketing Train"]
    assert [step.kind for step in train.steps] == [StepKind.PREPARE, StepKind.AUTOML, StepKind.REGISTER]
    assert [step.needs for step in train.steps] == [(), ("prepare",), ("automl",)]


def test_the_shipped_pipeline_takes_parameters_from_its_trigger():
    (train,) = shipped()
    prepare, automl, register = bind(train, {"timeout_s": 15, "model": "other", "exclude": ["duration"]})
    assert prepare.settings == {"data": "bankmarketing_train", "target": "y"}
    assert automl.settings == {"target": "y", "timeout_s": 15, "exclude": ["duration"]}
    assert register.settings == {"model": "other"}


def test_a_whole_reference_keeps_its_type_and_one_inside_text_becomes_text():
    prepare, search = bind(parse_pipeline(SMALL), {"seconds": 7.5})
    assert search.settings["timeout_s"] == 7.5
    assert prepare.settings["data"] == "table-y"


def test_a_step_without_a_name_is_called_by_its_kind():
    assert parse_pipeline(SMALL).steps[0].name == "prepare"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: Small", "nom: Small"), "unknown key 'nom'"),
        (("name: Small", "name: 7"), "'name' is 7, expected text"),
        (("name: Small", "name:"), "needs a name"),
        (
            ("kind: automl", "kind: magic"),
            "Step 2: the kind is 'magic', expected one of prepare, guardrails, ",
        ),
        (("needs: [prepare]", "needs: [clean]"), "needs 'clean'"),
        (("name: search", "name: prepare"), "Two steps are named 'prepare'"),
        (("timeout_s:", "timeout:"), "kind automl has no setting 'timeout'"),
        (('target: "${target}", ', ""), "needs the setting 'target'"),
        (("${seconds}", "${minutes}"), "refers to parameter 'minutes'"),
        (("seconds: 60", "seconds: soon"), "'timeout_s' is 'soon', expected an integer or a number"),
        (("seconds: 60", "seconds: true"), "'timeout_s' is True"),
        (("name: Small", "name: [Small"), "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(change, message):
    with pytest.raises(SpecInvalid, match=message.replace("{", r"\{").replace("$", r"\$")):
        parse_pipeline(SMALL.replace(*change))


@pytest.mark.parametrize("text", ["", "[]", "text", "7"])
def test_a_document_that_is_no_mapping_is_refused(text):
    with pytest.raises(SpecInvalid, match="expected a mapping"):
        parse_pipeline(text)


def test_a_trigger_cannot_assign_a_parameter_that_does_not_exist():
    with pytest.raises(SpecInvalid, match="no parameter 'sconds'") as refused:
        bind(parse_pipeline(SMALL), {"sconds": 1})
    assert "seconds" in refused.value.hint


def test_a_definition_made_in_code_is_checked_when_it_is_bound():
    with pytest.raises(SpecInvalid, match="kind register has no setting 'nom'"):
        bind(PipelineSpec("made", (PipelineStep("keep", StepKind.REGISTER, settings={"nom": "m"}),)), {})


def test_yaml_cannot_make_objects():
    with pytest.raises(SpecInvalid, match="not YAML"):
        parse_pipeline("!!python/object/apply:os.getcwd []")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "kind", "steps", "settings", "needs", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(JSON)
def test_any_document_gives_a_definition_or_an_explained_refusal(document):
    with suppress(SpecInvalid):
        assert isinstance(parse_pipeline(yaml.safe_dump(document)), PipelineSpec)
